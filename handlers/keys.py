"""How an API sees the keys of its clients. The server's edge verifies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from generated.native.facts import KeyScope


class KeyRefused(Exception):
    """A key that lets nobody in; the text is for who presented it."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as its client may know it."""

    label: str
    scopes: Sequence[KeyScope]
    expires_ms: int | None


class Callers(Protocol):
    """Who has sent a request, or opened a connection by it."""

    def present(self, request: object, text: str) -> KnownKey:
        """Let the connection that this request opened have a key from now on; raises KeyRefused."""

    def is_known(self, request: object) -> bool:
        """Whether the request came with a key or a ticket, or has one from a first message."""

    def may_read(self, request: object) -> bool:
        """Whether the connection that this request opened may ask for data."""

    def ticket(self) -> tuple[str, int]:
        """A ticket for who sent the request that is being answered, and the seconds it lasts."""
