"""Recorded trades, replayed by the simulator through the whole server, give exact candles."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from generated.native.facts import DataQuality
from ingest.core.trade import Trade
from server.app import Server
from tests.e2e.client import Client, until_whole, wire, wrong_candles
from tests.factories import Row, naive_candles, row
from tests.recordings import BTCUSDT, BTCUSDT_KLINES, XRPETH, needs_recordings, recorded_trades
from tests.running import server, settings, simulator, until

TIMEFRAMES = (1, 7, 15, 173, 2850)
FAULTS = "drop=0.003,repeat=0.05,reorder=0.02,corrupt=0.002,cut_every=2500,seed=5"


async def until_stored(running: Server, symbol: str, count: int) -> None:
    """Wait until all trades are stored and the data is complete."""
    feed = running.provider.view.feed(symbol)
    await until(lambda: feed.trades_stored >= count and feed.status.quality is DataQuality.COMPLETE)


async def until_sent_is_stored(running: Server, symbol: str) -> None:
    """Wait until the store has what subscribers may have received by now."""
    feed = running.provider.view.feed(symbol)
    assert feed.continuity is not None
    held = feed.continuity.held
    await until(lambda: feed.trades_stored >= held)


async def ticks(client: Client, seconds: float) -> None:
    """Receive for a while."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await client.receive(seconds + 1)
    except TimeoutError:
        return


async def stored_rows(running: Server, symbol: str, timeframe: int) -> list[Row]:
    """Closed candles as the store's view gives them to SQL."""
    store = running.provider.store
    name = f"ohlcv_{timeframe}_{symbol.lower()}_mv"
    found = await store.run(
        store.connection.rows,
        f"SELECT candle_time, open, high, low, close, volume, trades_count, taker_buy_volume,"
        f" volume - taker_buy_volume FROM {name} ORDER BY candle_time",
    )
    names = (
        *("candle_time", "open", "high", "low", "close", "volume", "trades_count"),
        *("taker_buy_volume", "taker_sell_volume"),
    )
    return [dict(zip(names, item, strict=True)) for item in found]


async def replayed(tmp_path: Path, symbol: str, path: Path, speed: str, *options: str) -> None:
    """Replay a recording and compare everything sent and stored with the textbook."""
    trades = recorded_trades(path)
    end = trades[-1].timestamp
    replay = ("--replay", f"{symbol}={path}", "--speed", speed, "--wait-for-subscriber")
    async with (
        simulator(*replay, *options) as exchange,
        server(settings(exchange, tmp_path, symbols=symbol, history="30d")) as (running, url),
        Client.connect(url) as client,
    ):
        for timeframe in TIMEFRAMES:
            candles = running.provider.store.candles
            await running.provider.store.run(candles.materialize, symbol, timeframe)
        await client.subscribe(symbol, TIMEFRAMES, candles=1000)
        stored = asyncio.create_task(until_stored(running, symbol, len(trades)))
        while not stored.done():
            await client.receive()
        await stored
        await ticks(client, 3)
        assert wrong_candles(client, symbol, trades) == []
        store = running.provider.store
        counts = "SELECT count(), uniqExact(aggregate_id) FROM trades FINAL WHERE symbol = "
        found = await store.run(
            store.connection.rows, counts + "{symbol:String}", {"symbol": symbol}
        )
        assert found == [(len(trades), len(trades))]
        for timeframe in TIMEFRAMES:
            expected = [wire(item) for item in naive_candles(trades, timeframe, end)]
            received = client.candles[symbol, f"{timeframe}m"]
            newest = expected[-1000:]
            assert [received.get(int(item["candle_time"])) for item in newest] == newest
            await compare_store(running, symbol, timeframe, expected)
        await compare_history(url, symbol, trades, end)


async def compare_store(
    running: Server, symbol: str, timeframe: int, expected: Sequence[Row]
) -> None:
    """The store has a row for each bucket with trades; those that were closed are final."""
    watermark = running.provider.view.feed(symbol).live.watermark
    rows = {item["candle_time"]: item for item in await stored_rows(running, symbol, timeframe)}
    for item in expected:
        end = int(item["candle_time"]) + timeframe * 60_000
        if item["trades_count"] and end <= watermark:
            assert rows[item["candle_time"]] == item


