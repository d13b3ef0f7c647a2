"""Symbols come and go while the exchange runs, over REST and on the streams."""

import asyncio
from typing import Any

import aiohttp
import numpy as np
import pytest

from simulator.app import Settings
from simulator.assets import asset, names
from simulator.clock import real_time_us
from simulator.seeded import HOUR_US, SeededMarket
from simulator.spans import Since, Until
from tests.simulator.conftest import BTCUSDT, Client, Start, needs_recordings, trades

NEW = "NEWUSDT"
AT_US = 1_700_000_000_000_000


def an_hour_ago() -> int:
    """Return a genesis for a short history, of which figures are made in no time."""
    return real_time_us() // HOUR_US * HOUR_US - HOUR_US


@pytest.fixture
async def client(start: Start) -> Client:
    return await start(
        Settings(symbols=("BTCUSDT", "ETHUSDT"), rate=200.0, genesis_us=an_hour_ago())
    )


async def refused(client: Client, name: str, **values: object) -> str:
    """Send a control request that is refused; gives the error."""
    async with client.session.post(f"{client.url}/control/{name}", json=values) as response:
        assert response.status == 400
        return str((await response.json())["error"])


async def statuses(client: Client) -> dict[str, str]:
    _, info = await client.get("exchangeInfo")
    assert info["simulated"] is True
    return {symbol["symbol"]: symbol["status"] for symbol in info["symbols"]}


async def listed(client: Client, path: str) -> set[str]:
    """Return the symbols of a list of tickers."""
    status, rows = await client.get(path)
    assert status == 200
    return {row["symbol"] for row in rows}


async def subscribe(socket: aiohttp.ClientWebSocketResponse[bool], *streams: str) -> None:
    await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})


async def test_a_symbol_is_listed_and_trades_from_its_first_id(client: Client) -> None:
    assert (await client.get("aggTrades", symbol=NEW))[1]["code"] == -1121
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        await trades(socket, 1)
        await subscribe(socket, "newusdt@aggTrade")
        await client.control("list", symbol=NEW, rate=200)
        found: list[dict[str, Any]] = []
        while len(found) < 40:
            message = await socket.receive_json(timeout=5)
            found += [message] if message.get("s") == NEW else []
    assert [event["a"] for event in found] == list(range(40))
    assert found[0]["f"] == 0
    _, rows = await client.get("aggTrades", symbol=NEW, fromId=0, limit=40)
    assert [{key: event[key] for key in "apqflTmM"} for event in found] == rows
    assert await statuses(client) == dict.fromkeys(("BTCUSDT", "ETHUSDT", NEW), "TRADING")
    for path in ("ticker/price", "ticker/24hr", "ticker/bookTicker"):
        assert await listed(client, path) == {"BTCUSDT", "ETHUSDT", NEW}
    _, klines = await client.get("klines", symbol=NEW, interval="1m", startTime=0)
    assert klines[0][0] == found[0]["T"] // 60_000 * 60_000


async def test_every_stream_of_a_listed_symbol_works_on_an_open_connection(client: Client) -> None:
    async with client.connect("/stream") as socket:
        await client.control("list", symbol=NEW, rate=200)
        wanted = {
            f"newusdt@{kind}"
            for kind in ("trade", "bookTicker", "kline_1m", "miniTicker", "ticker")
        }
        await subscribe(socket, *wanted)
        while wanted:
            message = await socket.receive_json(timeout=5)
            wanted.discard(message.get("stream"))


