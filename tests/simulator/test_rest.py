"""The REST API answers as the exchange documents it, errors included."""

import re
from typing import Any

import pytest

from simulator.app import Settings, iso_us
from simulator.klines import following, klines, opening
from simulator.rest import MAX_ADDRESS_BYTES
from tests.simulator.conftest import Client, Start

NOON = iso_us("2024-03-01T12:00Z") // 1000


@pytest.fixture
async def client(start: Start) -> Client:
    """An exchange that stands still at noon of 2024-03-01."""
    return await start(
        Settings(
            symbols=("BTCUSDT", "ETHBTC"), start_at="2024-03-01T12:00Z", wait_for=1, tombstones=0.02
        )
    )


async def rows(client: Client, **params: object) -> list[dict[str, Any]]:
    status, found = await client.get("aggTrades", symbol="BTCUSDT", **params)
    assert status == 200, found
    return list(found)


async def test_rows_have_the_documented_fields(client: Client) -> None:
    for row in await rows(client):
        assert list(row) == ["a", "p", "q", "f", "l", "T", "m", "M"]
        if row["f"] == -1:
            assert (row["p"], row["q"], row["l"]) == ("0", "0", -1)
        else:
            assert re.fullmatch(r"\d+\.\d{8}", row["p"])
            assert re.fullmatch(r"\d+\.\d{8}", row["q"])
            assert row["f"] <= row["l"]


async def test_without_a_place_the_newest_500_are_given(client: Client) -> None:
    newest = await rows(client)
    assert len(newest) == 500
    last = client.exchange.markets["BTCUSDT"].source.last_id(NOON * 1000)
    assert [row["a"] for row in newest] == list(range(last - 499, last + 1))
    assert await rows(client, limit=3) == newest[-3:]


async def test_ids_and_times_are_inclusive(client: Client) -> None:
    newest = await rows(client, limit=1000)
    early, late = newest[200], newest[400]
    assert (await rows(client, fromId=early["a"], limit=5)) == newest[200:205]
    window = await rows(client, startTime=early["T"], endTime=late["T"], limit=1000)
    assert window == [row for row in newest if early["T"] <= row["T"] <= late["T"]]
    assert await rows(client, startTime=early["T"], endTime=late["T"], limit=7) == window[:7]
    assert await rows(client, endTime=late["T"], limit=9) == window[-9:]
    assert await rows(client, startTime=0, limit=1) == await rows(client, fromId=0, limit=1)


async def test_the_future_is_empty_and_the_limit_is_cut_to_1000(client: Client) -> None:
    assert await rows(client, startTime=NOON + 1) == []
    assert await rows(client, fromId=10**15) == []
    assert len(await rows(client, limit=5000)) == 1000


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("aggTrades", "", -1102),
        ("aggTrades", "symbol=", -1102),
        ("aggTrades", "symbol=NOPEUSDT", -1121),
        ("aggTrades", "symbol=btcusdt", -1100),
        ("aggTrades", "symbol=BTCUSDT&limit=0", -1130),
        ("aggTrades", "symbol=BTCUSDT&limit=-1", -1100),
        ("aggTrades", "symbol=BTCUSDT&limit=ten", -1100),
        ("aggTrades", "symbol=BTCUSDT&limit=", -1105),
        ("aggTrades", "symbol=BTCUSDT&fromId=1.5", -1100),
        ("aggTrades", "symbol=BTCUSDT&fromId=9223372036854775808", -1130),
        ("aggTrades", "symbol=BTCUSDT&fromId=1&startTime=1", -1128),
        ("aggTrades", "symbol=BTCUSDT&startTime=2&endTime=1", -1128),
        ("aggTrades", "symbol=BTCUSDT&symbol=ETHBTC", -1101),
        ("aggTrades", "symbol=BTCUSDT&from=1", -1104),
        ("klines", "symbol=BTCUSDT", -1102),
        ("klines", "symbol=BTCUSDT&interval=7m", -1120),
        ("klines", "symbol=BTCUSDT&interval=1m&timeZone=3", -1130),
        ("exchangeInfo", "symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128),
        ("exchangeInfo", "symbols=BTCUSDT", -1100),
        ("exchangeInfo", "symbols=%5B%22NOPE%22%5D", -1121),
        ("time", "x=1", -1104),
    ],
)
async def test_wrong_requests_get_the_exchanges_codes(
    client: Client, path: str, query: str, code: int
) -> None:
    async with client.session.get(f"{client.url}/api/v3/{path}?{query}") as response:
        assert response.status == 400
        answer = await response.json()
    assert set(answer) == {"code", "msg"}
    assert answer["code"] == code


