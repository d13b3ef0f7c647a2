"""Days that are no longer kept expire, and all that is kept stays what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from generated.native.facts import DataQuality
from ingest.core.errors import SettingError
from ingest.core.keep import DAY_MS
from server.app import Server
from tests.running import server, settings, simulator, until

SYMBOL = "AAAUSDT"
EXCHANGE = ("--symbols", SYMBOL, "--rate", "0.02", "--seed", "4")


async def get(url: str, path: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1{path}") as reply:
        assert reply.status == 200, await reply.text()
        return orjson.loads(await reply.read())["data"]


async def candles(url: str, timeframe: int) -> list[dict[str, Any]]:
    """All closed candles."""
    path = f"/data/candles/{SYMBOL}?timeframe={timeframe}&limit=10000"
    return [candle for candle in await get(url, path) if candle["closed"]]


async def until_complete(running: Server) -> None:
    feed = running.provider.view.feed(SYMBOL)
    await until(lambda: feed.status.quality is DataQuality.COMPLETE)


async def until_expired(running: Server) -> None:
    """Wait until a line is drawn and the feed holds to it."""
    feed, retention = running.provider.view.feed(SYMBOL), running.provider.store.retention

    def expired() -> bool:
        first_id = retention.line(SYMBOL).first_id
        return feed.continuity is not None and 0 < first_id == feed.continuity.first_id

    await until(expired)


@pytest.mark.parametrize("timeframe", [1, 173])
async def test_trades_expire_before_their_candles(tmp_path: Path, timeframe: int) -> None:
    async with simulator(*EXCHANGE) as exchange:
        chosen = settings(exchange, tmp_path, symbols=SYMBOL, history="4d")
        async with server(chosen) as (running, url):
            await until_complete(running)
            before = await candles(url, timeframe)
        kept = {"history": "1d", "keep_trades": "1d", "keep_candles": f"{SYMBOL}=2d"}
        chosen = settings(exchange, tmp_path, symbols=SYMBOL, **kept)
        for _ in range(2):  # as it expires, and after a restart
            async with server(chosen) as (running, url):
                await until_complete(running)
                await until_expired(running)
                today = running.provider.clock.now_ms() // DAY_MS * DAY_MS
                ticker = await get(url, f"/tickers/{SYMBOL}")
                since, candles_since = ticker["trades_kept_since"], ticker["candles_kept_since"]
                assert (since, candles_since) == (today - DAY_MS, today - 2 * DAY_MS)
                assert since <= ticker["first_trade_time"] < since + DAY_MS
                oldest = (await get(url, f"/data/trades/{SYMBOL}?from_id=0&limit=1"))[0]
                assert oldest["aggregate_id"] == ticker["first_aggregate_id"]
                store = running.provider.store
                held = await store.run(store.trades.id_range, SYMBOL)
                assert held is not None
                assert held.holes == []
                shown = await candles(url, timeframe)
                begin = shown[0]["candle_time"]  # quiet candles need a close before them
                assert candles_since <= begin < candles_since + DAY_MS // 4
                expected = [c for c in before if c["candle_time"] >= begin]
                assert shown[: len(expected)] == expected
                assert expected[0]["candle_time"] < since, "candles outlive their trades"
                assert await store.run(list, store.audit.run(repair=False)) == []


def test_what_is_downloaded_at_a_start_has_to_be_kept(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="CANDLECAST_HISTORY"):
        settings("http://127.0.0.1:1", tmp_path, history="25h", keep_trades="1d")
