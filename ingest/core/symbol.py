"""Names of markets, as the exchange writes them: some have letters of any script."""

from __future__ import annotations

import re
from typing import Final

from generated.native.facts import SYMBOL_PATTERN

_SYMBOL: Final = re.compile(SYMBOL_PATTERN)
"""Digits, capitals, other letters of Latin, Greek and Cyrillic, and those of East Asia. None of
them means anything to a URL's query, a terminal or SQL."""


def is_symbol(text: str) -> bool:
    """Whether a market can have this name."""
    return _SYMBOL.fullmatch(text) is not None
