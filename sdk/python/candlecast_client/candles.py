"""The sequence of candles that a user reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import NamedTuple

from .errors import ReaderTooSlow
from .generated.models import DataStatus, InitialHistory, OhlcvUpdate
from .sequence import CandleSequence, Picture

MAX_UNREAD = 10_000
"""Pictures that may wait to be read; a running candle counts once."""


class Pair(NamedTuple):
    """One symbol at one timeframe of so many minutes."""

    symbol: str
    timeframe: int


class Candles(AsyncIterator[Picture]):
    """Pictures of the candles of one symbol at one timeframe, history and stream as one.

    Read it with `async for`. `aclose`, or leaving it as a context manager, unsubscribes.
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
        """How far the data can be relied upon, as the server last said; None before it did."""
        self._last_candle = asyncio.get_running_loop().time()
        self._sequence = CandleSequence(pair.symbol, pair.timeframe, history)
        self._unread: deque[Picture] = deque()
        self._ready = asyncio.Event()
        self._error: Exception | None = None
        self._closed = False
        self._on_status = on_status
        self._on_close = on_close

    @property
    def awaited(self) -> int:
        """How many candles of history are to be asked for; 0 when there is no need."""
        return self._sequence.awaited

    def resume(self, now: float) -> int:
        """A new connection is there, at a time on the loop's clock: how much history to ask for."""
        return self._sequence.resume(int((now - self._last_candle) * 1000))

    def on_history(self, message: InitialHistory) -> None:
        """Take in history."""
        self._hear(message.data_status)
        if message.data_status.data_quality == "complete":
            self._offer(self._sequence.on_history(message.candles, message.requested_candles))

    def on_update(self, message: OhlcvUpdate) -> None:
        """Take in a live picture."""
        self._hear(message.data_status)
        if message.data is not None:
            self._offer(self._sequence.on_update(message.data))

    def fail(self, error: Exception) -> None:
        """End with an error, which the reader gets after what is unread."""
        self._error = error
        self._end()

    async def __anext__(self) -> Picture:
        while not self._unread:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._unread.popleft()

    async def aclose(self) -> None:
        """Unsubscribe. What is unread can still be read."""
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

    def _hear(self, status: DataStatus) -> None:
        if status != self.status:
            self.status = status
            if self._on_status is not None:
                self._on_status(status)

    def _offer(self, pictures: list[Picture]) -> None:
        self._last_candle = asyncio.get_running_loop().time()
        for picture in pictures:
            if self._unread and self._replaces(picture, self._unread[-1]):
                self._unread.pop()
            self._unread.append(picture)
        if len(self._unread) > MAX_UNREAD:
            self.fail(ReaderTooSlow(f"{MAX_UNREAD} pictures of {self.pair.symbol} are unread"))
        self._ready.set()

    @staticmethod
    def _replaces(new: Picture, old: Picture) -> bool:
        """Whether a reader that has not seen the old picture need not see it any more."""
        same = new.candle.candle_time == old.candle.candle_time
        return same and old.state == "running" and new.state != "corrected"

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._ready.set()
            self._on_close(self)
