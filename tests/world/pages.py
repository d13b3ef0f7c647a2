"""Reads candles over REST and holds each to the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from generated.reply import JSON, Raw
from handlers.native.rest.candles import Candles
from ingest.core.errors import NotReady, StoreUnavailable
from tests.world.messages import read_page
from tests.world.process import Process
from tests.world.truth import MINUTE_MS, Truth, Wrong


class Pages:
    """Reads of one world."""

    def __init__(
        self, truths: Mapping[str, Truth], skew_ms: int, fail: Callable[[str], None]
    ) -> None:
        self._truths = truths
        self._skew_ms = skew_ms
        self._fail = fail

    async def check(
        self, process: Process, symbol: str, minutes: int, start: int | None, limit: int
    ) -> int | None:
        """Read a page; returns how many candles it has, None where they are not complete."""
        [candles] = [each for each in process.native.operations if isinstance(each, Candles)]
        try:
            reply = await candles.get_candles(
                symbol,
                timeframe=minutes,
                start_time=start,
                limit=limit,
                decimals="decimal128",
                media_type=JSON,
            )
        except (StoreUnavailable, NotReady):
            return None
        try:
            return self._check(reply, symbol, minutes)
        except Wrong as error:
            self._fail(f"REST: {error}")
            return None

    def _check(self, reply: Raw, symbol: str, minutes: int) -> int | None:
        assert isinstance(reply.body, bytes)
        page, width = read_page(reply.body), minutes * MINUTE_MS
        if not page.data_status.check():
            if page.data:
                raise Wrong(f"a page that is not complete has candles: {page}")
            return None
        for at, candle in enumerate(page.data):
            if candle.candle_time != page.data[0].candle_time + at * width:
                raise Wrong(f"a page leaves out a candle before {candle.candle_time}")
            end = candle.candle_time + width - self._skew_ms
            closed_by_ms = end if candle.closed or at + 1 < len(page.data) else None
            self._truths[symbol].check(minutes, candle.shown, closed_by_ms=closed_by_ms)
        return len(page.data)
