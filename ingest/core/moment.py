"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(time_ms: int) -> str:
    """Format a time in milliseconds, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
