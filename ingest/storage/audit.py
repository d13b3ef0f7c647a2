"""Holds what is stored against the trades: their ids, the minutes, and the kept timeframes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.candle import Candle
from ..core.continuity import Continuity
from ..core.fixed import text
from ..core.keep import DAY_MS
from ..core.timeframe import MINUTE_MS, label, width_ms
from .candles import Candles
from .comparison import Bounds, Comparison, SeveralTimes
from .connection import Connection, Row
from .gaps import Gaps
from .moved import Moved
from .progress import Progress
from .recompute import MINUTES, Span
from .retention import Retention
from .trades import IdRange, Trades

SYMBOLS_AT_ONCE = 10
TIMEFRAMES_AT_ONCE = 20
KEYS_AT_ONCE = 500
"""Bounds on one statement: its memory grows with the candles that it compares."""

_FIELDS = Candle.__struct_fields__[1:]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is stored otherwise than the trades say, or an id that is missing."""

    symbol: str
    """Of a part, the table."""
    what: str
    """"part", "ids", or the timeframe of a candle such as "173m"."""
    where: int | str
    """The part's name, the first missing id, or the candle's time in milliseconds."""
    text: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.what} {self.where}: {self.text}"


_E8 = {"open", "high", "low", "close", "volume", "taker_buy_volume"}
_QUOTES = {"quote_volume", "taker_buy_quote_volume"}

NEIGHBOURS = (100, 10_000, 1_000_000)
"""How many ids around trades are looked at for their time, until some have one time."""

Keys = Mapping[tuple[str, int], Sequence[int]]
"""The times of candles by symbol and timeframe."""


class Audit:
    """Compares in the engine; only what differs comes out of it."""

    def __init__(
        self,
        connection: Connection,
        trades: Trades,
        moved: Moved,
        candles: Candles,
        gaps: Gaps,
        progress: Progress,
        retention: Retention,
        comparison: Comparison,
    ) -> None:
        self._connection = connection
        self._trades = trades
        self._moved = moved
        self._candles = candles
        self._gaps = gaps
        self._progress = progress
        self._retention = retention
        self._comparison = comparison

    def run(self, symbols: Iterable[str] | None = None, *, repair: bool) -> Iterator[Difference]:
        """Name each difference of these symbols, or of all; mend what can be on the way.

        Candles that are not closed yet are left out. A missing trade cannot be mended here: the
        exchange has to be asked. Of several times of a trade that one stays that fits best
        between those of the trades around it.
        """
        parts = list(self.parts(repair=repair))
        yield from parts
        if parts and not repair:
            return  # there is no reading what they hold
        wanted = sorted(symbols) if symbols is not None else self.symbols()
        yield from self.ids(wanted)
        yield from self.times(wanted, repair=repair)
        wrong: set[str] = set()
        for keys in self.wrong_minutes(wanted):
            for difference in self.named(keys, of_trades=True):
                wrong.add(difference.symbol)
                yield difference
            if repair:
                self.mend(keys)
        if repair:
            wrong.clear()
        for symbol in wanted:
            of_trades = symbol in wrong
            for keys in self.wrong_candles(symbol, of_trades=of_trades):
                yield from self.named(keys, of_trades=of_trades)
                if repair:
                    self.mend(keys)

    # The steps of it, each a statement or a few --------------------------------------------------

    def symbols(self) -> list[str]:
        """The symbols of which anything is stored, in order."""
        return self._comparison.symbols()

    def parts(self, *, repair: bool) -> Iterator[Difference]:
        """The parts of tables that cannot be read; what they held is missing from then on."""
        parts = self._connection.unsound_parts()
        for table, name in parts:
            yield Difference(table, "part", name, "is not what its checksums say")
        if parts and repair:
            self._connection.set_aside(parts)
            newest = self._trades.newest_minutes()
            self._candles.recompute(self._candles.unsettled(newest))

    def ids(self, symbols: Sequence[str]) -> Iterator[Difference]:
        """The ids that are missing between those that are stored."""
        confirmed = self._gaps.confirmed()
        few = len(symbols) <= SYMBOLS_AT_ONCE
        ranges = map(self._trades.id_range, symbols) if few else self._ranges(symbols)
        for symbol, ids in zip(symbols, ranges, strict=True):
            if ids is None:
                continue
            continuity = Continuity(ids.first, ids.last, ids.holes)
            for known in confirmed.get(symbol, []):
                continuity.confirm(known.gap)
            for gap in continuity.gaps:
                words = f"{gap.missing} trades up to id {gap.to_id} are missing"
                yield Difference(symbol, "ids", gap.from_id, words)

    def _ranges(self, symbols: Sequence[str]) -> list[IdRange | None]:
        found = self._trades.id_ranges()
        return [found.get(symbol) for symbol in symbols]

    def times(self, symbols: Sequence[str], *, repair: bool) -> Iterator[Difference]:
        """The trades that are stored with several times."""
        while rows := self._comparison.several_times(symbols):
            wrong: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for symbol, run in _runs(rows):
                around = self._time_around(symbol, run[0][0], run[-1][0])
                for aggregate_id, times in run:
                    words = f"stored with several times: {', '.join(map(str, times))}"
                    yield Difference(symbol, "ids", aggregate_id, words)
                    right = min(times, key=lambda time: abs(time - around))
                    wrong[symbol] += [(aggregate_id, time) for time in times if time != right]
            if not repair:
                break
            self._moved.take_out(wrong)

    def _time_around(self, symbol: str, first_id: int, last_id: int) -> int:
        """The median time of the trades around that have one time each; 0 where there are none."""
        for reach in NEIGHBOURS:
            time = self._comparison.time_among(symbol, first_id - reach, last_id + reach)
            if time is not None:
                return time
        return 0

    # What differs --------------------------------------------------------------------------------

    def wrong_minutes(self, symbols: Sequence[str]) -> Iterator[Keys]:
        """Minutes that are not what their trades come to, month by month."""
        months = self._comparison.months()
        until = {symbol: self._minutes_until(symbol) for symbol in symbols}
        for month in months:
            for at in range(0, len(symbols), SYMBOLS_AT_ONCE):
                bounds = {
                    symbol: Bounds(self._retention.line(symbol).recompute_from_ms, until[symbol])
                    for symbol in symbols[at : at + SYMBOLS_AT_ONCE]
                }
                rows = self._comparison.wrong_minutes(month, bounds)
                yield from _in_parts((symbol, MINUTES, time) for symbol, time in rows)

    def _minutes_until(self, symbol: str) -> int:
        """The end of the last minute that has to be stored."""
        last = self._candles.watermark(symbol)
        return max(self._progress.closed_ms(symbol), 0 if last is None else last + MINUTE_MS)

    def wrong_candles(self, symbol: str, *, of_trades: bool) -> Iterator[Keys]:
        """Candles of all timeframes that are kept, and are not what their minutes come to."""
        line = self._retention.line(symbol)
        since = line.recompute_from_ms if of_trades else line.candles_since_ms
        bounds = Bounds(since, self._progress.closed_ms(symbol))
        timeframes = self._candles.written(symbol)
        for at in range(0, len(timeframes), TIMEFRAMES_AT_ONCE):
            some = timeframes[at : at + TIMEFRAMES_AT_ONCE]
            rows = self._comparison.wrong_candles(symbol, some, bounds, of_trades=of_trades)
            yield from _in_parts((symbol, timeframe, time) for timeframe, time in rows)

    # Naming and mending --------------------------------------------------------------------------

    def settled(self, keys: Keys) -> Keys:
        """Those of these candles that no work under way changes: their minutes are settled, their
        timeframe is kept, and they have not expired."""
        found: dict[tuple[str, int], Sequence[int]] = {}
        for (symbol, timeframe), times in keys.items():
            if timeframe != MINUTES and timeframe not in self._candles.written(symbol):
                continue
            width, line = width_ms(timeframe), self._retention.line(symbol)
            since_ms = line.recompute_from_ms if timeframe == MINUTES else line.candles_since_ms
            unsettled = [
                *self._candles.unsettled({symbol: max(times) + width}).get(symbol, ()),
                *self._candles.held(symbol).get(symbol, ()),
            ]
            kept = [
                time
                for time in times
                if time >= since_ms
                and not any(since < time + width and time < until for since, until in unsettled)
            ]
            if kept:
                found[symbol, timeframe] = kept
        return found

    def named(self, keys: Keys, *, of_trades: bool) -> Iterator[Difference]:
        """How these candles differ from what they are made of."""
        for (symbol, timeframe), times in keys.items():
            stored = self._comparison.stored(symbol, timeframe, times)
            expected = self._comparison.expected(symbol, timeframe, times, of_trades=of_trades)
            for time in times:
                if stored.get(time) == expected.get(time):
                    continue  # it does no longer
                for words in _compared(stored.get(time), expected.get(time)):
                    yield Difference(symbol, label(timeframe), time, words)

    def mend(self, keys: Keys) -> None:
        """Write these candles anew, with all that they are part of."""
        touched: dict[str, list[Span]] = defaultdict(list)
        for (symbol, timeframe), times in keys.items():
            self._candles.forget(symbol, timeframe, times)
            touched[symbol] += [(time, time + width_ms(timeframe)) for time in times]
        self._candles.recompute(touched)


