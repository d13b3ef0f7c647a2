# ruff: noqa: S608  # statements are put together from constants of this package alone
"""The timeframes in use: each (symbol, timeframe) materialized, and a view by its name.

The candles of one minute are the minutes themselves; those of other timeframes are in `candles`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from ..core.symbol import is_symbol
from ..core.timeframe import bucket_start, width_ms
from . import fold
from .connection import Connection
from .progress import Progress
from .recompute import MINUTES
from .retention import Retention

_VIEWS = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"

_AMONG_PAIRS = (
    "symbol IN {symbols:Array(String)} AND has("
    "arrayZip({symbols:Array(String)}, {timeframes:Array(UInt32)}), (symbol, timeframe))"
)
"""A condition: the pair is one of those that `_columns` gives."""


@dataclass(frozen=True, slots=True)
class View:
    """One materialized timeframe of a symbol and what it holds."""

    name: str
    timeframe_minutes: int
    total_rows: int
    total_bytes: int


class Timeframes:
    """The tables `timeframes` and `candles`, and one SQL view for each pair."""

    def __init__(self, connection: Connection, progress: Progress, retention: Retention) -> None:
        self._connection = connection
        self._progress = progress
        self._retention = retention
        self.unchanged = threading.Lock()
        """Held while pairs come and go, and while buckets are written for all of them."""
        states = self._states()
        self._ready = frozenset(pair for pair, state in states.items() if state == "ready")
        dropped = [pair for pair, state in states.items() if state == "dropped"]
        self._dropped = self._with_rows(dropped) if dropped else frozenset()
        views = self._view_names()
        for symbol, timeframe in self._ready:
            if view_name(symbol, timeframe) not in views:  # a full disk did not take it
                self._create_view(symbol, timeframe)
        for (symbol, timeframe), state in states.items():
            if state == "filling":  # it was cut short
                self.materialize(symbol, timeframe)

    @property
    def pairs(self) -> frozenset[tuple[str, int]]:
        """The (symbol, timeframe) pairs that are materialized."""
        return self._ready

    @property
    def dropped(self) -> frozenset[tuple[str, int]]:
        """The pairs that are materialized no longer, but still have rows."""
        return self._dropped

    def materialize(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair from now on, and write those of all stored minutes.

        To do it again changes nothing. The rows of a dropped pair have to be deleted before.
        Raises StoreUnavailable on a full disk, half done.
        """
        with self.unchanged:
            if (symbol, timeframe) in self._ready:
                return
            self._set_state(symbol, timeframe, "filling")
            if timeframe != MINUTES:
                start = self._retention.first_candle(symbol, timeframe)
                end = bucket_start(self._progress.closed_ms(symbol), timeframe)
                self._fill(symbol, timeframe, start, end)
            self._create_view(symbol, timeframe)
            self._set_state(symbol, timeframe, "ready")
            self._connection.check_parts()
            self._ready |= {(symbol, timeframe)}

    def drop(self, symbol: str, timeframe: int) -> None:
        """Keep the candles of this pair no longer; its rows stay until `delete_dropped`."""
        with self.unchanged:
            self._set_state(symbol, timeframe, "dropped")
            self._ready -= {(symbol, timeframe)}
            self._dropped |= {(symbol, timeframe)}
            self._drop_view(symbol, timeframe)

    def delete_dropped(self, pairs: Collection[tuple[str, int]]) -> None:
        """Delete the rows of dropped pairs; no read of them may be under way."""
        pairs = self._dropped.intersection(pairs)
        if not pairs:
            return
        self._delete(pairs)
        with self.unchanged:
            self._dropped -= pairs

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

    def _states(self) -> dict[tuple[str, int], str]:
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

    def _fill(self, symbol: str, timeframe: int, start: int, end: int) -> None:
        """Write the buckets in [start, end) anew from the minutes."""
        width = width_ms(timeframe)
        self._connection.command(
            "INSERT INTO candles SELECT {symbol:String}, {timeframe:UInt32}, * "
            f"FROM ({fold.BY_BUCKET})",
            {"symbol": symbol, "timeframe": timeframe, "width": width, "start": start, "end": end},
        )

    def _delete(self, pairs: Iterable[tuple[str, int]]) -> None:
        """Delete the candles of these pairs."""
        self._connection.command(
            f"DELETE FROM {self._connection.layout.changed('candles')} WHERE {_AMONG_PAIRS}",
            _columns(pairs),
        )

    def _with_rows(self, pairs: Iterable[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Those of some pairs that have candles."""
        rows = self._connection.rows(
            f"SELECT symbol, timeframe FROM candles WHERE {_AMONG_PAIRS}"
            " GROUP BY symbol, timeframe",
            _columns(pairs),
        )
        return frozenset((row[0], row[1]) for row in rows)

    def _set_state(self, symbol: str, timeframe: int, state: str) -> None:
        """Note the state of a pair."""
        self._connection.command(
            "INSERT INTO timeframes SELECT {symbol:String}, {timeframe:UInt32}, {state:String}",
            {"symbol": symbol, "timeframe": timeframe, "state": state},
        )


def _columns(pairs: Iterable[tuple[str, int]]) -> dict[str, list[object]]:
    """Pairs as the parameters of a statement."""
    columns: dict[str, list[object]] = {"symbols": [], "timeframes": []}
    for symbol, timeframe in pairs:
        columns["symbols"].append(symbol)
        columns["timeframes"].append(timeframe)
    return columns


def view_name(symbol: str, timeframe: int) -> str:
    """The name by which SQL can select a materialized timeframe."""
    if not is_symbol(symbol):
        raise ValueError(f"{symbol[:50]!r} is no symbol that can name a view")
    return f"ohlcv_{int(timeframe)}_{symbol.lower()}_mv"
