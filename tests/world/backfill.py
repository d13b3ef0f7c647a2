"""One run of the backfill: alone on the store, over a network of its own, orderly or killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.binance.archive import BinanceArchive
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import ExchangeError, StoreUnavailable
from ingest.core.keep import Keep
from ingest.pipeline.backfill import Backfill, Outcome
from ingest.storage import AsyncStore, Store
from tests.world.faults import Faults
from tests.world.market import Market
from tests.world.network import ARCHIVE_URL, REST_URL, SimulatedNetwork
from tests.world.plan import Plan
from tests.world.process import Crashed, StoreWeather

SPANS_MS: Final = tuple(minutes * 60_000 for minutes in (5, 40, 24 * 60, 32 * 24 * 60))
LONGEST_S: Final = 600.0
KILLED: Final = 0.4
"""The share of runs that are killed at one of their statements, if they get so far."""


class Quiet:
    """A reporter of which nothing is seen."""

    def planned(self, symbol: str, trades: int) -> None:
        """So many are not stored yet."""

    def stored(self, symbol: str, trades: int) -> None:
        """So many more are."""

    def fetched(self, symbol: str, size: int) -> None:
        """So many bytes have come."""

    def note(self, text: str) -> None:
        """A remark."""


class Backfilling:
    """A run of the backfill on a store that is open for it alone."""

    def __init__(
        self,
        plan: Plan,
        open_store: Callable[[StoreWeather], Store],
        faults: Faults,
        network: SimulatedNetwork,
        directory: Path,
        luck: random.Random,
        fail: Callable[[str], None],
    ) -> None:
        self._keep = Keep({"*": plan.keep_days} if plan.keep_days else {})
        self._confirm_seconds = plan.confirm_seconds
        self._weather = StoreWeather(faults, luck, self._kill)
        self._store = open_store(self._weather)
        self._network = network
        self._directory = directory
        self._luck = luck
        self._fail = fail

    async def run(self, market: Market) -> None:
        """Fill a span of a market, until it is done, fails, is stopped or is killed."""
        luck, weather = self._luck, self._weather
        if luck.random() < KILLED:
            weather.crash_in = luck.choice((2, 10, 40)) + luck.randrange(10)
        work = asyncio.create_task(self._fill(market, luck.choice(SPANS_MS)))
        try:
            await asyncio.wait([work], timeout=luck.choice((0.2, 3.0, LONGEST_S, LONGEST_S)))
        finally:
            work.cancel()
            await asyncio.wait([work])
            is_killed = weather.is_dead
            with suppress(StoreUnavailable, Crashed):
                self._store.close()
            self._kill()
        error = None if work.cancelled() else work.exception()
        if not is_killed and error is not None and not _is_expected(error):
            self._fail(f"the backfill of {market.symbol} failed: {error!r}")

    def _kill(self) -> None:
        """Nothing is stored, sent or received any more."""
        self._weather.is_dead = True
        self._network.die()

    async def _fill(self, market: Market, span_ms: int) -> None:
        network, symbol = self._network, market.symbol
        archive = None
        async with (
            BinanceRest(REST_URL, WeightCoordinator(), network=network) as rest,
            BinanceArchive(ARCHIVE_URL, self._directory, network=network) as files,
        ):
            if symbol not in (await rest.exchange_info([symbol])).symbols:
                return
            if self._luck.random() < 0.7:
                archive = files
            now_ms = await rest.server_time()
            since_ms = max(now_ms - span_ms, self._keep.since_ms(symbol, now_ms))
            outcome = await Backfill(
                AsyncStore(self._store), rest, archive, Quiet(), self._confirm_seconds
            ).run(symbol, since_ms, now_ms + 1)
        self._check(market, outcome)

    def _check(self, market: Market, outcome: Outcome) -> None:
        """All that the exchange has of the span is stored, or was named as missing."""
        if outcome.wanted is None:
            return
        named = [*outcome.confirmed, *outcome.unreadable, *outcome.remaining]
        stored = {t.aggregate_id: t for t in self._store.trades.since(market.symbol, 0)}
        for trade in market.existing():
            number = trade.aggregate_id
            if outcome.wanted.from_id <= number <= outcome.wanted.to_id:
                is_named = any(gap.from_id <= number <= gap.to_id for gap in named)
                if stored.get(number, trade) != trade or (number in stored) == is_named:
                    self._fail(f"{market.symbol}: the backfill has {stored.get(number)}: {outcome}")
                    return


def _is_expected(error: BaseException) -> bool:
    """Whether the command ends with this error by its contract."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_expected, error.exceptions))
    return isinstance(error, (ExchangeError, StoreUnavailable))
