"""Tokens for the private server: granted for an API key, valid for some time."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

TOKEN_BYTES = 32
MAX_TOKENS = 10_000
"""Tokens that are valid at a time; the oldest give way to new ones."""


class Tokens:
    """The tokens that are valid. Without an API key none is ever granted."""

    def __init__(
        self, api_key: str, lifetime_s: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.lifetime_s = lifetime_s
        self._api_key = api_key.encode()
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        """When each token ends, in the order of their ends."""

    def grant(self, api_key: str) -> str | None:
        """A new token, or None when the key is not the one."""
        given = api_key.encode("utf-8", "surrogateescape")
        if not self._api_key or not hmac.compare_digest(given, self._api_key):
            return None
        now = self._monotonic()
        while self._ends:
            oldest, end = next(iter(self._ends.items()))
            if end > now and len(self._ends) < MAX_TOKENS:
                break
            del self._ends[oldest]
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._ends[token] = now + self.lifetime_s
        return token

    def remaining(self, token: str) -> float:
        """For how many seconds a token is valid still; 0 when it is not."""
        return max(0.0, self._ends.get(token, 0.0) - self._monotonic())
