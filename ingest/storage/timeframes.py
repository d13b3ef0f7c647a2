# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The timeframes whose candles are kept: those in use, each with an SQL view, and the levels.

The candles of one minute are the minutes themselves; those of other timeframes are in `candles`.
Levels are kept of every symbol: wide buckets are read from them, and new timeframes filled.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ..core.symbol import is_symbol
from ..core.timeframe import bucket_start
from . import fold
from .buckets import Buckets, Origin, Pair
from .connection import Connection
from .progress import Progress
from .recompute import MINUTES
from .retention import Retention

LEVELS = (5, 30, 1440)
"""Timeframes that are kept of every symbol, ascending: each is made of the one before it. A
bucket of days reads as many rows as it has days, not 1,440 times as many."""

_VIEWS = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"


@dataclass(frozen=True, slots=True)
class View:
    """One materialized timeframe of a symbol and what it holds."""

    name: str
    timeframe_minutes: int
    total_rows: int
    total_bytes: int


class Timeframes:
    """The tables `timeframes` and `levels`, and one SQL view for each pair in use."""

    def __init__(
        self,
        connection: Connection,
        buckets: Buckets,
        progress: Progress,
        retention: Retention,
    ) -> None:
        self._connection = connection
        self._buckets = buckets
        self._progress = progress
        self._retention = retention
        self.unchanged = threading.Lock()
        """Held while pairs come and go, and while buckets are written for all of them."""
        states = self._states()
        self._ready = frozenset(pair for pair, state in states.items() if state == "ready")
        self._levels = self._noted_levels()
        self._filling: frozenset[Pair] = frozenset()
        """Those that are being written for the first time, or again after an attempt that failed:
        it may be noted all the same, and then a restart takes them for written."""
        self._arrange()
        dropped = {pair for pair, state in states.items() if state == "dropped"}
        self._dropped = buckets.with_rows(dropped - self._levels)
        views = self._view_names()
        for symbol, timeframe in self._ready:
            if view_name(symbol, timeframe) not in views:  # a full disk did not take it
                self._create_view(symbol, timeframe)
        for (symbol, timeframe), state in states.items():
            if state == "filling":  # it was cut short
                self.materialize(symbol, timeframe)

    @property
    def pairs(self) -> frozenset[Pair]:
        """The (symbol, timeframe) pairs that are materialized."""
        return self._ready

    @property
    def dropped(self) -> frozenset[Pair]:
        """The pairs that are materialized no longer, but still have rows."""
        return self._dropped

    def written(self, symbol: str) -> Sequence[int]:
        """The timeframes of a symbol whose ended buckets are in `candles`, ascending."""
        return self._written.get(symbol, ())

    def kept(self, symbol: str) -> Sequence[int]:
        """The timeframes whose buckets are written when they end: those, and those being filled."""
        return self._kept.get(symbol, ())

    def origin(self, symbol: str, timeframe: int) -> Origin:
        """Where the buckets of a pair are read from: the widest rows that they are made of."""
        divisors = (tf for tf in reversed(self.written(symbol)) if timeframe % tf == 0)
        widest = next(divisors, MINUTES)
        until = 0 if widest == MINUTES else self._progress.closed_ms(symbol)
        return Origin(widest, bucket_start(until, widest))

    def materialize(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair from now on, and write those of all stored minutes.

        To do it again changes nothing. The rows of a dropped pair have to be deleted before.
        Raises StoreUnavailable on a full disk, half done.
        """
        with self.unchanged:
            if (symbol, timeframe) in self._ready:
                return
            self._arrange(filling={(symbol, timeframe)})
            with self._connection.on_disk():
                self._set_state(symbol, timeframe, "filling")
                if timeframe != MINUTES and timeframe not in self.written(symbol):
                    self._fill(symbol, timeframe)
                self._create_view(symbol, timeframe)
                self._set_state(symbol, timeframe, "ready")
            self._ready |= {(symbol, timeframe)}
            self._arrange(filled={(symbol, timeframe)})

    def drop(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair no longer; its rows stay until `delete_dropped`."""
        pair = symbol, timeframe
        with self.unchanged:
            self._set_state(symbol, timeframe, "dropped")
            self._ready -= {pair}
            self._arrange()
            if pair not in self._levels:
                self._dropped |= {pair}
            self._drop_view(symbol, timeframe)

    def delete_dropped(self, pairs: Collection[Pair]) -> None:
        """Delete the rows of dropped pairs; no read of them may be under way."""
        pairs = self._dropped.intersection(pairs)
        if not pairs:
            return
        self._buckets.delete(pairs)
        with self.unchanged:
            self._dropped -= pairs

    def add_levels(self, limit: int) -> None:
        """Write the levels of up to so many symbols that lack them, and keep them from now on."""
        for symbol in self._without_levels()[:limit]:
            for level in LEVELS:
                self._add_level(symbol, level)

    def views(self, symbol: str) -> list[View]:
        """The materialized timeframes of a symbol with their true sizes: buckets that have a row,
        and the bytes of those rows as the engine holds them in memory."""
        return [View(view_name(symbol, size[0]), *size) for size in self._sizes(symbol)]

    def _sizes(self, symbol: str) -> Sequence[tuple[int, int, int]]:
        """The materialized timeframes of a symbol, and the rows and bytes of each."""
        rows = self._connection.rows(
            "SELECT t.timeframe, c.total_rows, c.total_bytes FROM ("
            " SELECT timeframe FROM timeframes FINAL"
            " WHERE symbol = {symbol:String} AND state = 'ready'"
            ") AS t LEFT JOIN ("
            " SELECT timeframe, count() AS total_rows, sum(byteSize(*)) AS total_bytes"
            " FROM candles FINAL WHERE symbol = {symbol:String} GROUP BY timeframe"
            f" UNION ALL SELECT {MINUTES}, count(), sum(byteSize(*))"
            " FROM minutes FINAL WHERE symbol = {symbol:String}"
            ") AS c USING timeframe ORDER BY timeframe",
            {"symbol": symbol},
        )
        return cast("Sequence[tuple[int, int, int]]", rows)

    def _states(self) -> dict[Pair, str]:
        """The state of each pair that is or was in use."""
        rows = self._connection.rows("SELECT symbol, timeframe, state FROM timeframes FINAL")
        return {(symbol, timeframe): state for symbol, timeframe, state in rows}

    def _view_names(self) -> frozenset[str]:
        """The names of all views."""
        return frozenset(name for (name,) in self._connection.rows(_VIEWS))

    def _create_view(self, symbol: str, timeframe: int) -> None:
        """Let SQL select the candles of a pair by a name."""
        name, on_cluster = view_name(symbol, timeframe), self._connection.layout.on_cluster
        source = "candles FINAL WHERE symbol = %(symbol)s AND timeframe = %(timeframe)s"
        if timeframe == MINUTES:
            source = "minutes FINAL WHERE symbol = %(symbol)s"
        # A view keeps no bound parameters: the client quotes these two itself.
        self._connection.define(
            name,
            f"CREATE OR REPLACE VIEW `{name}`{on_cluster} AS "
            f"SELECT candle_time, {fold.FIGURES} FROM {source}",
            {"symbol": symbol, "timeframe": timeframe},
        )

    def _drop_view(self, symbol: str, timeframe: int) -> None:
        """Let the name of a pair stand for nothing."""
        name, on_cluster = view_name(symbol, timeframe), self._connection.layout.on_cluster
        self._connection.command(f"DROP VIEW IF EXISTS `{name}`{on_cluster}")

    def _fill(self, symbol: str, timeframe: int) -> None:
        """Write all ended buckets of a pair."""
        start = self._retention.first_candle(symbol, timeframe)
        end = bucket_start(self._progress.closed_ms(symbol), timeframe)
        if start < end:
            self._buckets.fill(symbol, timeframe, start, end, self.origin(symbol, timeframe))

    def _add_level(self, symbol: str, level: int) -> None:
        """Write all ended buckets of a level, note it, and keep it from now on."""
        pair = symbol, level
        with self.unchanged:
            if pair in self._levels or pair in self._dropped:
                return
            is_kept = pair in self._filling
            self._arrange(filling={pair})
            with self._connection.on_disk():
                if pair not in self._ready:
                    # What an earlier process has left of it was not kept up to date.
                    if not is_kept and self._buckets.with_rows({pair}):
                        self._buckets.delete({pair})
                    self._fill(symbol, level)
                self._note_level(symbol, level)
            self._levels |= {pair}
            self._arrange(filled={pair})

    def _without_levels(self) -> list[str]:
        """The stored symbols that lack a level. What is dropped is deleted before."""
        kept = self._levels | self._dropped
        return [
            symbol
            for symbol in self._progress.symbols()
            if any((symbol, level) not in kept for level in LEVELS)
        ]

    def _arrange(self, filling: Collection[Pair] = (), filled: Collection[Pair] = ()) -> None:
        """Arrange by symbol what is written and kept, after a change of either."""
        self._filling = self._filling.union(filling) - frozenset(filled)
        written = self._ready | self._levels
        self._written, self._kept = _by_symbol(written), _by_symbol(written | self._filling)

    def _noted_levels(self) -> frozenset[Pair]:
        """The levels that are noted as written."""
        rows = self._connection.rows("SELECT symbol, timeframe FROM levels FINAL")
        return frozenset((row[0], row[1]) for row in rows)

    def _note_level(self, symbol: str, level: int) -> None:
        """Note a level as written."""
        self._connection.command(
            "INSERT INTO levels SELECT {symbol:String}, {level:UInt32}",
            {"symbol": symbol, "level": level},
        )

    def _set_state(self, symbol: str, timeframe: int, state: str) -> None:
        """Note the state of a pair."""
        self._connection.command(
            "INSERT INTO timeframes SELECT {symbol:String}, {timeframe:UInt32}, {state:String}",
            {"symbol": symbol, "timeframe": timeframe, "state": state},
        )


def _by_symbol(pairs: Iterable[Pair]) -> Mapping[str, Sequence[int]]:
    """The timeframes of each symbol, ascending; minutes are no candles."""
    found: dict[str, list[int]] = defaultdict(list)
    for symbol, timeframe in sorted(pairs):
        if timeframe != MINUTES:
            found[symbol].append(timeframe)
    return dict(found)


def drop_views(connection: Connection) -> None:
    """Drop the views of all pairs, which are made anew when the store is opened."""
    for (name,) in connection.rows(_VIEWS):
        connection.command(f"DROP VIEW IF EXISTS `{name}`{connection.layout.on_cluster}")


def view_name(symbol: str, timeframe: int) -> str:
    """The name by which SQL can select a materialized timeframe."""
    if not is_symbol(symbol):
        raise ValueError(f"{symbol[:50]!r} is no symbol that can name a view")
    return f"ohlcv_{int(timeframe)}_{symbol.lower()}_mv"
