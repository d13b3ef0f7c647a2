"""The server is killed at random moments and loses nothing.

CHAOS_KILLS=200 CHAOS_SEED=1 python -m pytest tests/chaos/test_kills.py -s
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import aiohttp

from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.process import ServerProcess
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store, wrong_words
from tests.e2e.client import Client, until_whole

KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
SEED = int(os.environ.get("CHAOS_SEED", "7"))
SYMBOLS = ("AAAUSDT", "BBBUSDT")
MARKET = (
    *("--symbols", ",".join(SYMBOLS), "--tombstones", "0.01"),
    *("--rate", "0.05", "--speed", "3000"),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-03T00:00Z"),
    *("--faults", "drop=0.003,repeat=0.02,reorder=0.01,corrupt=0.002,cut_every=3000,seed=5"),
    *("--connect-limit", "1000000"),
)
"""150 trades of a symbol and 50 minutes go by in a second; a bucket of 2850 minutes in a minute."""

EARLY_SHARE = 0.3
"""Of the kills so many come while the server starts and repairs itself."""


async def test_no_kill_costs_a_trade_or_a_candle(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    settings = {
        "symbols": ",".join(SYMBOLS),
        "history": "30d",
        "store": f"chdb:///{tmp_path}/db",
    }
    clients: list[Client] = []
    ready: list[float] = []
    async with Exchange.started(*MARKET) as exchange:
        for number in range(KILLS):
            server = await ServerProcess.start(exchange.url, tmp_path / "log", **settings)
            if rng.random() < EARLY_SHARE:
                await asyncio.sleep(rng.uniform(0.5, 4.0))
            else:
                await live(server, rng, clients, ready)
            await server.kill()
            print(f"kill {number + 1}: ready after {ready[-1:] or '-'} s", flush=True)
        server = await ServerProcess.start(exchange.url, tmp_path / "log", **settings)
        url = await server.url()
        async with Client.connect(url) as client:
            clients.append(client)
            for symbol in SYMBOLS:
                await client.subscribe(symbol, TIMEFRAMES, 1000)
            await until_whole(client, SYMBOLS)
            ready.append(time.monotonic() - server.started)
            await exchange.order("clock", hold=True)
            trades = {symbol: await exchange.trades(symbol) for symbol in SYMBOLS}
            await until_stored(url, client, {s: len(t) for s, t in trades.items()})
            wrong = [
                line
                for symbol in SYMBOLS
                for line in await wrong_now(url, client, symbol, trades[symbol], TIMEFRAMES)
            ]
        assert await server.terminate() == 0
    with Store(settings["store"]) as store:
        for symbol in SYMBOLS:
            wrong += wrong_store(store, symbol, trades[symbol])
            for client in clients:
                wrong += wrong_words(client, symbol, trades[symbol])
    ready.sort()
    received = sum(len(client.received) for client in clients)
    print(
        f"{KILLS} kills, seed {SEED}: {sum(map(len, trades.values()))} trades, {received} candles;"
        f" complete {ready[len(ready) // 2]:.1f} s after the start, at most {ready[-1]:.1f} s"
    )
    assert not wrong, "\n".join(wrong[:30])


async def live(
    server: ServerProcess, rng: random.Random, clients: list[Client], ready: list[float]
) -> None:
    """Some moments of a life: subscriptions come and go, timeframes that nobody had before too."""
    url = await server.url()
    async with Client.connect(url) as client:
        clients.append(client)
        for symbol in SYMBOLS:
            await client.subscribe(symbol, TIMEFRAMES, rng.choice((0, 20, 1000)))
        if rng.random() < 0.5:
            await until_whole(client, SYMBOLS)
            ready.append(time.monotonic() - server.started)
        try:
            async with asyncio.timeout(rng.uniform(0.0, 2.5)):
                while True:
                    symbol, timeframe = rng.choice(SYMBOLS), rng.randint(1, 3000)
                    await client.subscribe(symbol, [timeframe], rng.choice((0, 5)))
                    for _ in range(rng.randint(0, 6)):
                        await client.receive()
                    part = {"symbol": symbol, "timeframes": [timeframe]}
                    await client.send({"action": "unsubscribe", "subscriptions": [part]})
        except TimeoutError:
            return


async def until_stored(url: str, client: Client, counts: dict[str, int]) -> None:
    """Wait until the server says that it has stored so many trades and is complete."""
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/api/v1/tickers/") as response:
                tickers = (await response.json())["data"]
            if all(
                item["trades_stored"] == counts[item["symbol"]]
                and item["data_status"]["data_quality"] == "complete"
                for item in tickers
            ):
                break
            await drain(client, 0.2)
    await drain(client, 3.0)


async def drain(client: Client, seconds: float) -> None:
    """Receive for a while."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await client.receive(seconds + 1)
    except TimeoutError:
        return
