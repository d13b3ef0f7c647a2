"""Axes: positions and labels of ticks, in exact decimals. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

MINUTE_MS = 60_000
DAY_MINUTES = 1440
TIME_LABEL_COLUMNS = 9
"""The minimum distance between two time labels, in columns."""

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_TIME_STEPS = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720,
    *(DAY_MINUTES * days for days in (1, 2, 5, 7, 14, 28, 56, 91, 182, 364, 728)),
)  # fmt: skip


class Scale(NamedTuple):
    """A range of prices or volumes, divided into steps from bottom to top."""

    low: Decimal
    high: Decimal
    steps: int

    def step_of(self, value: Decimal) -> int:
        """The step of a value, from 0 at the bottom."""
        step = int((value - self.low) / (self.high - self.low) * self.steps)
        return max(0, min(self.steps - 1, step))


def scale(low: Decimal, high: Decimal, steps: int) -> Scale:
    """A scale of both values with a margin; never empty."""
    room = (high - low) / 20 or abs(high) / 1000 or Decimal(1)
    return Scale(low - room, high + room, steps)


def ticks(of: Scale, count: int) -> list[Decimal]:
    """About `count` round values within a scale, ascending, with equal decimal places."""
    rough = (of.high - of.low) / max(1, count)
    magnitude = Decimal(1).scaleb(rough.adjusted())
    step = next(s * magnitude for s in _STEPS if s * magnitude >= rough)
    first = (of.low / step).to_integral_value(ROUND_CEILING)
    last = (of.high / step).to_integral_value(ROUND_FLOOR)
    values = [step * (first + n) for n in range(int(last - first) + 1)]
    decimals = max(0, -int(step.normalize().as_tuple().exponent))
    return [value.quantize(Decimal(1).scaleb(-decimals)) for value in values]


def plain(value: Decimal) -> str:
    """Format a decimal: no exponent, no trailing zeros, thousands separators."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_labels(times: Sequence[int], timeframe: int, spacing: int) -> list[tuple[int, str]]:
    """The labels of the time axis, in UTC, with the index of their candle in `times` (ms).

    A label is the time of day, or the date where a new day begins.
    """
    apart = -(-TIME_LABEL_COLUMNS // spacing)
    least = apart * timeframe
    step = next((s for s in _TIME_STEPS if s >= least and s % timeframe == 0), least)
    labels: list[tuple[int, str]] = []
    day = None
    for at, time_ms in enumerate(times):
        if time_ms // MINUTE_MS % step:
            continue
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
        is_new_day = moment.date() != day
        day = moment.date()
        with_day = step >= DAY_MINUTES or (is_new_day and (labels or moment.hour == 0))
        labels.append((at, moment.strftime("%b %d" if with_day else "%H:%M")))
    return labels