async def test_an_address_beyond_8_kb_is_refused(client: Client) -> None:
    for spare, status in ((0, 400), (1, 414)):
        query = "x" * (MAX_ADDRESS_BYTES - len("/api/v3/time?") + spare)
        async with client.session.get(f"{client.url}/api/v3/time?{query}") as response:
            assert response.status == status


async def test_ping_time_and_unknown_paths(client: Client) -> None:
    assert await client.get("ping") == (200, {})
    assert await client.get("time") == (200, {"serverTime": NOON})
    assert (await client.get("depth"))[0] == 404


async def test_exchange_info_describes_the_chosen_symbols(client: Client) -> None:
    _, info = await client.get("exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT", "ETHBTC"]
    assert info["rateLimits"][0]["limit"] == 6000
    await client.control("status", symbol="ETHBTC", status="BREAK")
    _, info = await client.get("exchangeInfo", symbols='["ETHBTC"]')
    (found,) = info["symbols"]
    assert (found["status"], found["baseAsset"], found["quoteAsset"]) == ("BREAK", "ETH", "BTC")
    filters = {entry["filterType"]: entry for entry in found["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.00000001"
    assert "stepSize" in filters["LOT_SIZE"]


async def test_the_book_surrounds_the_last_trade(client: Client) -> None:
    _, all_quotes = await client.get("ticker/bookTicker")
    _, one = await client.get("ticker/bookTicker", symbol="BTCUSDT")
    assert one == all_quotes[0]
    assert float(one["bidPrice"]) < float(one["askPrice"])
    last = next(row for row in reversed(await rows(client)) if row["f"] != -1)
    assert last["p"] == (one["bidPrice"] if last["m"] else one["askPrice"])


async def test_klines_page_by_open_time_and_quiet_ones_are_flat(client: Client) -> None:
    start = NOON - 600 * 60_000
    _, found = await client.get(
        "klines", symbol="BTCUSDT", interval="1m", startTime=start, limit=1000
    )
    assert [row[0] for row in found] == list(range(start, NOON + 1, 60_000))
    quiet = [i for i, row in enumerate(found) if row[8] == 0 and i]
    assert quiet
    for i in quiet:
        close = found[i - 1][4]
        zero = "0.00000000"
        assert found[i][1:6] == [close] * 4 + [zero]
        assert found[i][7:] == [zero, 0, zero, zero, "0"]
    _, newest = await client.get("klines", symbol="BTCUSDT", interval="1m", limit=10)
    assert newest == found[-10:]
    _, part = await client.get(
        "klines", symbol="BTCUSDT", interval="1m", startTime=start + 1, endTime=start + 120_000
    )
    assert part == found[1:3]


@pytest.mark.parametrize("interval", ["1s", "3m", "1h", "8h"])
async def test_each_interval_folds_its_trades(client: Client, interval: str) -> None:
    market, now_us = client.exchange.markets["ETHBTC"], NOON * 1000
    coarse = klines(market, interval, NOON - 2 * 86_400_000, NOON, now_us, newest=True)[-3:]
    minutes = klines(market, "1s", coarse[-1].open_time, NOON, now_us)
    whole = coarse[-1]
    assert whole.high == max(kline.high for kline in minutes)
    assert whole.volume == sum(kline.volume for kline in minutes)
    assert whole.quote_volume == sum(kline.quote_volume for kline in minutes)
    assert whole.trades == sum(kline.trades for kline in minutes)
    assert whole.close == minutes[-1].close


def test_weeks_open_on_mondays_and_months_on_their_first() -> None:
    assert opening(NOON, "1w") == iso_us("2024-02-26") // 1000
    assert opening(NOON, "1M") == iso_us("2024-03-01") // 1000
    assert following(iso_us("2024-11-01") // 1000, "1M", 3) == iso_us("2025-02-01") // 1000
