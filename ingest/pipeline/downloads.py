"""The downloads of history that are under way: how far each has come, in the log too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from generated.native.facts import DataQuality
from ingest.binance.now import now_s
from ingest.core.loading import Loading

from .feed import Feed

NOTE_SECONDS = 1.0
LOG_EVERY = 10
"""Notes from one report in the log to the next."""
LOGGED = 8
"""Symbols that have a line of their own in a report."""

log = logging.getLogger(__name__)


class Downloads:
    """The symbols whose history is being downloaded."""

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        self._feeds = feeds
        self._loading: dict[str, Loading] = {}
        self._notes = 0

    def of(self, symbol: str) -> Loading | None:
        """How far the download of a symbol has come; None when there is none."""
        feed = self._feeds.get(symbol)
        is_loading = feed is not None and feed.state.quality is DataQuality.LOADING
        return self._loading.get(symbol) if is_loading else None

    async def run(self) -> None:
        """Note each second how far they have come, until cancelled."""
        while True:
            self._note(now_s())
            await asyncio.sleep(NOTE_SECONDS)

    def _note(self, now: float) -> None:
        missing = {
            feed.symbol: feed.missing
            for feed in self._feeds.values()
            if feed.state.quality is DataQuality.LOADING
        }
        for symbol in self._loading.keys() - missing.keys():
            ended = self._loading.pop(symbol)
            if ended.total:
                log.info(
                    "%s: its history of %d trades is here",
                    symbol,
                    ended.total,
                    extra={"symbol": symbol},
                )
        for symbol, count in missing.items():
            if symbol in self._loading:
                self._loading[symbol].note(count, now)
            else:
                self._loading[symbol] = Loading(count, now)
        self._notes = self._notes + 1 if self._loading else 0
        if self._notes and self._notes % LOG_EVERY == 0:
            self._report()

    def _report(self) -> None:
        """Log those that come fastest, and how much is left of the others."""
        by_rate = sorted(self._loading.items(), key=lambda item: -item[1].trades_per_second)
        for symbol, loading in by_rate[:LOGGED]:
            fields = {"symbol": symbol, "loaded": loading.loaded, "total": loading.total}
            log.info("%s: %s", symbol, _progress(loading), extra=fields)
        others = [loading for _, loading in by_rate[LOGGED:]]
        if others:
            left = sum(loading.total - loading.loaded for loading in others)
            log.info("%d more symbols are loading: %d trades are left", len(others), left)


def _progress(loading: Loading) -> str:
    share = 100 * loading.loaded // loading.total if loading.total else 100
    left = loading.seconds_left
    until = "no end in sight" if left is None else f"{left:.0f} s left"
    return (
        f"{share}% of {loading.total} trades of its history are here,"
        f" {loading.trades_per_second} a second, {until}"
    )
