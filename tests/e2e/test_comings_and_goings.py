"""300 symbols by pattern, of which ten are listed and ten delisted while the server runs.

`python -m tests.e2e.test_comings_and_goings` does the same with the pauses of the real server, and
prints how long the list took to be right.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest

from generated.native.facts import DataQuality
from ingest.pipeline import following, listing
from server.app import Server
from simulator.assets import names
from tests import running
from tests.e2e.client import Client

SYMBOLS = 300
CHANGED = 10
NEW = tuple(f"NEW{number}USDT" for number in range(CHANGED))


async def test_300_symbols_by_pattern_of_which_ten_come_and_ten_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (listing, following):
        monkeypatch.setattr(module, "LIST_SECONDS", 1.0)
    await come_and_go(tmp_path)


async def come_and_go(directory: Path) -> float:
    """List and delist; returns after how many seconds the list was right."""
    exchange = running.simulator(
        *("--symbols-count", str(SYMBOLS), "--total-rate", "150", "--weight-limit", "1000000")
    )
    async with exchange as address:
        chosen = running.settings(address, directory, symbols="*", history="1m")
        async with running.server(chosen) as (server, url), Client.connect(url) as client:
            await running.until(lambda: len(complete(server)) == SYMBOLS)
            await client.send({"action": "subscribe_tickers"})
            first = await client.wait_for("initial_tickers")
            shown = {each["symbol"]: each for each in first["tickers"]}
            assert len(shown) == SYMBOLS
            gone = names(SYMBOLS)[-CHANGED:]
            began = time.monotonic()
            async with aiohttp.ClientSession() as session:
                for control, symbols in (("list", NEW), ("delist", gone), ("remove", gone)):
                    for symbol in symbols:
                        body = {"symbol": symbol} | ({"rate": 2} if control == "list" else {})
                        post = session.post(f"{address}/control/{control}", json=body)
                        async with post as reply:
                            assert reply.status == 200, await reply.text()
            expected = {
                **dict.fromkeys(NEW, ("TRADING", "complete")),
                **dict.fromkeys(gone, ("NOT_LISTED", "complete")),
            }
            async with asyncio.timeout(120):
                while expected:
                    update = await client.wait_for("ticker_update")
                    row = shown[update["symbol"]] = update["data"]
                    state = row["exchange_status"], row["data_quality"]
                    if expected.get(row["symbol"]) == state:
                        del expected[row["symbol"]]
            seconds = time.monotonic() - began
            assert len(shown) == SYMBOLS + CHANGED
            await running.until(lambda: len(complete(server)) == SYMBOLS + CHANGED)
            feeds = server.provider.feeds
            await running.until(lambda: all(feeds[symbol].trades_stored for symbol in NEW))
            for feed in feeds.values():
                assert feed.continuity is None or not feed.continuity.missing
                if feed.symbol in NEW:
                    assert feed.continuity is not None
                    assert feed.continuity.lowest == 0
    return seconds


def complete(server: Server) -> list[str]:
    feeds = server.provider.feeds.values()
    return [feed.symbol for feed in feeds if feed.status.quality is DataQuality.COMPLETE]


if __name__ == "__main__":
    with TemporaryDirectory() as path:
        took = asyncio.run(come_and_go(Path(path)))
    sys.stdout.write(f"the list was right after {took:.0f} s\n")
