# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Which minutes have stored trades that the candles may not have yet: what a crash leaves to do.

A trade makes its minute dirty before it is stored, a recomputation makes it clean after. The
table `progress` keeps it beyond the process, coarsely and never too little: all minutes from
`tail_ms` on, and those of one span before it (of late trades). So an ordinary insert, at the
newest minutes, needs no note at all. It also says until when the buckets were written that ended.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from ..core.timeframe import MINUTE_MS
from .connection import Connection
from .recompute import Span, Touched, join

NOTE_EVERY_SECONDS = 10.0
"""How far the note may lag behind; a restart recomputes as much in vain."""

_NOTHING: Span = (0, 0)

Note = tuple[str, int, int, int, int]
"""A row of the table: symbol, `tail_ms`, the late span's start and end, `closed_ms`."""

_Minutes = Mapping[str, set[int]]
"""The starts of minutes by symbol."""


@dataclass
class _Symbol:
    """The note of one symbol, and the knowledge beyond it."""

    tail_ms: int = 0
    late: Span = _NOTHING
    closed_ms: int = 0
    noted_closed_ms: int = 0
    newest_ms: int = 0
    """The end of the newest minute that is known to have a trade."""
    dirty: set[int] = field(default_factory=set)
    """The starts of the dirty minutes."""
    unclean: Span = _NOTHING
    """The span noted as late at the start: any minute in it may be dirty, also one that has lost
    its only trade."""
    in_doubt: bool = False
    """Whether trades of an earlier run may have made minutes from `tail_ms` on dirty that are not
    in `dirty`."""


