"""A server that answers from the examples of an AsyncAPI document, without handlers.

`python -m asyncapi_server mock specs/stream.asyncapi.yaml` lets a client team start on the day
that a document is agreed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from asyncapi_server.document.contract import Contract
from asyncapi_server.document.loader import load_document
from asyncapi_server.document.model import Channel, Document
from asyncapi_server.errors import AsyncApiServerError, ContractError
from asyncapi_server.mock.samples import Samples
from asyncapi_server.names import handler_name
from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.encoding import encode
from asyncapi_server.serving.endpoint import Endpoint
from asyncapi_server.serving.faults import Fault
from asyncapi_server.serving.router import Router
from asyncapi_server.serving.settings import EndpointSettings

DEFAULT_PORT = 8090
MIN_SECONDS = 0.01
"""The shortest time between two scheduled messages."""
SETTINGS = EndpointSettings(messages_per_second=1000, message_burst=10_000)
"""Generous, because a test suite may send fast."""
CONTROL = "/send"

log = logging.getLogger(__name__)


class _Line:
    """One channel: its endpoint, and the samples of its messages."""

    def __init__(self, contract: Contract, channel: Channel, server: str | None) -> None:
        self.samples = Samples(channel)
        self._next = {name: itertools.count() for name in self.samples.names}
        router = Router(
            contract,
            channel.address,
            _handlers(channel, self.samples, server),
            error_reply=self._error,
            server=server,
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
        """The next sample of a message, in turn; refusals only when there is no other."""
        samples = self.samples.of(name)
        usual = [sample for sample in samples if not sample.refuses] or samples
        return usual[next(self._next[name]) % len(usual)].payload

    def _error(self, fault: Fault) -> Mapping[str, object] | None:
        log.info("%s: %s", fault.kind, fault.text)
        return self.samples.error(fault)


class Mock:
    """A document, served from its examples."""

    def __init__(self, document: Document, *, server: str | None = None) -> None:
        """`server` is the name of this server: messages for others are then refused.

        Raises DocumentError when the document cannot be served.
        """
        prefix = ""
        if server is not None:
            if server not in document.servers:
                known = ", ".join(document.servers) or "none"
                raise ContractError(f"the document has no server {server!r}; known: {known}")
            _, slash, path = document.servers[server].address.partition("/")
            prefix = (slash + path).rstrip("/")
        contract = Contract.from_document(document)
        self._lines = {
            _path(prefix, address): _Line(contract, channel, server)
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
        for path, line in self._lines.items():
            app.router.add_get(_route(path), line.endpoint.handle)
        app.router.add_get(CONTROL, self._list)
        app.router.add_post(CONTROL + "/{name}", self._send)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield f"ws://{host}:{runner.addresses[0][1]}"
        finally:
            await asyncio.gather(*(line.endpoint.close_all() for line in self._lines.values()))
            await runner.cleanup()

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"messages": self.names})

    async def _send(self, request: web.Request) -> web.Response:
        """Send the message that the path names: the body, or the next example without one."""
        body = await request.read()
        try:
            payload = orjson.loads(body) if body else None
            sent = self.send(request.match_info["name"], payload)
        except (orjson.JSONDecodeError, ContractError) as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.json_response({"connections": sent})


def _handlers(channel: Channel, samples: Samples, server: str | None) -> object:
    """An object with a handler for each request that this server admits."""

    def handler(request: str) -> Callable[[object, Connection, object], Awaitable[object]]:
        async def answer(_: object, __: Connection, message: object) -> object:
            return samples.reply(request, message)

        return answer

    admitted = (
        message.name
        for message in channel.receives
        if server is None or message.servers is None or server in message.servers
    )
    return type("Examples", (), {handler_name(name): handler(name) for name in admitted})()


def _path(prefix: str, address: str) -> str:
    """Where a channel is served, below the path of its server."""
    below = "/" + address.lstrip("/")
    return prefix if prefix and below == "/" else prefix + below


def _route(path: str) -> str:
    """An aiohttp route of an address, whose parameters may have any names."""
    numbers = itertools.count()
    return re.sub(r"\{[^{}]*\}", lambda _: f"{{parameter{next(numbers)}}}", path)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("document", metavar="SPEC", help="an AsyncAPI document, 2.0 to 3.1")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="0 picks a free one (%(default)s)"
    )
    parser.add_argument(
        "--server", metavar="NAME", help="the document's name for this server; default: all"
    )
    parser.add_argument(
        "--every", nargs=2, action="append", default=[], metavar=("SECONDS", "MESSAGES"),
        help="send these messages, separated by commas, to every client at this interval",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; 1 when the document cannot be served."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(options))
    except AsyncApiServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(options: argparse.Namespace) -> None:
    mock = Mock(load_document(options.document), server=options.server)
    schedules = [_schedule(mock, *words) for words in options.every]
    async with mock.listening(options.host, options.port) as url, asyncio.TaskGroup() as group:
        for seconds, names in schedules:
            group.create_task(mock.repeat(seconds, names))
        lines = [*(f"serves {url}{path}" for path in mock.paths)]
        control = url.replace("ws", "http", 1) + CONTROL
        lines.append(f"POST {control}/NAME sends {', '.join(mock.names)}")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def _schedule(mock: Mock, seconds: str, names: str) -> tuple[float, list[str]]:
    try:
        pause = float(seconds)
    except ValueError:
        pause = 0.0
    if not MIN_SECONDS <= pause < float("inf"):
        raise ContractError(f"--every {seconds}: not a number of seconds from {MIN_SECONDS} on")
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in mock.names:
            known = ", ".join(mock.names)
            raise ContractError(f"the server sends no message {name!r}; known: {known}")
    return pause, chosen
