"""The network between this machine and the exchange: sessions of HTTP and WebSocket.

Everything that the exchange is asked for and sends passes a `Network`; another one, such as a
simulated one, can be put in its place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, Self

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from .websocket import Receiver, Socket, connect

CONNECTIONS: Final = 100
"""Connections of a session at a time."""


class Content(Protocol):
    """The body of an answer."""

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes."""

    def iter_any(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come."""

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """The body in pieces of up to `n` bytes."""


class Response(Protocol):
    """An answer, whose body is as it was sent: packed if it was packed."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whose names are compared without case."""

    @property
    def content(self) -> Content:
        """The body."""

    def raise_for_status(self) -> None:
        """Raise aiohttp.ClientResponseError for a status from 400 on."""


class Session(Protocol):
    """Requests to the exchange. Faults are aiohttp.ClientError, TimeoutError and OSError."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        allow_redirects: bool = True,
    ) -> AbstractAsyncContextManager[Response]:
        """A request, and its answer."""

    async def close(self) -> None:
        """End the connections; requests that run fail."""


class _Gate(aiohttp.TCPConnector):
    """Asks whether a request may still be sent once its connection is made."""

    def __init__(self, admit: Callable[[], None]) -> None:
        super().__init__(limit=CONNECTIONS)
        self._admit = admit

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            self._admit()
        except BaseException:
            connection.release()
            raise
        return connection


class Network:
    """The network as it is."""

    def session(
        self,
        timeout: aiohttp.ClientTimeout,
        *,
        admit: Callable[[], None] = lambda: None,
    ) -> Session:
        """A session.

        `admit` is called when the connection for a request is there, just before it is sent; what
        it raises ends the request.
        """
        return aiohttp.ClientSession(connector=_Gate(admit), timeout=timeout, auto_decompress=False)

    async def websocket(self, url: str, receiver: Receiver) -> Socket:
        """An open WebSocket; raises Refused, TimeoutError and OSError."""
        return await connect(url, receiver)


class SessionClient:
    """A client with one session, which is made when it is first needed."""

    def __init__(self, make_session: Callable[[], Session]) -> None:
        self._make_session = make_session
        self._made: Session | None = None

    @property
    def session(self) -> Session:
        """The session."""
        if self._made is None:
            self._made = self._make_session()
        return self._made

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; requests that run fail."""
        if self._made is not None:
            await self._made.close()
