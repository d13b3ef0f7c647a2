"""Messages of the exchange that are no valid trade, on their way to the store's quarantine."""

from __future__ import annotations

from ingest.binance.now import host_ms
from ingest.storage import Quarantined
from ingest.storage.quarantine import MAX_MESSAGE_BYTES

from .retry import Retry

MAX_WAITING = 10_000
"""Messages that may wait for the store, each cut to what the store keeps of it."""


class MalformedMessages:
    """Those that wait for the store."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._waiting: list[Quarantined] = []

    def add(self, symbol: str, raw: bytes, error: str) -> None:
        """Keep a message for inspection, unless too many wait already."""
        if len(self._waiting) < MAX_WAITING:
            now_ms = host_ms()
            self._waiting.append(Quarantined(now_ms, symbol, raw[:MAX_MESSAGE_BYTES], error))

    async def flush(self) -> None:
        """Store all that wait."""
        if messages := self._waiting[:]:
            await self._retry(self._retry.store.quarantine.keep, messages)
            del self._waiting[: len(messages)]
