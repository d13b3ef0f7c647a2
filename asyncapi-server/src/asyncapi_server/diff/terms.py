"""The terms between a server and its clients that documents leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one comparison; without any, a comparison assumes the least of clients."""

    ignored: frozenset[str] = frozenset()
    """Extensions, such as "x-internal", that no client depends on."""
    open_messages: bool = False
    """Whether clients ignore messages of a kind that they do not know."""
