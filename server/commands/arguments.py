"""Strict parsers of the arguments that several commands share."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from ingest.core.symbol import Symbols

EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)
"""No exchange has trades from before Bitcoin's first block."""


def moment_ms(text: str) -> int:
    """Parse a year, month, day or ISO time, in UTC by default, into milliseconds."""
    whole = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date: write 2024, 2024-01, 2024-01-31 or 2024-01-31T12:30"
        ) from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if moment < EARLIEST:
        raise argparse.ArgumentTypeError(f"{text!r} is before there were trades")
    return int(moment.timestamp()) * 1000


def symbol_list(text: str) -> tuple[str, ...]:
    """Parse comma-separated names of symbols."""
    chosen = chosen_symbols(text)
    if chosen.patterns or chosen.excluded:
        raise argparse.ArgumentTypeError(f"{text!r} has a pattern: write the names themselves")
    return chosen.names


def chosen_symbols(text: str) -> Symbols:
    """Parse comma-separated names and patterns of symbols."""
    try:
        return Symbols.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not {error}") from None


def one_symbol(text: str) -> str:
    """Parse one symbol."""
    listed = symbol_list(text)
    if len(listed) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one symbol")
    return listed[0]
