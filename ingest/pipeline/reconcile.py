"""Our candles beside the exchange's own klines: every difference, and what it likely comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import NamedTuple

from ingest.binance.kline import Kline
from ingest.binance.page import MAX_ROWS
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import Priority
from ingest.core.candle import Candle, merged, of_trade
from ingest.core.continuity import Gap
from ingest.core.errors import NotReady
from ingest.core.fixed import DECIMALS, ONE, text
from ingest.core.timeframe import bucket_start, width_ms
from ingest.core.trade import Trade
from ingest.storage import AsyncStore

INTERVALS = {
    1: "1m", 3: "3m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 120: "2h", 240: "4h",
    360: "6h", 480: "8h", 720: "12h", 1440: "1d",
}  # fmt: skip
"""The exchange's names of timeframes in minutes, as far as they begin where ours do."""

CLOSE_DELAY_MS = 2000
MAX_REFETCHED = 20
"""Candles whose trades are asked for again to find out which side is wrong."""
MAX_REFETCHED_PAGES = 5
MAX_GAPS = 10_000

FIELDS = (
    "open", "high", "low", "close", "volume", "quote_volume", "trades_count",
    "taker_buy_volume", "taker_buy_quote_volume",
)  # fmt: skip
_QUOTES = ("quote_volume", "taker_buy_quote_volume")


class Cause(Enum):
    """The likely cause of a difference, in words."""

    TRUNCATION = "the exchange cuts the quote volume of each raw trade to 8 decimals"
    TOMBSTONES = "invalid duplicates lie in it: we leave them out"
    GAP = "trades are missing here: run `candlecast backfill`"
    CONFIRMED_GAP = "the exchange itself does not have these trades any more"
    EDGE = "our trades begin within it"
    STORED_OTHERWISE = "stored otherwise than our trades say: run `candlecast audit --repair`"
    OTHER_TRADES = "the exchange gives other trades now than those that are stored"
    UNREADABLE = "what the exchange gives now has trades that cannot be read"
    OTHER_KLINE = "the exchange's kline is not what its own trades come to"
    NO_KLINE = "the exchange has no kline here"
    OFF_GRID = "the exchange's kline opens off the grid of its timeframe"
    UNKNOWN = "not found out"


class KlineDifference(NamedTuple):
    """One figure that is not the same on both sides, both as plain decimals; None: no candle."""

    candle_time: int
    field: str
    ours: str | None
    theirs: str | None
    cause: Cause
    detail: str


@dataclass
class Tally:
    """The extent of a comparison."""

    candles: int = 0
    quiet: int = 0
    """Those among them that one side alone draws, and in which neither has a trade."""
    from_ms: int = 0
    until_ms: int = 0
    """The span that both sides have, the end excluded."""


class _Hole(NamedTuple):
    """Missing ids, and the times in ms between which their trades were."""

    ids: Gap
    since: int
    until: int
    cause: Cause


class _First(NamedTuple):
    """The oldest trade that is stored."""

    aggregate_id: int
    time_ms: int


