"""One connection to the stream, from the handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import NoReturn, Protocol

import aiohttp
from asyncapi_python.kernel.application import BaseApplication
from asyncapi_python.kernel.endpoint import AbstractEndpoint

from .codec import ModelCodecs
from .errors import AccessRefused, CandlecastError, ConnectionLost, ContractBroken
from .generated.models import (
    Error,
    Heartbeat,
    InitialHistory,
    InitialTickers,
    OhlcvUpdate,
    Ping,
    TickerUpdate,
)
from .generated.stream import messages
from .generated.stream.router import ConsumerRouter, ProducerRouter
from .wire import MAX_MESSAGE_BYTES, WebSocketWire

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0
PERMANENT_REFUSALS = (400, 401, 403, 404)
"""HTTP statuses of the handshake after which a retry would not help."""


class Listener(Protocol):
    """Handles the messages that are not replies; must not block."""

    def on_history(self, message: InitialHistory) -> None:
        """Handle the history of a subscription."""

    def on_update(self, message: OhlcvUpdate) -> None:
        """Handle an update of a candle."""


class Connection(BaseApplication):
    """The generated operations of the document over one open WebSocket."""

    def __init__(self, wire: WebSocketWire, codecs: ModelCodecs, listener: Listener) -> None:
        super().__init__(wire_factory=wire, codec_factory=codecs)
        self.requests = ProducerRouter(wire, codecs)
        """The requests of the document; replies arrive only while `run` is running."""
        self._wire = wire
        self._failed: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        received = ConsumerRouter(wire, codecs)
        for endpoint in (*vars(self.requests).values(), *vars(received).values()):
            if isinstance(endpoint, AbstractEndpoint):
                self._add_endpoint(endpoint)

        @received.initial_history
        async def on_history(message: InitialHistory) -> None:
            listener.on_history(message)

        @received.ohlcv_update
        async def on_update(message: OhlcvUpdate) -> None:
            listener.on_update(message)

        @received.heartbeat
        async def on_heartbeat(message: Heartbeat) -> None:
            """Do nothing: the wire has recorded when it came."""

        @received.initial_tickers
        async def on_tickers(message: InitialTickers) -> None:
            """Do nothing: this client does not subscribe to them."""

        @received.ticker_update
        async def on_ticker(message: TickerUpdate) -> None:
            """Do nothing: this client does not subscribe to them."""

        @received.error
        async def on_error(message: Error) -> None:
            raise ConnectionLost(f"{message.error_code}: {message.message}")

    async def run(self, silence_seconds: float) -> NoReturn:
        """Receive messages until the connection ends; raises ConnectionLost or ContractBroken."""
        await first_of(self._wire.run(), self._keep_alive(silence_seconds), self._failed)
        raise AssertionError("unreachable")

    async def _keep_alive(self, silence_seconds: float) -> None:
        """Ping the server after `silence_seconds` without a message."""
        clock = asyncio.get_running_loop().time
        while True:
            quiet = clock() - self._wire.last_heard
            if quiet < silence_seconds:
                await asyncio.sleep(silence_seconds - quiet)
                continue
            try:
                await self.requests.ping(Ping(action="ping"))
            except TimeoutError:
                raise ConnectionLost("The server is silent") from None

    def _propagate_exception(self, exception: Exception) -> None:
        """Called by endpoints for a message that could not be decoded or handled."""
        if not isinstance(exception, CandlecastError):
            exception = ContractBroken(f"A message is not as documented: {exception}")
        if not self._failed.done():
            self._failed.set_exception(exception)


@asynccontextmanager
async def connected(
    session: aiohttp.ClientSession, url: str, listener: Listener
) -> AsyncIterator[Connection]:
    """Open a connection, closed on exit. Raises AccessRefused and ConnectionLost."""
    timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS)
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            socket = await session.ws_connect(url, max_msg_size=MAX_MESSAGE_BYTES, timeout=timeout)
    except aiohttp.WSServerHandshakeError as error:
        kind = AccessRefused if error.status in PERMANENT_REFUSALS else ConnectionLost
        raise kind(f"{url} answered {error.status} {error.message}") from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ConnectionLost(f"{url} cannot be reached: {error or 'no answer'}") from error
    async with socket:
        codecs = ModelCodecs(messages.json)
        connection = Connection(WebSocketWire(socket, codecs), codecs, listener)
        await connection.start()
        try:
            yield connection
        finally:
            await connection.stop()


async def first_of(*work: Awaitable[object]) -> None:
    """Wait for the first to end, cancel the others, and raise its exception if there is one."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