def by_day(keys: Keys) -> Iterator[Keys]:
    """Candles in parts, each of one symbol and of one day: to write them anew is little work."""
    days: dict[tuple[str, int], dict[tuple[str, int], list[int]]] = defaultdict(dict)
    for (symbol, timeframe), times in keys.items():
        for time in times:
            part = days[symbol, time // DAY_MS]
            part.setdefault((symbol, timeframe), []).append(time)
    yield from days.values()


def _runs(
    rows: Iterable[SeveralTimes],
) -> Iterator[tuple[str, list[tuple[int, Sequence[int]]]]]:
    """Ids and their times in runs, each of one symbol and of neighbours."""
    run: list[tuple[int, Sequence[int]]] = []
    last = ("", 0)
    for symbol, aggregate_id, times in rows:
        if run and (symbol != last[0] or aggregate_id - last[1] > NEIGHBOURS[0]):
            yield last[0], run
            run = []
        run.append((aggregate_id, times))
        last = (symbol, aggregate_id)
    if run:
        yield last[0], run


def _in_parts(rows: Iterable[tuple[str, int, int]]) -> Iterator[Keys]:
    """The keys in parts of a bounded number, each sorted."""
    ordered = sorted(rows)
    for at in range(0, len(ordered), KEYS_AT_ONCE):
        part: dict[tuple[str, int], list[int]] = defaultdict(list)
        for symbol, timeframe, time in ordered[at : at + KEYS_AT_ONCE]:
            part[symbol, timeframe].append(time)
        yield part


def _compared(stored: Row | None, expected: Row | None) -> Iterator[str]:
    """How two rows of figures differ, in words."""
    if stored is None:
        yield "is missing"
    elif expected is None:
        yield "is stored, though there were no trades"
    else:
        for field, is_, should_be in zip(_FIELDS, stored, expected, strict=True):
            if is_ != should_be:
                yield f"{field} is {_plain(field, is_)}, not {_plain(field, should_be)}"


def _plain(field: str, value: int) -> str:
    if field in _QUOTES:
        return text(value, 16)
    return text(value) if field in _E8 else str(value)