async def test_a_delisted_symbol_trades_no_more_and_keeps_its_history(client: Client) -> None:
    async with client.connect("/ws/ethusdt@aggTrade") as socket:
        last = (await trades(socket, 5))[-1]["a"]
        state = await client.control("delist", symbol="ETHUSDT")
        end = state["symbols"]["ETHUSDT"]["last_id"]
        if end > last:
            found = await trades(socket, end - last)
            assert [event["a"] for event in found] == list(range(last + 1, end + 1))
        await subscribe(socket, "btcusdt@aggTrade")
        others = [await socket.receive_json(timeout=5) for _ in range(100)]
        assert {event.get("s") for event in others} == {"BTCUSDT", None}
    assert await statuses(client) == {"BTCUSDT": "TRADING", "ETHUSDT": "BREAK"}
    _, rows = await client.get("aggTrades", symbol="ETHUSDT", limit=3)
    assert [row["a"] for row in rows] == [end - 2, end - 1, end]
    assert (await client.get("aggTrades", symbol="ETHUSDT", fromId=end + 1)) == (200, [])
    assert "ETHUSDT" in await listed(client, "ticker/bookTicker")


async def test_klines_end_with_the_trading(client: Client) -> None:
    await client.control("delist", symbol="ETHUSDT")
    _, ended = await client.get("klines", symbol="ETHUSDT", interval="1m", limit=3)
    await client.control("clock", advance_ms=600_000)
    assert (await client.get("klines", symbol="ETHUSDT", interval="1m", limit=3))[1] == ended
    _, traded = await client.get("klines", symbol="BTCUSDT", interval="1m", limit=3)
    assert traded[-1][0] >= ended[-1][0] + 600_000


async def test_figures_of_a_delisted_symbol_come_once_more(client: Client) -> None:
    async with client.connect("/ws/ethusdt@kline_1m/btcusdt@kline_1m") as socket:
        assert {(await socket.receive_json(timeout=5))["s"] for _ in range(2)}
        await client.control("delist", symbol="ETHUSDT")
        got = [(await socket.receive_json(timeout=5))["s"] for _ in range(10)]
    assert got.count("ETHUSDT") <= 2
    assert set(got[-3:]) == {"BTCUSDT"}


async def test_a_removed_symbol_is_unknown(client: Client) -> None:
    async with client.connect("/ws/ethusdt@aggTrade") as socket:
        await trades(socket, 1)
        await client.control("unreadable", symbol="ETHUSDT", from_id=1)
        await client.control("delist", symbol="ETHUSDT")
        state = await client.control("remove", symbol="ETHUSDT")
        assert list(state["symbols"]) == ["BTCUSDT"]
        await subscribe(socket, "ethusdt@bookTicker", "btcusdt@aggTrade")
        while (await socket.receive_json(timeout=5)).get("s") != "BTCUSDT":
            pass
    assert await statuses(client) == {"BTCUSDT": "TRADING"}
    for path in ("ticker/price", "ticker/24hr", "ticker/bookTicker"):
        assert await listed(client, path) == {"BTCUSDT"}
    for path, more in (
        ("exchangeInfo", {}),
        ("aggTrades", {}),
        ("trades", {}),
        ("klines", {"interval": "1m"}),
        ("avgPrice", {}),
        ("ticker", {}),
        ("ticker/24hr", {}),
        ("ticker/price", {}),
        ("ticker/bookTicker", {}),
    ):
        status, answer = await client.get(path, symbol="ETHUSDT", **more)
        assert (status, answer) == (400, {"code": -1121, "msg": "Invalid symbol."})


async def test_a_removed_symbol_is_listed_anew_from_id_0(client: Client) -> None:
    await client.control("delist", symbol="ETHUSDT")
    await client.control("remove", symbol="ETHUSDT")
    await client.control("list", symbol="ETHUSDT")
    async with client.connect("/ws/ethusdt@aggTrade") as socket:
        assert (await trades(socket, 1))[0]["a"] < 1000
    _, rows = await client.get("aggTrades", symbol="ETHUSDT", fromId=0, limit=2)
    assert [row["a"] for row in rows] == [0, 1]


