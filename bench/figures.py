"""The figures of a benchmark, and their targets."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spread:
    """A measurement taken several times: its median, lowest and highest value."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """One ratio per round. A disturbance of a round affects both of its values."""
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(int(rank) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound for a figure."""

    bound: Literal["at most", "at least"]
    value: float

    def met(self, figure: float) -> bool:
        return figure <= self.value if self.bound == "at most" else figure >= self.value


def at_most(value: float) -> Target:
    return Target("at most", value)


def at_least(value: float) -> Target:
    return Target("at least", value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the report: a measure of one subject, with a value per round."""

    measure: str
    """The measured quantity; figures of one measure are comparable and share a chart."""
    subject: str
    unit: str
    values: Sequence[float]
    """Empty if not measured; `note` then has the reason."""
    target: Target | None = None
    note: str = ""

    @property
    def spread(self) -> Spread | None:
        return spread(self.values) if self.values else None

    @property
    def met(self) -> bool | None:
        """None when there is no target or no value."""
        if self.target is None or not self.values:
            return None
        return self.target.met(statistics.median(self.values))


def skipped(measure: str, subject: str, unit: str, why: str) -> Figure:
    """A figure that was not measured on this machine."""
    return Figure(measure, subject, unit, (), note=why)
