"""The small tables of a modelled store: what is noted beside trades and candles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ingest.storage import ConfirmedGap, Quarantined, TornPart
from ingest.storage.begins import Begins
from ingest.storage.buckets import Pair
from ingest.storage.choices import Choices
from ingest.storage.gaps import Gaps
from ingest.storage.held import Held
from ingest.storage.progress import Note, Progress
from ingest.storage.quarantine import MAX_MESSAGE_BYTES, Quarantine
from ingest.storage.recompute import MINUTES
from ingest.storage.retention import Line, Retention
from ingest.storage.timeframes import Timeframes, view_name
from ingest.storage.torn import Torn

from .connection import ModelConnection

MINUTE_BYTES, CANDLE_BYTES = 192, 196
"""The engine's size of a row without the letters of its symbol."""


class ModelProgress(Progress):
    """Progress on a disk."""

    _connection: ModelConnection

    def _read_notes(self) -> Sequence[Note]:
        return list(self._connection.reading().progress.values())

    def _write_notes(self, notes: Sequence[Note]) -> None:
        self._connection.begin("note progress").put_notes(notes)
        self._connection.end("note progress")

    def _minutes_since(self, symbol: str, time_ms: int) -> set[int]:
        return set(self._connection.reading().trades[symbol].minutes_from(time_ms))


class ModelTorn(Torn):
    """Torn parts on a disk."""

    _connection: ModelConnection

    def _unnoted(self) -> list[TornPart]:
        disk = self._connection.reading()
        parts = [part for part in disk.detached if (part.table, part.name) not in disk.torn]
        return sorted(parts, key=lambda part: (part.table, part.name))

    def _symbols(self) -> list[str]:
        return self._connection.reading().symbols()

    def _write(self, part: TornPart) -> None:
        self._connection.begin("note torn part").torn.add((part.table, part.name))
        self._connection.end("note torn part")


class ModelHeld(Held):
    """Lowest ids on a disk."""

    _connection: ModelConnection

    def _read(self) -> dict[str, int]:
        return dict(self._connection.reading().held)

    def _unnoted(self) -> dict[str, int]:
        disk = self._connection.reading()
        return {s: disk.trades[s].ids[0] for s in disk.symbols() if s not in disk.held}

    def _write(self, firsts: Mapping[str, int]) -> None:
        disk = self._connection.begin("note held")
        for symbol, first_id in firsts.items():
            disk.put_held(symbol, first_id)
        self._connection.end("note held")


class ModelRetention(Retention):
    """Lines on a disk; what lies below one is deleted at once."""

    _connection: ModelConnection

    def _read(self) -> dict[str, Line]:
        return dict(self._connection.reading().kept)

    def _first_id(self, symbol: str, since_ms: int) -> int | None:
        trades = self._connection.reading().trades[symbol].between(since_ms)
        return min((trade.aggregate_id for trade in trades), default=None)

    def _last_id(self, symbol: str, below: int) -> int | None:
        trades = self._connection.reading().trades[symbol].from_id(0, below - 1)
        return max((trade.aggregate_id for trade in trades), default=None)

    def _write(self, symbol: str, line: Line) -> None:
        self._connection.begin("note kept").kept[symbol] = line
        self._connection.end("note kept")

    def _delete(self, table: str, column: str, symbol: str, below: int) -> None:
        disk = self._connection.begin(f"expire {table}")
        if table == "trades":
            rows = disk.trades[symbol]
            for trade in list(rows.from_id(0, below - 1)):
                rows.remove(trade.aggregate_id, trade.timestamp)
        elif table == "minutes":
            minutes = disk.minutes[symbol]
            minutes.remove([start for start in minutes.starts if start < below])
        else:
            for (owner, _), candles in disk.candles.items():
                if owner == symbol:
                    candles.remove([start for start in candles.starts if start < below])
        self._connection.end(f"expire {table}")