async def test_what_makes_no_sense_is_refused(client: Client) -> None:
    assert "already" in await refused(client, "list", symbol="BTCUSDT")
    assert "quote asset" in await refused(client, "list", symbol="NOTHING")
    assert "no symbol" in await refused(client, "list", symbol="new/usdt")
    assert "needed" in await refused(client, "list")
    assert "rate" in await refused(client, "list", symbol=NEW, rate=0)
    assert "no symbol" in await refused(client, "delist", symbol=NEW)
    assert "delist it first" in await refused(client, "remove", symbol="BTCUSDT")
    await client.control("delist", symbol="BTCUSDT")
    assert "already" in await refused(client, "delist", symbol="BTCUSDT")
    assert list(await statuses(client)) == ["BTCUSDT", "ETHUSDT"]


async def test_one_of_1500_symbols_comes_and_goes(start: Start) -> None:
    client = await start(
        Settings(symbols=tuple(names(1500)), total_rate=1500.0, genesis_us=an_hour_ago())
    )
    await client.control("list", symbol=NEW, rate=200)
    async with client.connect("/ws/newusdt@aggTrade") as socket:
        found = await trades(socket, 3)
    assert [event["a"] for event in found] == list(range(found[0]["a"], found[0]["a"] + 3))
    known = await statuses(client)
    assert len(known) == 1501
    assert NEW in await listed(client, "ticker/bookTicker")
    # Requests for all symbols, of which some go meanwhile, are answered.
    going = names(1500)[-20:]
    everything = asyncio.create_task(client.get("ticker/24hr"))
    for symbol in going:
        await client.control("delist", symbol=symbol)
        await client.control("remove", symbol=symbol)
    assert (await everything)[0] == 200
    assert known.keys() - (await statuses(client)).keys() == set(going)


@needs_recordings
async def test_recorded_symbols_are_delisted_and_others_listed_beside_them(start: Start) -> None:
    client = await start(Settings(replay=(("BTCUSDT", BTCUSDT),), start_at="0.5"))
    state = await client.control("delist", symbol="BTCUSDT")
    end = state["symbols"]["BTCUSDT"]["last_id"]
    await client.control("clock", advance_ms=10_000)
    _, rows = await client.get("aggTrades", symbol="BTCUSDT", limit=1)
    assert rows[0]["a"] == end
    await client.control("list", symbol=NEW, rate=200)
    assert await statuses(client) == {"BTCUSDT": "BREAK", NEW: "TRADING"}


def test_trades_since_a_time_are_those_of_the_source_renumbered() -> None:
    source = SeededMarket(
        asset(NEW), rate=5.0, tombstones=0.1, genesis_us=AT_US // HOUR_US * HOUR_US
    )
    since, before = Since(source, AT_US), source.last_id(AT_US) + 1
    found, whole = since.slice(0, 2000), source.slice(before, 2000)
    assert before > 0
    assert found.ids.tolist() == list(range(2000))
    assert np.array_equal(found.time_us, whole.time_us)
    assert np.array_equal(found.tombstones, whole.tombstones)
    real = found[~found.tombstones]
    assert real.first[0] == 0
    assert (real.first[1:] == real.last[:-1] + 1).all()
    assert (since.last_id(AT_US), since.id_at(0)) == (-1, 0)
    time_us = int(found.time_us[700])
    assert since.id_at(time_us) == source.id_at(time_us) - before
    assert since.last_id(time_us) == source.last_id(time_us) - before


def test_trades_until_a_time_end_there() -> None:
    source = SeededMarket(asset(NEW), rate=5.0)
    until, end = Until(source, AT_US), source.last_id(AT_US)
    assert until.slice(end - 9, 100).ids.tolist() == list(range(end - 9, end + 1))
    assert len(until.slice(end + 5, 100)) == 0
    later = AT_US + HOUR_US
    assert (until.last_id(later), until.id_at(later)) == (end, end + 1)
    earlier = AT_US - HOUR_US
    assert (until.last_id(earlier), until.id_at(earlier)) == (
        source.last_id(earlier),
        source.id_at(earlier),
    )
