"""Tickets: texts that open one WebSocket each, for browsers. Pure: times are arguments."""

from __future__ import annotations

import secrets
from typing import Final

from server.edge.keys import Key, WrongKey

PREFIX: Final = "cct_"
TICKET_SECONDS: Final = 30
MAX_TICKETS_PER_KEY: Final = 1000
"""Those of clients without a key count together."""

_WRONG = (
    f"The ticket is unknown, was used, or is older than {TICKET_SECONDS} s; ask for another one"
)


class Tickets:
    """The tickets that can still be used, in memory."""

    def __init__(self) -> None:
        self._of: dict[str | None, dict[str, tuple[int, Key | None]]] = {}
        """By the id of its key, then by ticket, the oldest first: when it ends, and the key."""

    def issue(self, key: Key | None, now_ms: int) -> str:
        """A new ticket for who has this key; the oldest of too many ends."""
        self._forget(now_ms)
        tickets = self._of.setdefault(None if key is None else key.id, {})
        if len(tickets) >= MAX_TICKETS_PER_KEY:
            del tickets[next(iter(tickets))]
        text = PREFIX + secrets.token_urlsafe(32)
        tickets[text] = now_ms + TICKET_SECONDS * 1000, key
        return text

    def redeem(self, text: str, now_ms: int) -> Key | None:
        """The key of a ticket, which is used by this; raises WrongKey."""
        self._forget(now_ms)
        for tickets in self._of.values():
            if (found := tickets.pop(text, None)) is not None:
                return found[1]
        raise WrongKey(_WRONG)

    def _forget(self, now_ms: int) -> None:
        """Drop what has ended; a clock that was set back ends none early."""
        for key_id, tickets in list(self._of.items()):
            while tickets and next(iter(tickets.values()))[0] <= now_ms:
                del tickets[next(iter(tickets))]
            if not tickets:
                del self._of[key_id]
