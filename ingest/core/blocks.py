"""Aligned blocks of rows, kept within a budget of memory until what they show changes.

A block belongs to a subject, such as the candles of a symbol, whose rows have keys. A change says
from which key on the rows of a subject may differ: when it begins every block that reaches beyond
is dropped, and until it has ended nothing that reaches beyond is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from .rows import Rows


class Subject(NamedTuple):
    """The rows of one kind of one symbol."""

    kind: str
    symbol: str


class Series(NamedTuple):
    """The rows of a subject in one form."""

    subject: Subject
    form: Hashable


class Block(NamedTuple):
    """All rows of a series with keys from the start of the block to `until`, exclusive."""

    rows: Rows
    until: int


@dataclass(eq=False, slots=True)
class Reading:
    """A read of the rows of a subject before a key, under way."""

    subject: Subject
    until: int
    is_void: bool = False
    """Whether a change has touched them meanwhile."""


@dataclass(slots=True)
class Usage:
    """The use of the blocks since the start."""

    bytes: int = 0
    hits: int = 0
    misses: int = 0


class Blocks:
    """The kept blocks; usable from any thread."""

    def __init__(self, budget_bytes: int) -> None:
        """Blocks of more than `budget_bytes` together are not kept: the least used go first."""
        self.budget_bytes = budget_bytes
        self.usage = Usage()
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Series, int], Block] = OrderedDict()
        self._of_subject: dict[Subject, dict[tuple[Series, int], None]] = defaultdict(dict)
        self._readings: dict[Subject, set[Reading]] = defaultdict(set)
        self._changes: dict[object, Mapping[Subject, int]] = {}

    def get(self, series: Series, number: int, until: int) -> Block | None:
        """A block of a series, if it is kept and holds the rows before a key."""
        key = (series, number)
        with self._lock:
            block = self._kept.get(key)
            if block is None or block.until < until:
                self.usage.misses += 1
                return None
            self.usage.hits += 1
            self._kept.move_to_end(key)
            return block

    def series(self, subject: Subject) -> list[Series]:
        """The series of a subject of which blocks are kept."""
        with self._lock:
            return list(dict.fromkeys(series for series, _ in self._of_subject.get(subject, ())))

    def ends_at(self, series: Series, number: int, until: int) -> bool:
        """Whether a block is kept just up to a key."""
        block = self.part(series, number)
        return block is not None and block.until == until

    def extend(self, series: Series, number: int, rows: Rows, since: int, until: int) -> None:
        """Add the rows with keys in [since, until) to a block, if it is kept up to there.

        That is no use of the block: it goes as early as it would have gone.
        """
        key = (series, number)
        with self._lock:
            block = self._kept.get(key)
            if block is None or block.until != since:
                return
            if any(first.get(series.subject, until) < until for first in self._changes.values()):
                return
            longer = Block(block.rows + rows, until)
            self._kept[key] = longer
            self.usage.bytes += longer.rows.size - block.rows.size
            self._make_room()

    def _make_room(self) -> None:
        while self.usage.bytes > self.budget_bytes:
            self._drop(next(iter(self._kept)))

    def part(self, series: Series, number: int) -> Block | None:
        """A block of a series as far as it is kept."""
        with self._lock:
            return self._kept.get((series, number))

    @contextmanager
    def reading(self, subject: Subject, until: int) -> Iterator[Reading]:
        """Around a read of the rows of a subject before a key."""
        reading = self.begin_reading(subject, until)
        try:
            yield reading
        finally:
            self.end_reading(reading)

    def begin_reading(self, subject: Subject, until: int) -> Reading:
        """Begin a read of the rows of a subject before a key."""
        reading = Reading(subject, until)
        with self._lock:
            reading.is_void = any(
                since.get(subject, until) < until for since in self._changes.values()
            )
            self._readings[subject].add(reading)
        return reading

    def end_reading(self, reading: Reading) -> None:
        """End a read that was begun."""
        with self._lock:
            readings = self._readings[reading.subject]
            readings.discard(reading)
            if not readings:
                del self._readings[reading.subject]

    def keep(self, reading: Reading, series: Series, number: int, block: Block) -> None:
        """Keep a block that was read so, unless what it shows has changed meanwhile."""
        key = (series, number)
        with self._lock:
            if reading.is_void or block.rows.size > self.budget_bytes:
                return
            self._drop(key)
            self._kept[key] = block
            self._of_subject[series.subject][key] = None
            self.usage.bytes += block.rows.size
            self._make_room()

    @contextmanager
    def changing(self, since: Mapping[Subject, int]) -> Iterator[None]:
        """Around a change of the rows of some subjects, each from a key on."""
        token = object()
        with self._lock:
            self._changes[token] = since
            self._void(since)
        try:
            yield
        finally:
            with self._lock:
                del self._changes[token]

    def clear(self) -> None:
        """Drop all, for any row may have changed."""
        with self._lock:
            for readings in self._readings.values():
                for reading in readings:
                    reading.is_void = True
            self._kept.clear()
            self._of_subject.clear()
            self.usage.bytes = 0

    def _void(self, since: Mapping[Subject, int]) -> None:
        for subject, first in since.items():
            for reading in self._readings.get(subject, ()):
                reading.is_void = reading.is_void or reading.until > first
            stale = [
                key for key in self._of_subject.get(subject, ()) if self._kept[key].until > first
            ]
            for key in stale:
                self._drop(key)

    def _drop(self, key: tuple[Series, int]) -> None:
        block = self._kept.pop(key, None)
        if block is None:
            return
        self.usage.bytes -= block.rows.size
        subject = key[0].subject
        del self._of_subject[subject][key]
        if not self._of_subject[subject]:
            del self._of_subject[subject]
