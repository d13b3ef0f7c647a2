"""Texts that a regular expression matches: short ones, for the usual expressions.

Assertions are passed over, and what cannot be read ends the search: the caller validates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_REPEATS = 10_000
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "t": "\t", "n": "\n",
            "r": "\r", "f": "\f", "v": "\v", "b": "", "B": "", "A": "", "Z": ""}  # fmt: skip
_QUANTIFIER = re.compile(r"\*|\+|\?|\{(\d*)(,?)(\d*)\}")
_FIRST = "aA0 -_.x"
"""Characters that are tried for a class that excludes some."""


class _Unreadable(Exception):
    pass


def texts(pattern: str) -> Iterator[str]:
    """A few texts that a pattern is likely to match: with as little repeated as may be, and more.

    What stands before or after an expression without anchors is left out.
    """
    for more in range(3):
        try:
            yield _Reader(pattern, more).alternatives()
        except _Unreadable:
            return


class _Reader:
    def __init__(self, pattern: str, more: int) -> None:
        """`more` is added to the least number of repetitions, where so many are allowed."""
        self.pattern = pattern
        self.more = more
        self.at = 0

    def alternatives(self) -> str:
        """The first alternative, up to the end of the group."""
        found = self.sequence()
        while self.peek() == "|":
            self.at += 1
            self.sequence()
        return found

    def sequence(self) -> str:
        parts = []
        while (character := self.peek()) not in ("", "|", ")"):
            part = self.part(character)
            parts.append(part * self.repeats() if character not in "^$" else "")
        return "".join(parts)

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def part(self, character: str) -> str:
        self.at += 1
        if character == "(":
            return self.group()
        if character == "[":
            return self.character_class()
        if character == "\\":
            return self.escape()
        return {".": "a", "^": "", "$": ""}.get(character, character)

    def group(self) -> str:
        is_assertion = False
        if self.peek() == "?":
            kind = re.compile(r"\?(:|=|!|<=|<!|P?<[^>]*>)").match(self.pattern, self.at)
            if kind is None:
                raise _Unreadable
            self.at = kind.end()
            is_assertion = kind[1] in ("=", "!", "<=", "<!")
        found = self.alternatives()
        if self.peek() != ")":
            raise _Unreadable
        self.at += 1
        return "" if is_assertion else found

    def escape(self) -> str:
        character = self.peek()
        self.at += 1
        if character in ("x", "u"):
            width = 2 if character == "x" else 4
            digits = self.pattern[self.at : self.at + width]
            if not re.fullmatch(r"[0-9a-fA-F]+", digits):
                raise _Unreadable
            self.at += width
            return chr(int(digits, 16))
        if character in ("p", "P"):
            end = self.pattern.find("}", self.at)
            if end < 0:
                raise _Unreadable
            name, self.at = self.pattern[self.at : end], end + 1
            return "0" if "N" in name else "A" if "Lu" in name else "a"
        if character.isdigit():
            raise _Unreadable  # a reference to a group
        return _CLASSES.get(character, character)

    def character_class(self) -> str:
        """A character of the class that begins here."""
        negated = self.peek() == "^"
        self.at += negated
        start = self.at
        first = ""
        while (character := self.peek()) != "]" or self.at == start:
            if not character:
                raise _Unreadable
            self.at += 1
            found = self.escape() if character == "\\" else character
            first = first or found
        body = self.pattern[start : self.at]
        self.at += 1
        if not negated:
            return first
        outside = (c for c in _FIRST if re.search(re.escape(c), body) is None)
        return next(outside, "~")

    def repeats(self) -> int:
        quantifier = _QUANTIFIER.match(self.pattern, self.at)
        if quantifier is None:
            return 1
        self.at = quantifier.end()
        if self.peek() in ("?", "+"):  # lazy or possessive
            self.at += 1
        least, comma, most = quantifier.groups()
        if least is None:
            least, comma, most = {"*": ("0", ",", ""), "+": ("1", ",", "")}.get(
                quantifier[0], ("0", ",", "1")
            )
        low = int(least or 0)
        high = low if not comma else int(most) if most else low + self.more
        return min(low + self.more, high, MAX_REPEATS)
