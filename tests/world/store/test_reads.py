"""Candles are not called complete where a part of the store was lost while they were read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from generated.native.facts import DataQuality
from handlers.native.forms import CANDLES, history_candles
from ingest.binance.clock import ExchangeClock
from ingest.core.continuity import Continuity
from ingest.core.errors import StoreUnavailable
from ingest.core.paging import Bounds
from ingest.core.timeframe import MINUTE_MS
from ingest.pipeline.feed import Feed
from ingest.pipeline.hot import Hot
from ingest.pipeline.materialize import Materializer
from ingest.pipeline.pair import Pair
from ingest.pipeline.retry import Retry
from ingest.pipeline.view import MarketView
from ingest.pipeline.watches import Watches
from ingest.storage import AsyncStore

from .model import ModelStore
from .test_damage import MINUTES, SYMBOL, filled_disk
from .weather import Calm

END_MS = MINUTES * MINUTE_MS


class Met(Calm):
    """The weather in which a part is lost, and met by somebody else, before one of the calls."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.meet: Callable[[], object] = lambda: None

    async def before(self) -> None:
        """Count the calls down."""
        self.calls -= 1
        if self.calls == 0:
            self.meet()


@pytest.mark.parametrize("table", ["minutes", "candles"])
async def test_a_page_is_whole_or_not_called_complete(table: str) -> None:
    for at in range(1, 9):
        feed, disk, weather = Feed(SYMBOL), filled_disk(), Met(at)
        with ModelStore(disk, weather) as store:

            def meet(store: ModelStore = store) -> None:
                disk.damage(table)  # noqa: B023  # called in this round alone
                for _ in range(2):  # the first read fails, the next one finds out why
                    with suppress(StoreUnavailable):
                        store._look_first(lambda: store.candles.first_minute(SYMBOL))

            weather.meet = meet
            store.on_torn = lambda _, feed=feed: feed.state.close()  # type: ignore[misc]
            feed.open(Continuity(0, MINUTES - 1), END_MS, 0)
            feed.joined(0)
            feed.state.settle()
            assert feed.complete()
            view = await view_of(feed, store)
            with suppress(StoreUnavailable):
                page = await view.page(Pair(SYMBOL, 7), 100, Bounds(), CANDLES)
                if page.status.quality is DataQuality.COMPLETE:
                    body = history_candles(page.closed, page.live)
                    counts = [candle["trades_count"] for candle in json.loads(body)]
                    assert counts[:14] == [7] * 14, (at, counts)
    assert weather.calls > 0, "a page takes more calls"


async def view_of(feed: Feed, store: ModelStore) -> MarketView:
    """The candles of one feed, at the end of its trades."""

    async def server_time() -> int:
        return END_MS

    retry, feeds = Retry(AsyncStore(store)), {feed.symbol: feed}
    clock = ExchangeClock(server_time, monotonic=lambda: 0.0)
    await clock.synchronize()
    watches = Watches(retry, asyncio.Lock(), clock, Materializer(retry, 0, 60.0))
    return MarketView(feeds, {}, retry, clock, watches, Hot(retry.store))
