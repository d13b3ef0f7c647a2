"""Figures as Binance writes them."""

from __future__ import annotations

from ingest.core.fixed import eight_places

QUOTE_UNITS = 10**8
"""As many units of a quote volume are one of the eighth place; the rest is cut off."""


def quote_volume(value: int) -> str:
    """A volume in the quote asset, in units of 1e-16, with eight places."""
    return eight_places(value // QUOTE_UNITS)


def percent(change: int, of: int) -> str:
    """A change of a price in percent, with three places, the rest cut off."""
    thousandths = abs(change) * 100_000 // of
    sign = "-" if change < 0 and thousandths else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d}"
