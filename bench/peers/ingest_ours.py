"""Ingest by the product's provider: from the exchange's socket to the acknowledged insert.

`ingest_ours URL DIRECTORY TRADES WATCHED SYMBOL...` prints `ready` when every symbol is followed
and WATCHED timeframes are watched and materialized, and `done` when TRADES trades are in the store.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import uvloop

from ingest.core.symbol import Symbols
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider
from ingest.storage import Store

HISTORY_MS = 0
POLL_SECONDS = 0.05


async def main(url: str, directory: str, trades: int, watched: int, symbols: Sequence[str]) -> None:
    store = await asyncio.to_thread(Store, f"chdb:///{directory}")
    pairs = [
        Pair(symbols[number % len(symbols)], 2 + number // len(symbols))
        for number in range(watched)
    ]
    for pair in pairs:  # else each would have to be watched for a while first
        await asyncio.to_thread(store.candles.materialize, *pair)
    provider = Provider(
        store, url, url.replace("http", "ws", 1), Symbols(tuple(symbols)), HISTORY_MS
    )
    following = asyncio.create_task(provider.run())
    feeds = list(provider.feeds.values())
    while not all(feed.state.is_open and feed.state.is_connected for feed in feeds):
        await _pause(following)
    async with asyncio.TaskGroup() as group:
        for pair in pairs:
            group.create_task(provider.view.follow(pair).ready())
    print("ready", flush=True)
    while sum(feed.trades_stored for feed in feeds) < trades:
        await _pause(following)
    print("done", sum(feed.counters.refused for feed in feeds), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await asyncio.to_thread(store.close)


async def _pause(following: asyncio.Task[None]) -> None:
    if following.done():
        following.result()
    await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]))
