"""The best bid and ask of symbols, live, for as long as somebody wants them.

A quote replaces the one before, so nothing is refetched or put in order: after a lost connection
the next quote is as good as any. The connections are apart from those of the trades.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

import aiohttp
import msgspec

from ingest.core import fixed
from ingest.core.errors import ExchangeUnavailable

from .connection import CLOSE_TIMEOUT_S, CONNECT_TIMEOUT_S, MAX_MESSAGE_BYTES, STREAMS_PER_REQUEST
from .limits import CONNECTION_ATTEMPTS, OUTGOING_MESSAGES, SlidingLimit, pause_before
from .parse import excerpt
from .stream import MAX_STREAMS_PER_CONNECTION, STALL_S

PING_S: Final = STALL_S
"""A connection that does not answer a ping, sent this often, in half of the time is lost."""

_log = logging.getLogger(__name__)


class Quote(NamedTuple):
    """Best bid and ask with the quantities there, in units of 1e-8."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class QuoteHandler(Protocol):
    """Who gets the quotes. The calls come from the event loop and must not block."""

    def on_quote(self, symbol: str, quote: Quote) -> None:
        """A new quote."""

    def on_quotes_lost(self, symbols: Iterable[str]) -> None:
        """The quotes of these symbols do not come for now; reconnecting goes on by itself."""


class _Ticker(msgspec.Struct, gc=False):
    s: str
    b: str
    B: str
    a: str
    A: str


class _Combined(msgspec.Struct, gc=False):
    data: _Ticker


class _Answer(msgspec.Struct, rename="camel"):
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str


_decode_combined = msgspec.json.Decoder(_Combined).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode


def stream_quote(raw: bytes) -> tuple[str, Quote] | None:
    """The symbol and quote of a `bookTicker` message of a combined stream; None for others."""
    try:
        data = _decode_combined(raw).data
        return data.s, _quote(data.b, data.B, data.a, data.A)
    except (ValueError, RecursionError):
        return None


def rest_quote(body: bytes) -> Quote:
    """The quote of a `ticker/bookTicker` answer; raises ExchangeUnavailable."""
    try:
        answer = _decode_answer(body)
        return _quote(answer.bid_price, answer.bid_qty, answer.ask_price, answer.ask_qty)
    except (ValueError, RecursionError) as error:
        raise ExchangeUnavailable(
            f"The exchange's quote cannot be read ({error}); it came as {excerpt(body)}"
        ) from None


def _quote(bid: str, bid_quantity: str, ask: str, ask_quantity: str) -> Quote:
    parse = fixed.parse
    return Quote(parse(bid), parse(bid_quantity), parse(ask), parse(ask_quantity))


class BookStream:
    """`bookTicker` streams at `base_url` (`wss://stream.binance.com:9443`).

    There is a connection only while there are symbols.
    """

    def __init__(self, base_url: str, handler: QuoteHandler) -> None:
        self._url = base_url.rstrip("/") + "/stream"
        self._handler = handler
        self._attempts = SlidingLimit(*CONNECTION_ATTEMPTS)
        self._lines: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols whose quotes are wanted."""
        return frozenset(self._lines)

    def add(self, symbol: str) -> None:
        """Follow a symbol."""
        if symbol in self._lines:
            return
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        line = next((line for line in self._lines.values() if line.has_room), None)
        if line is None:
            line = _Line(self._url, self._session, self._handler, self._attempts)
            self._tasks.add(line.task)
            line.task.add_done_callback(self._tasks.discard)
        self._lines[symbol] = line
        line.want(symbol)

    def remove(self, symbol: str) -> None:
        """Follow a symbol no longer; its connection ends with its last one."""
        line = self._lines.pop(symbol, None)
        if line is not None:
            line.forget(symbol)

    async def close(self) -> None:
        """End every connection."""
        self._lines.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


class _Line:
    """One connection, made anew whenever it is lost, and the symbols that it carries."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        handler: QuoteHandler,
        attempts: SlidingLimit,
    ) -> None:
        self._url = url
        self._session = session
        self._handler = handler
        self._attempts = attempts
        self._wanted: set[str] = set()
        self._changed = asyncio.Event()
        self._last_id = 0
        self.task = asyncio.create_task(self._run())

    @property
    def has_room(self) -> bool:
        """Whether one more symbol finds place on the connection."""
        return bool(self._wanted) and len(self._wanted) < MAX_STREAMS_PER_CONNECTION

    def want(self, symbol: str) -> None:
        self._wanted.add(symbol)
        self._changed.set()

    def forget(self, symbol: str) -> None:
        self._wanted.discard(symbol)
        self._changed.set()
        if not self._wanted:
            self.task.cancel()

    async def _run(self) -> None:
        """Keep connected until cancelled."""
        failures = 0
        while True:
            await self._attempts.wait()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    ws = await self._session.ws_connect(
                        self._url,
                        decode_text=False,
                        heartbeat=PING_S,
                        max_msg_size=MAX_MESSAGE_BYTES,
                        timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    )
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failures += 1
                _log.warning("No quotes: no connection to %s (%s)", self._url, error)
            else:
                failures = 1 if await self._converse(ws) else failures + 1
            await asyncio.sleep(pause_before(failures))

    async def _converse(self, ws: aiohttp.ClientWebSocketResponse[bool]) -> bool:
        """Deliver until the connection is lost; returns whether it had delivered anything."""
        following = asyncio.create_task(self._follow(ws))
        delivered = False
        try:
            async for message in ws:
                found = stream_quote(message.data) if isinstance(message.data, bytes) else None
                if found is not None and found[0] in self._wanted:
                    self._handler.on_quote(*found)
                    delivered = True
            _log.warning("The quotes of %d symbols are lost", len(self._wanted))
        finally:
            following.cancel()
            self._handler.on_quotes_lost(sorted(self._wanted))
            await ws.close()
        return delivered

    async def _follow(self, ws: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Keep the subscriptions of a connection as they are wanted."""
        outgoing = SlidingLimit(*OUTGOING_MESSAGES)
        subscribed: set[str] = set()
        with suppress(aiohttp.ClientError, OSError):  # a lost connection shows in `_converse`
            while True:
                self._changed.clear()
                for method, symbols in (
                    ("UNSUBSCRIBE", subscribed - self._wanted),
                    ("SUBSCRIBE", self._wanted - subscribed),
                ):
                    for chunk in _chunks(sorted(symbols)):
                        await outgoing.wait()
                        await ws.send_str(self._request(method, chunk))
                    subscribed ^= symbols
                await self._changed.wait()

    def _request(self, method: str, symbols: list[str]) -> str:
        self._last_id += 1
        streams = [f"{symbol.lower()}@bookTicker" for symbol in symbols]
        return msgspec.json.encode(
            {"method": method, "params": streams, "id": self._last_id}
        ).decode()


def _chunks(symbols: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(symbols), STREAMS_PER_REQUEST):
        yield symbols[start : start + STREAMS_PER_REQUEST]
