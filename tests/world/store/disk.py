"""The tables of a modelled store: what a process leaves behind when it ends."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from ingest.core.candle import Candle
from ingest.core.trade import Trade
from ingest.storage import ConfirmedGap, Quarantined, TornPart
from ingest.storage.progress import Note
from ingest.storage.retention import Line

from .tables import CandleRows, TradeRows, month_of

RECENT_PARTS = 8
"""Of so many parts of each table it is known what they hold."""

ROW_BYTES = 60

Key = tuple[str, int, int]
"""Of a row of a part: the symbol, and id and time, or timeframe and time; 0 where there is none."""


class Disk:
    """The tables, as plain objects in memory."""

    def __init__(self) -> None:
        self.trades: dict[str, TradeRows] = defaultdict(TradeRows)
        self.minutes: dict[str, CandleRows] = defaultdict(CandleRows)
        self.candles: dict[tuple[str, int], CandleRows] = defaultdict(CandleRows)
        self.timeframes: dict[tuple[str, int], str] = {}
        self.levels: set[tuple[str, int]] = set()
        self.views: set[str] = set()
        self.progress: dict[str, Note] = {}
        self.held: dict[str, int] = {}
        self.kept: dict[str, Line] = {}
        self.moved: dict[str, list[tuple[int, int]]] = {}
        self.choices: dict[str, bool] = {}
        self.confirmed: dict[tuple[str, int, int], ConfirmedGap] = {}
        self.malformed: list[Quarantined] = []
        self.detached: list[TornPart] = []
        """Parts that were set aside, for they could not be read."""
        self.torn: set[tuple[str, str]] = set()
        """Table and name of those that the store has noted."""
        self.is_damage_met = True
        """Whether the engine has found all damage."""
        self._parts: dict[str, deque[tuple[str, list[Key]]]] = defaultdict(
            lambda: deque(maxlen=RECENT_PARTS)
        )
        self._inserts = 0

    # Writing: each call writes one part ----------------------------------------------------------

    def put_trades(self, month: int, rows: Sequence[tuple[str, Trade]]) -> None:
        """Store trades of one month."""
        for symbol, trade in rows:
            self.trades[symbol].put(trade)
        self._wrote("trades", month, [(s, t.aggregate_id, t.timestamp) for s, t in rows])

    def put_minutes(self, month: int, rows: Sequence[tuple[str, Candle]]) -> None:
        """Store minutes of one month."""
        for symbol, candle in rows:
            self.minutes[symbol].put(candle)
        self._wrote("minutes", month, [(symbol, 1, candle.candle_time) for symbol, candle in rows])

    def put_candles(self, rows: Sequence[tuple[str, int, Candle]]) -> None:
        """Store candles of any timeframes."""
        for symbol, timeframe, candle in rows:
            self.candles[symbol, timeframe].put(candle)
        self._wrote(
            "candles", 0, [(s, timeframe, candle.candle_time) for s, timeframe, candle in rows]
        )

    def put_notes(self, notes: Sequence[Note]) -> None:
        """Store notes of the progress."""
        for note in notes:
            self.progress[note[0]] = note
        self._wrote("progress", 0, [(note[0], 0, 0) for note in notes])

    def put_held(self, symbol: str, first_id: int) -> None:
        """Store the lowest id of a symbol."""
        self.held[symbol] = first_id
        self._wrote("held", 0, [(symbol, 0, 0)])

    def _wrote(self, table: str, month: int, keys: list[Key]) -> None:
        if keys:
            self._inserts += 1
            name = f"{month or 'all'}_{self._inserts}_{self._inserts}_0"
            self._parts[table].append((name, keys))

    # Damage --------------------------------------------------------------------------------------

    def damage(self, table: str, number: int = -1) -> bool:
        """Lose one of the parts of a table that were written last; False when there is none.

        The engine meets it at the next statement, or when the tables are opened. Where a row had
        replaced another both are gone, as after a merge.
        """
        parts = self._parts[table]
        if not -len(parts) <= number < len(parts):
            return False
        name, keys = parts[number]
        del parts[number]
        for symbol, other, time in keys:
            if table == "trades":
                self.trades[symbol].remove(other, time)
            elif table == "minutes":
                self.minutes[symbol].remove([time])
            elif table == "candles":
                self.candles[symbol, other].remove([time])
            elif table == "progress":
                self.progress.pop(symbol, None)
            else:
                self.held.pop(symbol, None)
        self.detached.append(TornPart(table, name, len(keys) * ROW_BYTES))
        self.is_damage_met = False
        return True

    # Reading -------------------------------------------------------------------------------------

    def symbols(self) -> list[str]:
        """The symbols that have trades, in order."""
        return sorted(symbol for symbol, rows in self.trades.items() if rows.ids)

    def trade_count(self) -> int:
        """How many trades are stored."""
        return sum(rows.count(0) for rows in self.trades.values())


def by_month(rows: Iterable[tuple[str, Trade]]) -> dict[int, list[tuple[str, Trade]]]:
    """Trades as the parts that an insert of them makes."""
    parts: dict[int, list[tuple[str, Trade]]] = {}
    for row in rows:
        parts.setdefault(month_of(row[1].timestamp), []).append(row)
    return parts
