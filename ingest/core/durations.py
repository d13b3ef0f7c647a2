"""Durations in classes, as a histogram shows them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate


class Durations:
    """How many durations were within each bound, and their sum, since the start."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are seconds that rise."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Seconds, of all together."""

    def note(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def within(self) -> Iterator[tuple[float, int]]:
        """Each bound, infinity at last, with how many were within it."""
        return zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True)
