"""The sequence of candles that a user reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import NamedTuple

from .errors import ReaderTooSlow
from .generated.models import DataStatus, InitialHistory, OhlcvUpdate
from .sequence import CandleSequence, CandleUpdate

MAX_UNREAD = 10_000
"""Limit of unread updates; a running candle counts once."""


class Pair(NamedTuple):
    """A symbol and a timeframe in minutes."""

    symbol: str
    timeframe: int


class Candles(AsyncIterator[CandleUpdate]):
    """Updates of the candles of one symbol and timeframe: history, then the stream.

    Iterate over it with `async for`. `aclose`, or leaving it as a context manager, unsubscribes.
    """

    def __init__(
        self,
        pair: Pair,
        history: int,
        on_status: Callable[[DataStatus], None] | None,
        on_close: Callable[[Candles], None],
    ) -> None:
        self.pair = pair
        self.status: DataStatus | None = None
        """How complete the data is, as the server last reported; None before the first report."""
        self._last_candle = asyncio.get_running_loop().time()
        self._sequence = CandleSequence(pair.symbol, pair.timeframe, history)
        self._unread: deque[CandleUpdate] = deque()
        self._ready = asyncio.Event()
        self._error: Exception | None = None
        self._closed = False
        self._on_status = on_status
        self._on_close = on_close

    @property
    def awaited(self) -> int:
        """The number of candles of history to request; 0 when none are needed."""
        return self._sequence.awaited

    def resume(self, now: float) -> int:
        """Handle a connection made at loop time `now`; returns how many candles to request."""
        return self._sequence.resume(int((now - self._last_candle) * 1000))

    def on_history(self, message: InitialHistory) -> None:
        """Process a history message."""
        self._set_status(message.data_status)
        if message.data_status.data_quality == "complete":
            self._enqueue(self._sequence.on_history(message.candles, message.requested_candles))

    def on_update(self, message: OhlcvUpdate) -> None:
        """Process a live update."""
        self._set_status(message.data_status)
        if message.data is not None:
            self._enqueue(self._sequence.on_update(message.data))

    def fail(self, error: Exception) -> None:
        """End with an error, which the reader gets after the unread updates."""
        self._error = error
        self._end()

    async def __anext__(self) -> CandleUpdate:
        while not self._unread:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._unread.popleft()

    async def aclose(self) -> None:
        """Unsubscribe. Unread updates can still be read."""
        self._end()

    async def __aenter__(self) -> Candles:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _set_status(self, status: DataStatus) -> None:
        if status != self.status:
            self.status = status
            if self._on_status is not None:
                self._on_status(status)

    def _enqueue(self, updates: list[CandleUpdate]) -> None:
        self._last_candle = asyncio.get_running_loop().time()
        for update in updates:
            if self._unread and self._replaces(update, self._unread[-1]):
                self._unread.pop()
            self._unread.append(update)
        if len(self._unread) > MAX_UNREAD:
            self.fail(ReaderTooSlow(f"{MAX_UNREAD} updates of {self.pair.symbol} are unread"))
        self._ready.set()

    @staticmethod
    def _replaces(new: CandleUpdate, old: CandleUpdate) -> bool:
        """Whether a reader that has not seen the old update can skip it."""
        same = new.candle.candle_time == old.candle.candle_time
        return same and old.state == "running" and new.state != "corrected"

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._ready.set()
            self._on_close(self)
