"""How far the download of a history has come, as a bar and in words. No I/O."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from generated.native.models import Loading

from .chart import GRID

BUSY = Style(color="#f0b90b")
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def bar(loading: Loading, columns: int) -> Text:
    """A bar of so many columns; full only when all has come."""
    full = int(columns * share(loading))
    return Text.assemble(("█" * full, BUSY), ("░" * (columns - full), GRID))


def share(loading: Loading) -> float:
    """The part that has come, from 0 to 1."""
    return min(1.0, loading.loaded / loading.total) if loading.total else 0.0


def percent(loading: Loading) -> str:
    """The part that has come, rounded down."""
    return f"{int(100 * share(loading))}%"


def amount(loading: Loading) -> str:
    """How much has come of how much."""
    return f"{loading.loaded:,} of {loading.total:,} trades"


def pace(loading: Loading) -> str:
    """The rate, and the time that is left at it."""
    if loading.seconds_left is None:
        return "waiting for trades"
    return f"{loading.trades_per_second:,}/s, {duration(loading.seconds_left)} left"


def duration(seconds: float) -> str:
    """A duration in its two largest units, as in `1h 5m`."""
    left, parts = int(seconds), []
    for length, unit in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
