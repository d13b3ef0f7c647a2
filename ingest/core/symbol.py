"""Names of markets, as the exchange writes them: some have letters of any script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from generated.native.facts import SYMBOL_PATTERN

_SYMBOL: Final = re.compile(SYMBOL_PATTERN)
"""Digits, capitals, other letters of Latin, Greek and Cyrillic, and those of East Asia. None of
them means anything to a URL's query, a terminal or SQL."""

ANY: Final = "*"
EXCLUDES: Final = "!"


def is_symbol(text: str) -> bool:
    """Whether a market can have this name."""
    return _SYMBOL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Symbols:
    """A choice of symbols by names and patterns, such as "BTCUSDT,*USDT,!*UP*".

    A `*` stands for any letters, also none. A symbol is chosen when a name or a pattern matches it,
    and none that begins with `!` does.
    """

    names: tuple[str, ...]
    """The names that are chosen, without those that are excluded."""
    patterns: tuple[str, ...] = ()
    """The patterns with a `*` that choose."""
    excluded: tuple[str, ...] = ()
    """Names and patterns that exclude, without their `!`."""

    @classmethod
    def parse(cls, text: str) -> Symbols:
        """Parse names and patterns with commas between; raises ValueError."""
        parts = dict.fromkeys(part.strip().upper() for part in text.split(","))
        chosen = [part for part in parts if not part.startswith(EXCLUDES)]
        excluded = tuple(part.removeprefix(EXCLUDES) for part in parts if part not in chosen)
        names = tuple(name for name in chosen if ANY not in name and not _any(excluded, name))
        patterns = tuple(part for part in chosen if ANY in part)
        if not (names or patterns) or not all(map(_is_pattern, (*chosen, *excluded))):
            raise ValueError(
                "symbols of the exchange or patterns with commas between, such as "
                '"BTCUSDT,ETHUSDT" or "*USDT,BTC*,!*UP*"'
            )
        return cls(names, patterns, excluded)

    def __contains__(self, symbol: str) -> bool:
        """Whether a symbol is chosen."""
        return symbol in self.names or (
            _any(self.patterns, symbol) and not _any(self.excluded, symbol)
        )

    def __str__(self) -> str:
        return ",".join((*self.names, *self.patterns, *(EXCLUDES + part for part in self.excluded)))


def _is_pattern(text: str) -> bool:
    """Whether it is a symbol, or one in which `*` stands for some letters."""
    return is_symbol(text) or (ANY in text and is_symbol("XX" + text.replace(ANY, "")))


def _any(patterns: tuple[str, ...], symbol: str) -> bool:
    return any(_matches(pattern, symbol) for pattern in patterns)


def _matches(pattern: str, symbol: str) -> bool:
    """Whether a pattern with any number of `*` matches a symbol."""
    first, *rest = pattern.split(ANY)
    if not rest:
        return symbol == pattern
    if not symbol.startswith(first) or len(symbol) < len(pattern.replace(ANY, "")):
        return False
    *middle, last = rest
    start = len(first)
    for part in middle:  # the leftmost place of each leaves most for the others
        found = symbol.find(part, start)
        if found < 0:
            return False
        start = found + len(part)
    return symbol.endswith(last) and len(symbol) - len(last) >= start
