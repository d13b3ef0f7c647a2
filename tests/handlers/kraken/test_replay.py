"""Recorded and damaged streams: candles and trades are those that the exchange made."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import aiohttp

from generated.kraken.facts import INTERVAL_VALUES
from generated.native.facts import DataQuality
from server.app import Server
from tests.factories import Row, naive_candles
from tests.handlers.kraken.support import Client, until
from tests.recordings import BTCUSDT, needs_recordings, recorded_trades
from tests.running import server, settings, simulator

SPEED = "150"
SYMBOL, PAIR = "BTCUSDT", "XBT/USDT"


def wire(row: Row, interval: int) -> list[Any]:
    """A textbook candle as Kraken writes it, from its end time on."""
    end = int(row["candle_time"]) // 1000 + interval * 60
    prices = [f"{row[name]:.2f}" for name in ("open", "high", "low", "close")]
    volume, quote = Decimal(row["volume"]), Decimal(row["quote_volume"])
    mean = (quote / volume if volume else Decimal(0)).quantize(Decimal("0.01"), ROUND_DOWN)
    return [f"{end}.000000", *prices, str(mean), f"{volume:.8f}", row["trades_count"]]


@needs_recordings
async def test_recorded_trades_give_the_exchanges_candles(tmp_path: Path) -> None:
    trades = recorded_trades(BTCUSDT)
    replay = ("--replay", f"{SYMBOL}={BTCUSDT}", "--speed", SPEED, "--wait-for-subscriber")
    chosen = {"symbols": SYMBOL, "history": "30d", "subscriptions_per_connection": "20"}
    async with (
        simulator(*replay) as exchange,
        server(settings(exchange, tmp_path, **chosen)) as (running, url),
        Client.connect(url) as client,
    ):
        for interval in INTERVAL_VALUES:
            await client.subscribe(PAIR, name="ohlc", interval=interval)
        feed = running.provider.view.feed(SYMBOL)
        stored = asyncio.create_task(until(lambda: feed.trades_stored == len(trades)))
        while not stored.done():
            await client.receive()
        await stored
        await client.wait_for(lambda message: message == {"event": "heartbeat"})
    for interval in INTERVAL_VALUES:
        received = {row[1]: row[1:] for row in client.received(f"ohlc-{interval}", PAIR)}
        wanted = naive_candles(trades, interval, trades[-1].timestamp)
        expected = {row[0]: row for row in (wire(each, interval) for each in wanted)}
        ended = set(received) & set(expected)
        assert {end: received[end] for end in ended} == {end: expected[end] for end in ended}
        # All candles from the first one received to the one that was running at the end.
        assert sorted(ended) == sorted(expected)[-len(ended) :]
        assert ended
    assert len({row[1] for row in client.received("ohlc-1", PAIR)}) >= 7


async def test_no_trade_is_lost_or_repeated_when_the_stream_is_damaged(tmp_path: Path) -> None:
    faults = "drop=0.02,repeat=0.05,reorder=0.05,cut_every=200,seed=5"
    options = ("--symbols", SYMBOL, "--rate", "100", "--seed", "9", "--faults", faults)
    async with (
        simulator(*options) as exchange,
        server(settings(exchange, tmp_path, symbols=SYMBOL, history="2m")) as (running, url),
        Client.connect(url) as client,
    ):
        feed = running.provider.view.feed(SYMBOL)
        await until(lambda: feed.status.quality is DataQuality.COMPLETE)
        await client.subscribe(PAIR, name="trade")
        while len(rows(client)) < 300 or feed.counters.refetched == 0:
            await client.data("trade", PAIR)
        assert feed.continuity is not None
        newest = feed.continuity.high_water
        await until(lambda: feed.status.quality is DataQuality.COMPLETE)
        await until(lambda: feed.trades_stored >= feed_held(running))
        # Everything published up to now has come before the answer.
        await client.ask({"event": "ping"})
        kept = await stored(url, newest)
    received = Counter(rows(client))
    first = min(kept.index(row) for row in received if row in kept)
    assert len(kept[first:]) > 150
    assert {row: received[row] for row in kept[first:]} == Counter(kept[first:])


def rows(client: Client) -> list[tuple[Any, ...]]:
    return [key(*row[:4]) for batch in client.received("trade", PAIR) for row in batch]


def key(price: object, volume: object, time: object, side: object) -> tuple[Any, ...]:
    return Decimal(str(price)), Decimal(str(volume)), Decimal(str(time)), side


def feed_held(running: Server) -> int:
    continuity = running.provider.view.feed(SYMBOL).continuity
    return continuity.held if continuity else 0


async def stored(url: str, newest: int) -> list[tuple[Any, ...]]:
    """The stored trades up to an id, by id."""
    async with aiohttp.ClientSession(url) as session:
        path = f"/api/v1/data/trades/{SYMBOL}?from_id={newest - 200}&limit=201"
        body = json.loads(await (await session.get(path)).text(), parse_float=Decimal)
    return [
        key(
            each["price"],
            each["quantity"],
            Decimal(each["timestamp"]) / 1000,
            "s" if each["is_buyer_maker"] else "b",
        )
        for each in body["data"]
    ]
