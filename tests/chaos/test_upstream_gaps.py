"""Ids that the exchange itself does not have: kept, shown, no reason to wait, and never final."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from generated.native.facts import DataQuality
from ingest.core.missing import CONFIRM_TRIES
from ingest.core.trade import Trade
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.verdict import TIMEFRAMES, wrong_now
from tests.running import server, settings, until

SYMBOL = "AAAUSDT"
MARKET = (
    *("--symbols", SYMBOL, "--rate", "2", "--speed", "60"),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-01T01:00Z"),
)
HELD_BACK = {"delay": 1.0, "delay_ms": 600_000}
"""Faults of a stream that delivers nothing for minutes, unless it is reset."""


async def test_a_confirmed_gap_is_shown_and_a_late_trade_closes_it(tmp_path: Path) -> None:
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="30d")
        async with server(chosen) as (running, url), listening(url, [SYMBOL], TIMEFRAMES) as client:
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            assert feed.continuity is not None
            await exchange.order("answer", path="/api/v3/aggTrades", status=503, seconds=8)
            await exchange.order("faults", **HELD_BACK)
            first = await exchange.last_id(SYMBOL) + 1
            while await exchange.last_id(SYMBOL) < first + 200:  # noqa: ASYNC110  # another program
                await asyncio.sleep(0.1)
            lost = (first + 100, first + 149)
            await exchange.order("missing", symbol=SYMBOL, from_id=lost[0], to_id=lost[1])
            await exchange.order("cut")
            await until(lambda: bool(feed.continuity and feed.continuity.gaps))
            assert feed.status.quality is not DataQuality.COMPLETE

            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            [gap] = (await ticker(url))["confirmed_gaps"]
            assert (gap["from_id"], gap["to_id"], gap["missing"]) == (*lost, 50)
            assert (await ticker(url))["open_gaps"] == []

            await exchange.order("faults", reset=True)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE and not confirmed(feed))
            assert (await ticker(url))["confirmed_gaps"] == []
            await exchange.order("clock", hold=True)
            trades = await same_trades(await exchange.last_id(SYMBOL))
            await until(
                lambda: (
                    feed.trades_stored == len(trades)
                    and feed.status.quality is DataQuality.COMPLETE
                )
            )
            await asyncio.sleep(2.5)  # two ticks
            wrong = await wrong_now(url, client, SYMBOL, trades, TIMEFRAMES)
            store = running.provider.store
            assert await store.run(store.trades.since, SYMBOL, 0) == trades
        async with server(chosen) as (running, url):
            feed = running.provider.view.feed(SYMBOL)
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            assert (await ticker(url))["confirmed_gaps"] == []
    assert not wrong, "\n".join(wrong)


async def test_a_confirmed_gap_is_remembered_at_the_next_start(tmp_path: Path) -> None:
    async with Exchange.started(*MARKET) as exchange:
        await exchange.order("missing", symbol=SYMBOL, from_id=5, to_id=7)
        chosen = settings(exchange.url, tmp_path, symbols=SYMBOL, history="30d")
        asked = []
        for _ in range(2):
            async with server(chosen) as (running, url):
                feed = running.provider.view.feed(SYMBOL)
                await until(lambda: feed.status.quality is DataQuality.COMPLETE)  # noqa: B023
                [gap] = (await ticker(url))["confirmed_gaps"]
                assert (gap["from_id"], gap["to_id"]) == (5, 7)
                requests = (await exchange.state(requests=1000))["requests"]
                asked.append(sum("fromId=5&" in request["path"] for request in requests))
    again = asked[1] - asked[0]
    assert asked[0] >= CONFIRM_TRIES > 1 >= again, "it is asked for once more at most"


async def same_trades(last_id: int) -> list[Trade]:
    """The trades of the same market up to an id, from an exchange that has not lost any."""
    async with Exchange.started(*MARKET, "--clock-start", "2024-01-02T00:00Z") as exchange:
        trades = await exchange.trades(SYMBOL)
    assert trades[-1].aggregate_id > last_id
    return trades[: last_id + 1]


def confirmed(feed: Any) -> bool:
    """Whether the exchange is still known to lack ids."""
    return bool(feed.continuity.confirmed)


async def ticker(url: str) -> dict[str, Any]:
    """The server's reply on the symbol."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/tickers/{SYMBOL}") as response,
    ):
        data: dict[str, Any] = (await response.json())["data"]
        return data
