"""Candles by plain arithmetic from what the exchange has made, for each prefix of its ids.

Nothing of the product is used but the shape of a trade. A candle that is called complete has to
be that of all trades up to some id: a running one up to any, a closed one up to an id that holds
all trades that were made before its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from tests.world.market import Market

MINUTE_MS = 60_000
TIMEFRAMES = (1, 2, 7, 173)
"""Those that clients of the world ask for, in minutes."""


class Wrong(AssertionError):
    """Something that was said or stored is not true."""


class Shown(NamedTuple):
    """A candle as a client gets it."""

    candle_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades_count: int
    taker_buy_volume: Decimal
    taker_sell_volume: Decimal


def _e8(value: int) -> Decimal:
    return Decimal(value).scaleb(-8)


class _Figures(NamedTuple):
    """A bucket after one of its trades, in units of 1e-8."""

    aggregate_id: int
    made_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    raw_trades: int
    bought: int

    def shown(self, start: int) -> Shown:
        """As a client gets it."""
        return Shown(
            start, _e8(self.open), _e8(self.high), _e8(self.low), _e8(self.close),
            _e8(self.volume), self.raw_trades, _e8(self.bought), _e8(self.volume - self.bought),
        )  # fmt: skip


class _Timeframe:
    """All buckets of one timeframe, as far as trades have been made."""

    def __init__(
        self, market: Market, minutes: int, without: Callable[[int], bool] = lambda _: False
    ) -> None:
        self.width = minutes * MINUTE_MS
        self.buckets: dict[int, list[_Figures]] = {}
        self.starts: list[int] = []
        """Of the buckets with trades, ascending."""
        self._market = market
        self._without = without
        self._folded = 0
        self.fold()

    def fold(self) -> None:
        """Take in the trades that were made since."""
        made = self._market.made
        for item in made[self._folded :]:
            trade = item.trade
            if (
                item.is_absent
                or trade.first_trade_id < 0
                or (item.was_absent and self._without(trade.aggregate_id))
            ):
                continue
            start = trade.timestamp // self.width * self.width
            figures = self.buckets.get(start)
            price, quantity = trade.price, trade.quantity
            raw = trade.last_trade_id - trade.first_trade_id + 1
            bought = 0 if trade.is_buyer_maker else quantity
            here = trade.aggregate_id, item.made_ms
            if figures is None:
                self.buckets[start] = [
                    _Figures(*here, price, price, price, price, quantity, raw, bought)
                ]
                self.starts.insert(bisect_right(self.starts, start), start)
                continue
            last = figures[-1]
            figures.append(
                _Figures(
                    *here, last.open, max(last.high, price), min(last.low, price), price,
                    last.volume + quantity, last.raw_trades + raw, last.bought + bought,
                )
            )  # fmt: skip
        self._folded = len(made)


class Truth:
    """The candles of one market at any timeframe."""

    def __init__(
        self, market: Market, is_unknown: Callable[[int], bool], now_ms: Callable[[], int]
    ) -> None:
        """`is_unknown` says whether the provider may not know of a trade that has turned up;
        `now_ms` is the exchange's true time."""
        self._market = market
        self._now_ms = now_ms
        self._is_unknown = is_unknown
        self._timeframes: dict[int, _Timeframe] = {}
        self._before: list[dict[int, _Timeframe]] = []
        """As they were when absent trades turned up, the latest first."""
        market.before_turn_up.append(self._keep)

    def check(self, minutes: int, candle: Shown, *, closed_by_ms: int | None) -> int:
        """The newest id of the trades that a candle is made of; -1 for a quiet one.

        `closed_by_ms` is None for a candle that may be running; else that time has to be over, and
        every trade that was made before it has to be in it. Raises Wrong.
        """
        reason = ""
        if closed_by_ms is not None and self._now_ms() < closed_by_ms:
            raise Wrong(f"{self._market.symbol} {minutes}m is called closed too early: {candle}")
        for timeframe in self._versions(minutes):
            found = self._match(timeframe, candle, closed_by_ms)
            if isinstance(found, int):
                return found
            reason = reason or found
        raise Wrong(f"{self._market.symbol} {minutes}m {reason}: {candle}")

    def candles(self, minutes: int, since_ms: int, until_ms: int) -> Iterator[Shown]:
        """All candles that begin in [since, until), quiet ones flat."""
        timeframe = self._now(minutes)
        close: Decimal | None = None
        starts = timeframe.starts
        before = bisect_right(starts, since_ms - 1)
        if before:
            close = timeframe.buckets[starts[before - 1]][-1].shown(0).close
        for start in range(since_ms, until_ms, timeframe.width):
            figures = timeframe.buckets.get(start)
            if figures is not None:
                shown = figures[-1].shown(start)
                close = shown.close
                yield shown
            elif close is not None:
                yield _flat(start, close)

    def _keep(self) -> None:
        """Absent trades turn up: remember all candles as they are now."""
        self._before.insert(0, {minutes: self._now(minutes) for minutes in TIMEFRAMES})
        self._timeframes.clear()

    def _now(self, minutes: int) -> _Timeframe:
        timeframe = self._timeframes.get(minutes)
        if timeframe is None:
            timeframe = self._timeframes[minutes] = _Timeframe(self._market, minutes)
        timeframe.fold()
        return timeframe

    def _versions(self, minutes: int) -> Iterator[_Timeframe]:
        """The candles as they are, and as they were without those trades of which the provider
        cannot know yet that they have turned up."""
        yield self._now(minutes)
        for before in self._before:
            yield before[minutes]
        if self._before:
            yield _Timeframe(self._market, minutes, self._is_unknown)

    def _match(self, timeframe: _Timeframe, candle: Shown, closed_by_ms: int | None) -> int | str:
        start, width = candle.candle_time, timeframe.width
        if start % width:
            return "opens off the grid"
        figures = timeframe.buckets.get(start, [])
        if not candle.trades_count:
            first = figures[0] if figures else None
            if closed_by_ms is not None and first is not None and first.made_ms < closed_by_ms:
                return f"is called closed without its trade {first.aggregate_id}"
            return self._match_flat(timeframe, candle)
        at = bisect_right(figures, candle.trades_count, key=lambda each: each.raw_trades) - 1
        if at < 0 or figures[at].shown(start) != candle:
            expected = figures[at].shown(start) if at >= 0 else "nothing"
            return f"is of no prefix of its trades, the nearest is {expected}"
        following = figures[at + 1] if at + 1 < len(figures) else None
        if closed_by_ms is not None and following and following.made_ms < closed_by_ms:
            return f"is called closed without its trade {following.aggregate_id}"
        return figures[at].aggregate_id

    def _match_flat(self, timeframe: _Timeframe, candle: Shown) -> int | str:
        """A quiet candle lies at the close of the last bucket with trades, which is over."""
        start, width = candle.candle_time, timeframe.width
        if candle != _flat(start, candle.close):
            return "has no trades and is not flat"
        before = bisect_right(timeframe.starts, start - 1)
        for bucket in reversed(timeframe.starts[:before]):
            figures = timeframe.buckets[bucket]
            closes = (
                at
                for at, each in enumerate(figures)
                if _e8(each.close) == candle.close
                and (at + 1 == len(figures) or figures[at + 1].made_ms >= bucket + width - SKEW_MS)
            )
            if next(closes, None) is not None:
                return -1
            if figures[0].made_ms < bucket + width:
                break
        return "has no trades and is not at the close before it"


SKEW_MS = 3_100
"""How far the provider's clock may be ahead of the exchange's own: a step of 2 s that is followed
alone, and the second by which trades may push it."""


def _flat(start: int, close: Decimal) -> Shown:
    zero = Decimal(0)
    return Shown(start, close, close, close, close, zero, 0, zero, zero)