async def compare_history(url: str, symbol: str, trades: Sequence[Trade], end: int) -> None:
    """A client that comes later gets the same candles as history."""
    async with Client.connect(url) as late:
        await late.subscribe(symbol, TIMEFRAMES, candles=1000)
        for _ in TIMEFRAMES:
            message = await late.wait_for("initial_history")
            timeframe = int(message["timeframe"][:-1])
            expected = [wire(item) for item in naive_candles(trades, timeframe, end)]
            received = late.candles[symbol, message["timeframe"]]
            known = [item for item in expected if item["candle_time"] >= min(received)]
            assert [received[int(item["candle_time"])] for item in known] == known
            assert len(received) >= min(1000, len(expected))


@needs_recordings
async def test_a_replay_is_exact_at_every_timeframe(tmp_path: Path) -> None:
    await replayed(tmp_path, "XRPETH", XRPETH, "12000")


@needs_recordings
async def test_a_replay_with_a_misbehaving_stream_is_as_exact(tmp_path: Path) -> None:
    await replayed(tmp_path, "XRPETH", XRPETH, "6000", "--faults", FAULTS)


@needs_recordings
async def test_the_recorded_page_gives_the_exchange_s_own_minutes(tmp_path: Path) -> None:
    trades = recorded_trades(BTCUSDT)
    with zipfile.ZipFile(BTCUSDT_KLINES) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    klines = {int(item[0]): item for item in csv.reader(io.StringIO(text))}
    first = trades[0].timestamp // 60_000 * 60_000 + 60_000
    last = trades[-1].timestamp // 60_000 * 60_000
    replay = ("--replay", f"BTCUSDT={BTCUSDT}", "--start-at", "1.0")
    async with (
        simulator(*replay) as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT", history="1d")) as (running, _),
    ):
        await until_stored(running, "BTCUSDT", len(trades))
        store = running.provider.store
        await until(lambda: running.provider.view.feed("BTCUSDT").live.watermark >= last)
        candles = await store.run(store.candles.read, "BTCUSDT", 1, last, 10)
    minutes = [candle for candle in candles if first <= candle.candle_time < last]
    assert len(minutes) == 7
    for candle in minutes:
        ours = row(candle)
        theirs = klines[candle.candle_time]
        assert [str(candle.candle_time), str(candle.candle_time + 59_999)] == [theirs[0], theirs[6]]
        names = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
        columns = (1, 2, 3, 4, 5, 7, 9)
        for name, column in zip(names, columns, strict=True):
            assert ours[name] == Decimal(theirs[column]), name
        assert candle.trades_count == int(theirs[8])
        assert Decimal(candle.taker_buy_quote_volume).scaleb(-16) == Decimal(theirs[10])


@pytest.mark.parametrize("history", ["40m"])
async def test_seeded_trades_of_many_symbols_are_exact(tmp_path: Path, history: str) -> None:
    symbols = ("AAAUSDT", "BBBUSDT", "CCCUSDT")
    options = ("--symbols", ",".join(symbols), "--rate", "20", "--seed", "3")
    faults = ("--faults", "drop=0.001,repeat=0.02,reorder=0.01,seed=2", "--tombstones", "0.02")
    async with (
        simulator(*options, *faults) as exchange,
        server(settings(exchange, tmp_path, symbols=",".join(symbols), history=history)) as (
            running,
            url,
        ),
        Client.connect(url) as client,
    ):
        for symbol in symbols:
            await client.subscribe(symbol, (1, 7), candles=20)
        await until_whole(client, symbols)
        await ticks(client, 8)
        store = running.provider.store
        for symbol in symbols:
            await until_sent_is_stored(running, symbol)
            trades = await store.run(store.trades.since, symbol, 0)
            real = [trade for trade in trades if not trade.is_tombstone]
            assert len(real) < len(trades)
            assert client.candles[symbol, "7m"]
            assert wrong_candles(client, symbol, real) == []