class Progress:
    """Dirty minutes by symbol, in memory and in the table `progress`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        """Entered again by `doubt` when a statement under it meets a part that cannot be read."""
        self._noted_at = connection.now_s()
        self._symbols: dict[str, _Symbol] = defaultdict(_Symbol)
        self._being_stored: dict[object, _Minutes] = {}
        self._missed: dict[object, list[_Minutes]] = {}
        self._held_back: dict[str, int] = {}
        """The time, by symbol, before which somebody else settles."""
        for symbol, tail, late_from, late_until, closed in self._read_notes():
            # Nothing is closed beyond the newest trade, whatever an earlier run may have believed.
            self._symbols[symbol] = _Symbol(
                *(tail, (late_from, late_until), min(closed, tail), closed),
                newest_ms=tail,
                unclean=(late_from, late_until),
                in_doubt=True,
            )

    @contextmanager
    def storing(self, times: Mapping[str, Iterable[int]]) -> Iterator[None]:
        """Around the insert of trades with these times: makes their minutes dirty.

        Where a start after a crash would not look for them that is noted first.
        """
        minutes = {
            symbol: {time_ms // MINUTE_MS * MINUTE_MS for time_ms in some}
            for symbol, some in times.items()
        }
        with self._lock:
            notes = {}
            for symbol, starts in minutes.items():
                state = self._symbols[symbol]
                late = _hull(state.late, [start for start in starts if start < state.tail_ms])
                if late != state.late or not state.newest_ms:  # the first trades have a note too
                    notes[symbol] = (state.tail_ms, late)
            self._note(notes)
            for symbol, starts in minutes.items():
                state = self._symbols[symbol]
                state.dirty |= starts
                state.newest_ms = max([state.newest_ms, *(start + MINUTE_MS for start in starts)])
            token = object()
            self._being_stored[token] = minutes
        try:
            with self._connection.on_disk():
                yield
        finally:
            with self._lock:
                del self._being_stored[token]
                for missed in self._missed.values():
                    missed.append(minutes)

    @contextmanager
    def recomputing(self, touched: Touched) -> Iterator[None]:
        """Around the recomputation of these spans: makes their minutes clean.

        Those that trades are stored in meanwhile stay dirty, for it may not have seen them.
        """
        token = object()
        missed: list[_Minutes] = []
        with self._lock:
            self._missed[token] = missed
        try:
            with self._connection.on_disk():
                yield
            with self._lock:
                for symbol, spans in touched.items():
                    kept = set().union(
                        *(m.get(symbol, ()) for m in (*missed, *self._being_stored.values()))
                    )
                    state = self._symbols[symbol]
                    for since, until in spans:
                        state.dirty = {
                            start
                            for start in state.dirty
                            if not since <= start < until or start in kept
                        }
                        if since <= state.unclean[0] < until:
                            state.unclean = (min(until, state.unclean[1]), state.unclean[1])
                if self._connection.now_s() - self._noted_at >= NOTE_EVERY_SECONDS:
                    self._catch_up()
        finally:
            with self._lock:
                del self._missed[token]

    def hold(self, symbol: str, before_ms: int) -> None:
        """Leave the minutes before a time out of `unsettled`, until they are released: whoever
        stores many old trades recomputes them by `held`."""
        with self._lock:
            self._held_back[symbol] = before_ms

    def release(self, symbol: str) -> None:
        """Hold back no minute of a symbol any more."""
        with self._lock:
            self._held_back.pop(symbol, None)

    def held(self, symbol: str) -> list[Span]:
        """Spans that hold all dirty minutes that are held back."""
        with self._lock:
            before_ms = self._held_back.get(symbol, 0)
            return self._unsettled(symbol, 0, before_ms) if before_ms else []

    def unsettled(self, symbol: str, until_ms: int) -> list[Span]:
        """Spans that hold all dirty minutes before the minute `until_ms`, but for those that are
        held back."""
        with self._lock:
            return self._unsettled(symbol, self._held_back.get(symbol, 0), until_ms)

    def _unsettled(self, symbol: str, since_ms: int, until_ms: int) -> list[Span]:
        while (state := self._symbols[symbol]).in_doubt:
            state.dirty |= self._minutes_since(symbol, state.tail_ms)
            state.newest_ms = max([state.newest_ms, *(s + MINUTE_MS for s in state.dirty)])
            state.in_doubt = False
        dirty = [
            (start, start + MINUTE_MS) for start in state.dirty if since_ms <= start < until_ms
        ]
        unclean = max(state.unclean[0], since_ms), min(state.unclean[1], until_ms)
        return join([*dirty, unclean])

    def doubt(self, symbols: Sequence[str]) -> None:
        """Nothing that is noted of these symbols holds: all their minutes may be dirty."""
        with self._lock:
            for symbol in symbols:
                self._symbols[symbol] = _Symbol(in_doubt=True)

    def note_doubt(self, symbols: Sequence[str]) -> None:
        """Note that all minutes of these symbols may be dirty."""
        with self._lock:
            self._note(dict.fromkeys(symbols, (0, _NOTHING)))

    def symbols(self) -> list[str]:
        """The symbols that have trades."""
        with self._lock:
            return [symbol for symbol, state in self._symbols.items() if state.newest_ms]

    def closed_ms(self, symbol: str) -> int:
        """The time until which all buckets that had ended are written."""
        with self._lock:
            return self._symbols[symbol].closed_ms

    @contextmanager
    def closing(self, moved: Mapping[str, int]) -> Iterator[None]:
        """Around the writing of the buckets that have ended by these times: after it all are.

        Times after the end of the newest minute with trades are that end: what the exchange's
        clock says beyond it is not kept.
        """
        with self._lock:
            moved = {s: until for s, until in moved.items() if until != self._symbols[s].closed_ms}
        if not moved:
            yield
            return
        with self._connection.on_disk():
            yield
        with self._lock:
            for symbol, closed in moved.items():
                state = self._symbols[symbol]
                state.closed_ms = min(closed, state.newest_ms)

    def flush(self) -> None:
        """Note what is known, so that the next start has the least to do."""
        with self._lock:
            self._catch_up()

    def _catch_up(self) -> None:
        notes = {}
        for symbol, state in self._symbols.items():
            if state.in_doubt:
                continue
            unclean = _NOTHING if state.unclean[0] == state.unclean[1] else state.unclean
            late = _hull(unclean, [start for start in state.dirty if start < state.tail_ms])
            open_minutes = [start for start in state.dirty if start >= state.tail_ms]
            tail = min(open_minutes, default=state.newest_ms)
            closed_moved = state.closed_ms != state.noted_closed_ms
            if closed_moved or (tail, late) != (state.tail_ms, state.late):
                notes[symbol] = (tail, late)
        self._note(notes)
        self._noted_at = self._connection.now_s()

    def _note(self, notes: Mapping[str, tuple[int, Span]]) -> None:
        if not notes:
            return
        rows: list[Note] = [
            (symbol, tail, *late, self._symbols[symbol].closed_ms)
            for symbol, (tail, late) in notes.items()
        ]
        states = {symbol: self._symbols[symbol] for symbol in notes}
        self._write_notes(rows)
        for symbol, tail, since, until, closed in rows:
            state = states[symbol]
            state.tail_ms, state.late, state.noted_closed_ms = tail, (since, until), closed
        doubted = [symbol for symbol, state in states.items() if self._symbols[symbol] is not state]
        if doubted:  # meanwhile, so these notes may have replaced those that say so
            self.note_doubt(doubted)

    def _read_notes(self) -> Sequence[Note]:
        """All that is noted."""
        return cast(
            "Sequence[Note]",
            self._connection.rows(
                "SELECT symbol, tail_ms, late_from_ms, late_until_ms, closed_ms FROM progress FINAL"
            ),
        )

    def _write_notes(self, notes: Sequence[Note]) -> None:
        """Note this of each symbol."""
        self._connection.command(
            "INSERT INTO progress SELECT r.1, r.2, r.3, r.4, r.5 FROM (SELECT arrayJoin(arrayZip("
            "{symbols:Array(String)}, {tails:Array(Int64)}, {froms:Array(Int64)},"
            " {untils:Array(Int64)}, {closed:Array(Int64)})) AS r)",
            dict(
                zip(
                    ("symbols", "tails", "froms", "untils", "closed"),
                    map(list, zip(*notes, strict=True)),
                    strict=True,
                )
            ),
        )

    def _minutes_since(self, symbol: str, time_ms: int) -> set[int]:
        """The starts of the minutes of the stored trades from a time on."""
        rows = self._connection.rows(
            f"SELECT DISTINCT intDiv(timestamp, {MINUTE_MS}) * {MINUTE_MS} FROM trades"
            " WHERE symbol = {symbol:String} AND timestamp >= {since:Int64}",
            {"symbol": symbol, "since": time_ms},
        )
        return {start for (start,) in rows}


def _hull(span: Span, starts: Sequence[int]) -> Span:
    """The smallest span that holds this one and the minutes that start so."""
    if not starts:
        return span
    first, last = min(starts), max(starts) + MINUTE_MS
    return (first, last) if span == _NOTHING else (min(span[0], first), max(span[1], last))
