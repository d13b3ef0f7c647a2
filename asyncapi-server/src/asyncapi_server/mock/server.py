"""A server that answers from the examples of an AsyncAPI document, without handlers.

`asyncapi-server mock specs/stream.asyncapi.yaml` lets a client team start on the day
that a document is agreed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from asyncapi_server import jsontext
from asyncapi_server.document.contract import Contract
from asyncapi_server.document.model import Channel, Document
from asyncapi_server.errors import ContractError
from asyncapi_server.mock.samples import SampleBook, Samples
from asyncapi_server.names import handler_name
from asyncapi_server.serving import paths
from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.encoding import encode
from asyncapi_server.serving.endpoint import Endpoint
from asyncapi_server.serving.faults import Fault
from asyncapi_server.serving.router import Router
from asyncapi_server.serving.settings import EndpointSettings
from asyncapi_server.serving.site import listening

SETTINGS = EndpointSettings(messages_per_second=1000, message_burst=10_000)
"""Generous, because a test suite may send fast."""
CONTROL = "/send"

log = logging.getLogger(__name__)


class _Line:
    """One channel: its endpoint, and the samples of its messages."""

    def __init__(
        self, contract: Contract, channel: Channel, book: SampleBook, server: str | None
    ) -> None:
        self.samples = Samples(channel, book)
        self._next = {name: itertools.count() for name in self.samples.names}
        router = Router(
            contract,
            channel.address,
            _handlers(channel, self.samples, server),
            error_reply=self._error,
            server=server,
            enforce_security=False,
            check_outgoing=True,
        )
        self.endpoint = Endpoint(router, settings=SETTINGS)

    def send(self, payload: object) -> int:
        """Send a message to every connected client; returns their number."""
        encoded = encode(payload)
        connections = [c for c in self.endpoint.connections.values() if not c.closed]
        for connection in connections:
            connection.send(encoded)
        return len(connections)

    def next_sample(self, name: str) -> object:
        """The next sample of a message, in turn; refusals only when there is no other.

        Raises ContractError when it has none.
        """
        samples = self.samples.of(name)
        if not samples:
            raise ContractError(
                f"no example of {name!r} fits its schema, and none could be made: write one"
            )
        usual = [sample for sample in samples if not sample.refuses] or samples
        return usual[next(self._next[name]) % len(usual)].payload

    def _error(self, fault: Fault) -> object | None:
        log.info("%s: %s", fault.kind, fault.text)
        return self.samples.error(fault)


class Mock:
    """A document, served from its examples."""

    def __init__(self, document: Document, *, server: str | None = None) -> None:
        """`server` is the name of this server: messages for others are then refused.

        Raises ContractError when the document has no such server.
        """
        prefix = paths.prefix(document, server)
        contract, book = Contract.from_document(document), SampleBook()
        self._lines = {
            paths.path(prefix, address): _Line(contract, channel, book, server)
            for address, channel in document.channels.items()
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that accept WebSocket connections."""
        return tuple(self._lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The messages that can be sent."""
        return tuple(dict.fromkeys(n for line in self._lines.values() for n in line.samples.names))

    def send(self, name: str, payload: object | None = None) -> int:
        """Send a message, or its next example, to the clients of its channels; returns how many.

        Raises ContractError when there is no such message or the payload does not fit it.
        """
        lines = [line for line in self._lines.values() if name in line.samples.names]
        if not lines:
            known = ", ".join(self.names)
            raise ContractError(f"the server sends no message {name!r}; known: {known}")
        sent = 0
        for line in lines:
            if payload is not None and (faults := line.samples.faults(name, payload)):
                raise ContractError(f"no {name!r}: {'; '.join(faults)}")
            sent += line.send(line.next_sample(name) if payload is None else payload)
        return sent

    async def repeat(self, seconds: float, names: Sequence[str]) -> None:
        """Send these messages every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            for name in names:
                self.send(name)

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve at a port, 0 for a free one; yields the base URL."""
        app = web.Application()
        app.router.add_get(CONTROL, self._list)
        app.router.add_post(CONTROL + "/{name}", self._send)
        endpoints = {path: line.endpoint for path, line in self._lines.items()}
        async with listening(endpoints, host, port, app) as url:
            yield url

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"messages": self.names})

    async def _send(self, request: web.Request) -> web.Response:
        """Send the message that the path names: the body, or the next example without one."""
        body = await request.read()
        try:
            payload = jsontext.loads(body) if body else None
            sent = self.send(request.match_info["name"], payload)
        except (ValueError, ContractError) as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.json_response({"connections": sent})


def _handlers(channel: Channel, samples: Samples, server: str | None) -> object:
    """An object with a handler for each request that this server admits."""

    def handler(request: str) -> Callable[[object, Connection, object], Awaitable[object]]:
        async def answer(_: object, __: Connection, message: object) -> object:
            reply = samples.reply(request, message)
            return None if reply is None else encode(reply)

        return answer

    admitted = (
        message.name
        for message in channel.receives
        if server is None or message.servers is None or server in message.servers
    )
    return type("Examples", (), {handler_name(name): handler(name) for name in admitted})()