class Reconciliation:
    """Compares one symbol at one of the exchange's own timeframes."""

    def __init__(self, store: AsyncStore, rest: BinanceRest, symbol: str, timeframe: int) -> None:
        self.tally = Tally()
        self._store = store
        self._rest = rest
        self._symbol = symbol
        self._timeframe = timeframe
        self._width = width_ms(timeframe)
        self._refetched = 0
        self._holes: list[_Hole] = []
        self._first = _First(0, 0)

    async def pages(self, from_ms: int, until_ms: int) -> AsyncIterator[list[KlineDifference]]:
        """Name the differences of all candles that begin in [from, until) and have closed, of one
        page of them after another; the tally says how far they reach.

        Raises NotReady when the store has nothing of that span, ExchangeError, StoreUnavailable.
        """
        start, end = await self._span(from_ms, until_ms)
        self.tally = Tally(from_ms=start, until_ms=start)
        while start < end:
            page_end = min(end, start + MAX_ROWS * self._width)
            klines = await self._klines(start, page_end)
            if klines:  # an answer may be shorter than what was asked for
                page_end = max(klines) + self._width
            count = (page_end - start) // self._width
            candles = await self._store.candles.read(self._symbol, self._timeframe, page_end, count)
            ours = {candle.candle_time: candle for candle in candles}
            found: list[KlineDifference] = []
            for time_ms in range(start, page_end, self._width):
                self.tally.candles += 1
                candle, theirs = ours.get(time_ms), klines.get(time_ms, [])
                differences = [each async for each in self._compared(time_ms, candle, theirs)]
                if any(each.cause is not Cause.TRUNCATION for each in differences):
                    candle = await self._ours(time_ms)  # beside a server it may just have changed
                    if candle != ours.get(time_ms):
                        differences = [x async for x in self._compared(time_ms, candle, theirs)]
                found += differences
            start = self.tally.until_ms = page_end
            yield found

    async def _ours(self, time_ms: int) -> Candle | None:
        """Our candle of a time."""
        end = time_ms + self._width
        candles = await self._store.candles.read(self._symbol, self._timeframe, end, 1)
        return next((candle for candle in candles if candle.candle_time == time_ms), None)

    async def _klines(self, start: int, end: int) -> dict[int, list[Kline]]:
        """The exchange's klines that open in [start, end), by the candle of ours that they are in.

        Usually one each, which opens with it.
        """
        klines: dict[int, list[Kline]] = {}
        while start < end:
            found = await self._rest.klines(
                self._symbol, INTERVALS[self._timeframe], start_time=start, end_time=end - 1
            )
            inside = [kline for kline in found if start <= kline.open_time < end]
            for kline in inside:
                klines.setdefault(bucket_start(kline.open_time, self._timeframe), []).append(kline)
            if not inside:
                break
            # The answer may be shorter than what was asked for, and end within a candle.
            start = inside[-1].open_time + 1
            end = max(klines) + self._width
        return klines

    async def _span(self, from_ms: int, until_ms: int) -> tuple[int, int]:
        """The part of a span that is closed and in the store, in whole candles; finds holes too."""
        store, symbol = self._store, self._symbol
        held = await store.trades.id_range(symbol)
        last_minute = await store.candles.watermark(symbol)
        if held is None or last_minute is None:
            raise NotReady(f"The store has no candles of {symbol}: run `candlecast backfill` first")
        first_ms = await self._time(held.first)
        closed = await self._rest.server_time() - CLOSE_DELAY_MS
        start = max(
            -(-from_ms // self._width) * self._width, bucket_start(first_ms, self._timeframe)
        )
        end = bucket_start(min(until_ms, closed, last_minute + width_ms(1)), self._timeframe)
        if start >= end:
            raise NotReady(
                f"The store has no closed candle of {symbol} in this span: its candles are from "
                f"{first_ms} to {last_minute} (ms); fetch others by `candlecast backfill`"
            )
        self._first = _First(held.first, first_ms)
        confirmed = (await store.gaps.confirmed()).get(symbol, [])
        for hole in held.holes[:MAX_GAPS]:
            is_known = any(
                gap.from_id <= hole.from_id and hole.to_id <= gap.to_id for gap in confirmed
            )
            cause = Cause.CONFIRMED_GAP if is_known else Cause.GAP
            since, until = await self._time(hole.from_id - 1), await self._time(hole.to_id + 1)
            self._holes.append(_Hole(hole, since, until, cause))
        return start, end

    async def _time(self, stored_id: int) -> int:
        time_ms = await self._store.trades.time_of(self._symbol, stored_id)
        assert time_ms is not None  # noqa: S101  # it is stored
        return time_ms

    async def _compared(
        self, time_ms: int, ours: Candle | None, klines: list[Kline]
    ) -> AsyncIterator[KlineDifference]:
        theirs = None
        for kline in klines:
            if kline.open_time == time_ms:
                theirs = kline
            else:
                yield KlineDifference(
                    time_ms, "open_time", str(time_ms), str(kline.open_time), Cause.OFF_GRID, ""
                )
        if ours is None or theirs is None:
            if not (ours and ours.trades_count) and not (theirs and theirs.trades_count):
                self.tally.quiet += (ours is None) != (theirs is None)
            elif ours is None:
                cause, detail = await self._cause(time_ms, None)
                yield KlineDifference(time_ms, "candle", None, "there", cause, detail)
            elif not klines:
                yield KlineDifference(time_ms, "candle", "there", None, Cause.NO_KLINE, "")
            return
        fields = [field for field in FIELDS if _ours(ours, field) != _theirs(theirs, field)]
        if not fields:
            return
        cause, detail = Cause.TRUNCATION, ""
        if not all(_is_truncation(ours, theirs, field) for field in fields):
            cause, detail = await self._cause(time_ms, ours)
        for field in fields:
            yield KlineDifference(
                time_ms, field, _text(_ours(ours, field), field),
                _text(_theirs(theirs, field), field), cause, detail,
            )  # fmt: skip

    async def _cause(self, time_ms: int, ours: Candle | None) -> tuple[Cause, str]:
        """Why a candle is not the exchange's; `ours` is None where there is none."""
        store, symbol, end = self._store, self._symbol, time_ms + self._width
        folded = await store.trades.folded(symbol, time_ms, end)
        if folded is not None and folded != ours:
            return Cause.STORED_OTHERWISE, ""
        holes = [hole for hole in self._holes if hole.since < end and hole.until >= time_ms]
        if holes:
            return holes[0].cause, ", ".join(
                f"ids {hole.ids.from_id}-{hole.ids.to_id}" for hole in holes[:5]
            )
        if await self._begins_within(time_ms):
            return Cause.EDGE, ""
        if tombstones := await store.trades.tombstones(symbol, time_ms, end):
            return Cause.TOMBSTONES, f"{tombstones} of them"
        if self._refetched < MAX_REFETCHED:
            self._refetched += 1
            fetched = await self._refetch(time_ms, end)
            if isinstance(fetched, Cause):
                return fetched, ""
            return Cause.OTHER_KLINE if fetched == folded else Cause.OTHER_TRADES, ""
        return Cause.UNKNOWN, ""

    async def _begins_within(self, time_ms: int) -> bool:
        """Whether the exchange has trades of this candle from before the oldest stored one."""
        if bucket_start(self._first.time_ms, self._timeframe) != time_ms:
            return False
        first = await self._rest.first_at(self._symbol, time_ms, priority=Priority.HISTORY)
        return first is not None and first.aggregate_id < self._first.aggregate_id

    async def _refetch(self, start_ms: int, end_ms: int) -> Candle | Cause | None:
        """The candle of the exchange's own trades now, or why there is none.

        None where the exchange has no trade.
        """
        trades: list[Trade] = []
        ask = partial(self._rest.agg_trades, self._symbol, priority=Priority.HISTORY)
        page = await ask(start_time=start_ms, end_time=end_ms - 1)
        for _ in range(MAX_REFETCHED_PAGES):
            if page.malformed:
                return Cause.UNREADABLE
            trades += page.trades
            # A page may be shorter than what was asked for: only the next one shows its end.
            if not page.trades or page.trades[-1].timestamp >= end_ms:
                inside = (t for t in trades if start_ms <= t.timestamp < end_ms)
                parts = (of_trade(t, start_ms) for t in inside if not t.is_tombstone)
                return merged(parts, start_ms)
            page = await ask(from_id=page.trades[-1].aggregate_id + 1)
        return Cause.UNKNOWN


def _ours(candle: Candle, field: str) -> int:
    return int(getattr(candle, field))


def _theirs(kline: Kline, field: str) -> int:
    """A figure of the exchange in the units of ours."""
    return int(getattr(kline, field)) * (ONE if field in _QUOTES else 1)


def _is_truncation(ours: Candle, theirs: Kline, field: str) -> bool:
    """Whether each raw trade may have lost less than 1e-8 of its quote volume."""
    lost = _ours(ours, field) - _theirs(theirs, field)
    return field in _QUOTES and 0 <= lost < max(ours.trades_count, 1) * ONE


def _text(value: int, field: str) -> str:
    if field == "trades_count":
        return str(value)
    return text(value, 2 * DECIMALS if field in _QUOTES else DECIMALS)
