"""The base of endpoints: the connections of one address, over whatever they came."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.faults import Fault, FaultKind
from asyncapi_server.serving.handshake import ANY, Opened
from asyncapi_server.serving.hub import Hub
from asyncapi_server.serving.outbox import Outbox
from asyncapi_server.serving.router import Router
from asyncapi_server.serving.settings import EndpointSettings

log = logging.getLogger(__name__)

MAX_UTF8_BYTES = 4
"""The most bytes of one character."""

Closer = Callable[[int, str], Awaitable[None]]
"""Closes a connection with a code and a reason."""
Hook = Callable[[Connection], Awaitable[None] | None]
Upgrade = TypeVar("Upgrade")
"""The request that opens a connection, as the HTTP server below hands it over."""
GOING_AWAY = 1001


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over connections, and how they did."""

    opened: int = 0
    messages_sent: int = 0
    updates_replaced: int = 0
    """Updates that were never sent, for a newer one had come before a slow client took them."""
    given_up: int = 0
    """Connections whose clients read too slowly."""
    errors: int = 0
    """Faults that clients were shown."""

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def _traffic(connection: Connection) -> Traffic:
    outbox = connection.outbox
    sent = outbox.messages - outbox.replaced
    return Traffic(1, sent, outbox.replaced, int(outbox.is_given_up), connection.errors)


class BaseEndpoint(ABC, Generic[Upgrade]):
    """Serves a router's address; how its connections are opened and read is left to subclasses."""

    def __init__(
        self,
        router: Router,
        *,
        settings: EndpointSettings | None = None,
        hub: Hub | None = None,
        allow_origin: Callable[[str], bool] = lambda _: True,
        client_ip: Callable[[Upgrade], str] | None = None,
    ) -> None:
        """`hub` publishes to this endpoint's connections: it drops those that end, and checks what
        it publishes if the router checks what is sent. `allow_origin` gets the Origin header of
        browsers; False refuses with 403. `client_ip` replaces the address that the socket has."""
        self._router = router
        self._settings = settings or EndpointSettings()
        self._allow_origin = allow_origin
        self._client_ip = client_ip or self._peer
        self.on_connect: list[Hook] = []
        """Called with each new connection, in order."""
        self.on_disconnect: list[Hook] = []
        """Called with each connection that has ended, in order."""
        if hub is not None:
            self.on_disconnect.append(hub.drop)
            if router.checks_sent:
                hub.check = router.check_sent
        self._by_id: dict[str, Connection] = {}
        self._numbers = itertools.count(1)
        self.connections: Mapping[str, Connection] = MappingProxyType(self._by_id)
        """The live connections by id."""
        self._ended = Traffic()

    @staticmethod
    @abstractmethod
    def _peer(request: Upgrade) -> str:
        """The address of the socket's other end."""

    @asynccontextmanager
    async def connected(
        self,
        outbox: Outbox,
        request: Upgrade,
        closer: Closer,
        window_bits: int = 0,
        opened: Opened = ANY,
    ) -> AsyncIterator[Connection]:
        """One connection from its upgrade, which was `request`, to its end, over any outbox.

        `window_bits` are those of its compression; `opened` has the parameters of its address
        and the identities of its client.
        """
        ip = self._client_ip(request)
        connection = Connection(
            self._router,
            outbox,
            request,
            connection_id=f"{ip}_{next(self._numbers)}",
            ip=ip,
            connected_at=time.time(),
            window_bits=window_bits,
            opened=opened,
            request_timeout=self._settings.request_timeout_seconds,
            closer=closer,
        )
        self._by_id[connection.id] = connection
        try:
            await self._call(self.on_connect, connection)
            yield connection
        finally:
            del self._by_id[connection.id]
            self._ended += _traffic(connection)
            outbox.close()
            await self._call(self.on_disconnect, connection)

    @property
    def traffic(self) -> Traffic:
        """What all connections have had since the start."""
        return sum(map(_traffic, self._by_id.values()), self._ended)

    async def close_all(
        self,
        code: int = GOING_AWAY,
        reason: str = "the server is going away",
        *,
        over_seconds: float = 0.0,
        farewell: Callable[[Connection], object] = lambda _: None,
    ) -> None:
        """Close all connections, and wait until the last one is gone.

        Their closes are spread evenly over `over_seconds`, so that clients do not all connect
        elsewhere at once; `farewell` is called with each connection before its close.
        """
        connections = list(self._by_id.values())

        async def close(connection: Connection, number: int) -> None:
            await asyncio.sleep(over_seconds * number / len(connections))
            farewell(connection)
            await connection.close(code, reason)

        await asyncio.gather(*map(close, connections, range(len(connections))))

    def _is_too_long(self, text: str) -> bool:
        """Whether a message exceeds the limit of the settings."""
        limit = self._settings.max_message_bytes
        return len(text) * MAX_UTF8_BYTES > limit and len(text.encode()) > limit

    @property
    def _too_long(self) -> str:
        """The text for a client whose message is too long."""
        limit = self._settings.max_message_bytes
        return f"A message is longer than {limit} bytes; connect again and send shorter ones"

    @property
    def _too_fast(self) -> str:
        """The text for a client that sends too fast."""
        rate = self._settings.messages_per_second
        return f"More than {rate:g} messages per second; connect again and send fewer"

    async def _end(self, connection: Connection, kind: FaultKind, text: str, code: int) -> None:
        """Report a fault to a client, then close its connection with a code."""
        connection.fault(Fault(kind, text))
        await connection.close(code, text)

    async def _call(self, hooks: Sequence[Hook], connection: Connection) -> None:
        for hook in hooks:
            try:
                result = hook(connection)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                log.exception("%s: a hook failed", connection)