class ModelGaps(Gaps):
    """Confirmed gaps on a disk."""

    _connection: ModelConnection

    def confirm(self, symbol: str, from_id: int, to_id: int, tries: int) -> None:
        """Note a gap at the weather's time."""
        gap = ConfirmedGap(from_id, to_id, tries, int(self._connection.now_s() * 1000))
        self._connection.begin("note gap").confirmed[symbol, from_id, to_id] = gap
        self._connection.end("note gap")

    def confirmed(self) -> dict[str, list[ConfirmedGap]]:
        """The gaps by symbol, oldest first."""
        gaps: dict[str, list[ConfirmedGap]] = defaultdict(list)
        for (symbol, _, _), gap in sorted(self._connection.reading().confirmed.items()):
            gaps[symbol].append(gap)
        return dict(gaps)


class ModelChoices(Choices):
    """Symbols that were chosen at run time, on a disk."""

    _connection: ModelConnection

    def note(self, symbol: str, *, is_followed: bool) -> None:
        """Note a choice."""
        self._connection.begin("note choice").choices[symbol] = is_followed
        self._connection.end("note choice")

    def all(self) -> dict[str, bool]:
        """The last choice of each symbol."""
        return dict(self._connection.reading().choices)


class ModelBegins(Begins):
    """Nothing is noted: no older trades are stored beside a server."""

    def _read(self) -> dict[str, int]:
        return {}


class ModelQuarantine(Quarantine):
    """Malformed messages on a disk."""

    _connection: ModelConnection

    def _count(self) -> int:
        return len(self._connection.reading().malformed)

    def _write(self, messages: Sequence[Quarantined]) -> None:
        size = MAX_MESSAGE_BYTES
        self._connection.begin("insert malformed").malformed += [
            Quarantined(m.received_ms, m.symbol, m.raw[:size], m.error[:size]) for m in messages
        ]
        self._connection.end("insert malformed")

    def latest(self, limit: int) -> list[Quarantined]:
        """The newest messages, newest first."""
        messages = self._connection.reading().malformed
        return sorted(messages, key=lambda m: m.received_ms, reverse=True)[:limit]


class ModelTimeframes(Timeframes):
    """Timeframes, levels and views on a disk."""

    _connection: ModelConnection

    def _states(self) -> dict[tuple[str, int], str]:
        return dict(self._connection.reading().timeframes)

    def _set_state(self, symbol: str, timeframe: int, state: str) -> None:
        self._connection.begin("note timeframe").timeframes[symbol, timeframe] = state
        self._connection.end("note timeframe")

    def _view_names(self) -> frozenset[str]:
        return frozenset(self._connection.reading().views)

    def _create_view(self, symbol: str, timeframe: int) -> None:
        name = view_name(symbol, timeframe)
        self._connection.begin("create view").views.add(name)
        self._connection.end("create view")

    def _drop_view(self, symbol: str, timeframe: int) -> None:
        name = view_name(symbol, timeframe)
        self._connection.begin("drop view").views.discard(name)
        self._connection.end("drop view")

    def _noted_levels(self) -> frozenset[Pair]:
        return frozenset(self._connection.reading().levels)

    def _note_level(self, symbol: str, level: int) -> None:
        self._connection.begin("note level").levels.add((symbol, level))
        self._connection.end("note level")

    def _sizes(self, symbol: str) -> Sequence[tuple[int, int, int]]:
        disk = self._connection.reading()
        sizes = []
        for (owner, timeframe), state in sorted(disk.timeframes.items()):
            if owner == symbol and state == "ready":
                is_minutes = timeframe == MINUTES
                rows = disk.minutes[symbol] if is_minutes else disk.candles[symbol, timeframe]
                row_bytes = (MINUTE_BYTES if is_minutes else CANDLE_BYTES) + len(symbol.encode())
                sizes.append((timeframe, len(rows.starts), len(rows.starts) * row_bytes))
        return sizes
