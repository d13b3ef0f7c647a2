"""Secrets are taken out of texts, and texts are made to stay on their line."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "***"


class Redaction:
    """Hides secrets, in each spelling that a log may have of them."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        spellings = {text for secret in secrets if secret for text in (secret, quote(secret, ""))}
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in self._spellings:
            text = text.replace(secret, HIDDEN)
        return text


def one_line(text: str, longest: int) -> str:
    """A text cut to a length, with everything escaped that is not plain to see: what ends a line,
    turns its order around, or cannot be written."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
