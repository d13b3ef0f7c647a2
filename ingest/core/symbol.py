"""Names of markets, as the exchange writes them: some have letters of any script."""

from __future__ import annotations

import re
from typing import Final

LETTERS: Final = r"0-9A-Z\u00C0-\u052F\u3041-\uD7A3\uF900-\uFAFF"
"""What a name is made of, for the inside of a regular expression's brackets: digits, capitals,
other letters of Latin, Greek and Cyrillic, and those of East Asia. None of them means anything to
a URL's query, a terminal or SQL."""

LONGEST: Final = 20
_SYMBOL: Final = re.compile(rf"[{LETTERS}]{{2,{LONGEST}}}")


def is_symbol(text: str) -> bool:
    """Whether a market can have this name."""
    return _SYMBOL.fullmatch(text) is not None
