# statements are put together from constants of this package alone
"""The data that is no longer kept: trades below an id, candles before a time, by symbol.

A line is drawn first, and nothing below it is shown or recomputed from then on; the engine then
deletes it in its own time, whatever happens in between. Times only ever rise; an id is lowered for
trades that are backfilled later and are not too old.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core.blocks import Blocks
from ..core.timeframe import first_bucket
from .connection import Connection
from .forms import candles_of, trades_of


@dataclass(frozen=True, slots=True)
class Line:
    """From where on one symbol is kept; times in milliseconds are starts of days."""

    first_id: int = 0
    """The lowest id that is kept. All trades from `trades_since_ms` on have this one or higher."""
    trades_since_ms: int = 0
    candles_since_ms: int = 0
    whole_from_ms: int = 0
    """From when on all trades had been here when the older ones expired."""

    @property
    def recompute_from_ms(self) -> int:
        """Minutes before this cannot be made of their trades, or are not wanted."""
        return max(self.trades_since_ms, self.candles_since_ms)


NOWHERE = Line()


class Retention:
    """The table `kept`."""

    def __init__(self, connection: Connection, blocks: Blocks) -> None:
        self._connection = connection
        self._blocks = blocks
        self._lock = threading.Lock()
        self._lines = self._read()

    def line(self, symbol: str) -> Line:
        """From where on a symbol is kept."""
        return self._lines.get(symbol, NOWHERE)

    def first_candle(self, symbol: str, timeframe: int) -> int:
        """The start of the first bucket all of whose minutes are kept."""
        return first_bucket(self.line(symbol).candles_since_ms, timeframe)

    @property
    def lines(self) -> Mapping[str, Line]:
        """The lines that were drawn."""
        return dict(self._lines)

    def expire(
        self,
        symbol: str,
        trades_since_ms: int,
        candles_since_ms: int,
        whole_from_ms: int,
        whole_from_id: int,
    ) -> bool:
        """Keep trades and candles from these times on; returns whether the line has risen.

        Trades are kept while there is none that is newer: by their ids it is known what is missing.
        From `whole_from_ms` and `whole_from_id` on all of them have been here, so those of a part
        that was just lost count as kept.
        """
        # Older rows are shown no longer, and others may begin where one of them gave a close.
        changes = self._blocks.changing({candles_of(symbol): 0, trades_of(symbol): 0})
        with self._lock, changes:
            line = known = self.line(symbol)
            if candles_since_ms > line.candles_since_ms:
                line = replace(line, candles_since_ms=candles_since_ms)
            if trades_since_ms > line.trades_since_ms:
                first_id = self._first_id(symbol, trades_since_ms)
                if first_id is not None:
                    last_id = self._last_id(symbol, first_id)
                    first_id = whole_from_id if last_id is None else last_id + 1
                    line = replace(
                        line,
                        first_id=max(first_id, line.first_id),
                        trades_since_ms=trades_since_ms,
                        whole_from_ms=whole_from_ms,
                    )
            if line == known:
                return False
            self._write(symbol, line)
            self._lines = {**self._lines, symbol: line}
            if line.first_id > known.first_id:
                self._delete("trades", "aggregate_id", symbol, line.first_id)
            if line.candles_since_ms > known.candles_since_ms:
                for table in ("minutes", "candles"):
                    self._delete(table, "candle_time", symbol, line.candles_since_ms)
            return True

    def admit(self, symbol: str, first_id: int) -> None:
        """Keep trades from a lower id on, which are about to be stored."""
        if first_id >= self.line(symbol).first_id:
            return
        with self._lock:
            line = self.line(symbol)
            if first_id < line.first_id:
                line = replace(line, first_id=first_id)
                self._write(symbol, line)
                self._lines = {**self._lines, symbol: line}

    def _read(self) -> dict[str, Line]:
        """The lines that were drawn, of this run and earlier ones."""
        rows = self._connection.rows(
            "SELECT symbol, first_id, trades_since_ms, candles_since_ms, whole_from_ms"
            " FROM kept FINAL"
        )
        return {symbol: Line(*row) for symbol, *row in rows}

    def _first_id(self, symbol: str, since_ms: int) -> int | None:
        """The lowest id of the trades from a time on; None when there are none."""
        [[count, first]] = self._connection.rows(
            "SELECT count(), min(aggregate_id) FROM trades"
            " WHERE symbol = {symbol:String} AND timestamp >= {since:Int64}",
            {"symbol": symbol, "since": since_ms},
        )
        return int(first) if count else None

    def _last_id(self, symbol: str, below: int) -> int | None:
        """The highest id of the trades below another; None when there are none."""
        [[count, last]] = self._connection.rows(
            "SELECT count(), max(aggregate_id) FROM trades"
            " WHERE symbol = {symbol:String} AND aggregate_id < {below:Int64}",
            {"symbol": symbol, "below": below},
        )
        return int(last) if count else None

    def _write(self, symbol: str, line: Line) -> None:
        """Draw a line."""
        self._connection.note(
            "INSERT INTO kept SELECT {symbol:String}, {first_id:Int64}, {trades:Int64},"
            " {candles:Int64}, {whole:Int64}",
            {
                "symbol": symbol,
                "first_id": line.first_id,
                "trades": line.trades_since_ms,
                "candles": line.candles_since_ms,
                "whole": line.whole_from_ms,
            },
        )

    def _delete(self, table: str, column: str, symbol: str, below: int) -> None:
        """Let the engine delete the rows of a symbol whose column is below a value."""
        # The engine keeps this statement until it is carried out, so its values have to be in it:
        # the client quotes them.
        self._connection.command(
            f"ALTER TABLE {self._connection.layout.changed(table)}"
            f" DELETE WHERE symbol = %(symbol)s AND {column} < %(below)s",
            {"symbol": symbol, "below": below},
        )
