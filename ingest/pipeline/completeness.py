"""Which symbols became complete, and which no longer are: in the log, a few lines at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from generated.native.facts import DataQuality

from .feed import Feed

NOTE_SECONDS = 1.0
LOGGED = 8
"""Symbols that have a line of their own each time."""

log = logging.getLogger(__name__)


class Completeness:
    """Compares the symbols with what they were a second ago: what comes and goes between is none.

    Streams that go down have a line elsewhere, for all of their symbols together.
    """

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        self._feeds = feeds
        self._complete: set[str] = set()

    async def run(self) -> None:
        """Note each second what changed, until cancelled."""
        while True:
            self._note()
            await asyncio.sleep(NOTE_SECONDS)

    def _note(self) -> None:
        quality = {symbol: feed.status.quality for symbol, feed in self._feeds.items()}
        complete = {symbol for symbol, each in quality.items() if each is DataQuality.COMPLETE}
        lost = [
            symbol
            for symbol in sorted(self._complete - complete)
            if quality.get(symbol) is DataQuality.PARTIAL
        ]
        _report(sorted(complete - self._complete), self._say_complete, "are complete")
        _report(lost, self._say_missing, "lack trades, which are fetched")
        self._complete = complete

    def _say_complete(self, symbol: str) -> None:
        log.info("%s is complete", symbol, extra={"symbol": symbol})

    def _say_missing(self, symbol: str) -> None:
        missing = self._feeds[symbol].missing
        fields = {"symbol": symbol, "missing": missing}
        log.info("%s: %d trades are missing and are fetched", symbol, missing, extra=fields)


def _report(symbols: Sequence[str], say: Callable[[str], None], more: str) -> None:
    for symbol in symbols[:LOGGED]:
        say(symbol)
    if len(symbols) > LOGGED:
        log.info("%d more symbols %s", len(symbols) - LOGGED, more)
