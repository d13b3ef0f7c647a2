"""Ingest by cryptofeed: its connection, its Binance message handler, a callback that counts.

`ingest_cryptofeed URL TRADES SYMBOL...`, run by an interpreter that has cryptofeed. Nothing is
stored. Its connection requires a TLS address when it is created, so the address is changed later.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import uvloop
from cryptofeed.connection import WSAsyncConn
from cryptofeed.defines import BINANCE, TRADES
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbol, Symbols

QUOTE = "USDT"


class Counter:
    """The user's callback."""

    def __init__(self) -> None:
        self.trades = 0

    async def __call__(self, _trade: object, _receipt_timestamp: float) -> None:
        self.trades += 1


async def main(url: str, trades: int, symbols: Sequence[str]) -> None:
    names = {Symbol(name.removesuffix(QUOTE), QUOTE).normalized: name for name in symbols}
    Symbols.set(BINANCE, names, {"tick_size": {}, "instrument_type": {}})
    counter = Counter()
    feed = Binance(symbols=list(names), channels=[TRADES], callbacks={TRADES: counter})
    connection = WSAsyncConn("wss://replaced", "bench")
    streams = "/".join(f"{name.lower()}@aggTrade" for name in symbols)
    connection.address = f"{url.replace('http', 'ws', 1)}/stream?streams={streams}"
    async with connection.connect() as open_connection:
        print("ready", flush=True)
        async for message in open_connection.read():
            await feed.message_handler(message, open_connection, time.time())
            if counter.trades == trades:
                break
    print("done 0", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
