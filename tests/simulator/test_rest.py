"""The REST API answers as the exchange documents it, errors included."""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from simulator.app import Settings, iso_us
from simulator.klines import INTERVALS, Frame, klines
from simulator.rest import MAX_ADDRESS_BYTES
from simulator.wire import decimal
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
        ("klines", "symbol=BTCUSDT&interval=1m&timeZone=14:01", -1130),
        ("klines", "symbol=BTCUSDT&interval=1m&timeZone=UTC", -1130),
        ("ticker", "", -1128),
        ("ticker", "symbol=BTCUSDT&windowSize=60m", -1130),
        ("ticker/24hr", "symbol=BTCUSDT&type=ALL", -1100),
        ("exchangeInfo", "symbol=BTCUSDT&symbolStatus=TRADING", -1128),
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


@pytest.mark.parametrize("interval", [each for each in INTERVALS if each != "1M"])
async def test_each_interval_folds_its_trades(client: Client, interval: str) -> None:
    market, now_us = client.exchange.markets["ETHBTC"], NOON * 1000
    coarse = klines(market, Frame(interval), None, NOON, now_us, 3)
    minutes = klines(market, Frame("1s"), coarse[-1].open_time, NOON, now_us)
    whole = coarse[-1]
    assert whole.high == max(kline.high for kline in minutes)
    assert whole.volume == sum(kline.volume for kline in minutes)
    assert whole.quote_volume == sum(kline.quote_volume for kline in minutes)
    assert whole.trades == sum(kline.trades for kline in minutes)
    assert whole.close == minutes[-1].close


def test_weeks_open_on_mondays_and_months_on_their_first() -> None:
    week, month = Frame("1w"), Frame("1M")
    assert week.opening(NOON) == iso_us("2024-02-26") // 1000
    assert month.opening(NOON) == iso_us("2024-03-01") // 1000
    assert month.following(iso_us("2024-11-01") // 1000, 3) == iso_us("2025-02-01") // 1000


@pytest.mark.parametrize(("zone", "hours"), [("8", 8), ("+08:00", 8), ("-5:30", -5.5), ("0:00", 0)])
async def test_days_and_months_are_those_of_a_time_zone(
    client: Client, zone: str, hours: float
) -> None:
    shift = int(hours * 3_600_000)
    for interval in ("1d", "1M", "1w", "8h", "1m"):
        frame = Frame(interval, shift)
        _, found = await client.get(
            "klines", symbol="BTCUSDT", interval=interval, limit=2, timeZone=zone
        )
        assert [row[0] for row in found] == [frame.opening(row[0]) for row in found]
        assert found[-1][0] <= NOON <= found[-1][6] == frame.following(found[-1][0]) - 1
        assert Frame(interval).opening(found[-1][0] + shift) == found[-1][0] + shift
        opens = np.array([NOON, NOON - 10**9, found[0][6]])
        assert frame.openings(opens).tolist() == [frame.opening(int(open_)) for open_ in opens]


@pytest.mark.parametrize("interval", ["1d", "1M", "12h"])
async def test_a_start_before_the_first_trade_is_that_of_the_first_kline(
    client: Client, interval: str
) -> None:
    """Clients look for the beginning of the history so."""
    market, now = client.exchange.markets["BTCUSDT"], NOON
    first = int(market.slice(0, 1).time_ms[0])
    for start in (0, 1, first - 10**10):
        _, found = await client.get(
            "klines", symbol="BTCUSDT", interval=interval, startTime=start, endTime=now, limit=1
        )
        assert [row[0] for row in found] == [Frame(interval).opening(first)]


async def test_ui_klines_are_klines(client: Client) -> None:
    _, found = await client.get("uiKlines", symbol="BTCUSDT", interval="1h", limit=3)
    assert found == (await client.get("klines", symbol="BTCUSDT", interval="1h", limit=3))[1]
    assert len(found) == 3


async def test_tickers_are_what_the_minutes_of_their_window_come_to(client: Client) -> None:
    for path, params, minutes in (
        ("ticker/24hr", {}, 1440),
        ("ticker", {}, 1440),
        ("ticker", {"windowSize": "7m"}, 7),
        ("ticker", {"windowSize": "2h"}, 120),
    ):
        _, got = await client.get(path, symbol="BTCUSDT", **params)
        market, now_us = client.exchange.markets["BTCUSDT"], NOON * 1000
        start = NOON - (minutes - 1) * 60_000
        rows = klines(market, Frame("1m"), start, NOON, now_us)
        volume = sum(row.volume for row in rows)
        traded = [row for row in rows if row.trades]
        assert (got["openTime"], got["closeTime"]) == (start, NOON)
        assert got["volume"] == decimal(volume)
        assert got["count"] == sum(row.trades for row in rows)
        assert (got["firstId"], got["lastId"]) == (traded[0].first, traded[-1].last)
        assert (got["openPrice"], got["lastPrice"]) == tuple(
            map(decimal, (traded[0].open, traded[-1].close))
        )
        change = Decimal(got["lastPrice"]) - Decimal(got["openPrice"])
        assert Decimal(got["priceChange"]) == change
        percent = Decimal(got["priceChangePercent"])
        assert abs(percent - 100 * change / Decimal(got["openPrice"])) < Decimal("0.001")
        assert Decimal(got["lowPrice"]) < Decimal(got["weightedAvgPrice"])
        assert Decimal(got["weightedAvgPrice"]) < Decimal(got["highPrice"])
    _, average = await client.get("avgPrice", symbol="BTCUSDT")
    rows = klines(market, Frame("1m"), NOON - 4 * 60_000, NOON, now_us)
    expected = sum(row.quote_volume for row in rows) * 10**8 // sum(row.volume for row in rows)
    last_ms = int(market.last_trade(now_us).time_ms[0])
    assert average == {"mins": 5, "price": decimal(expected), "closeTime": last_ms}


async def test_tickers_come_for_one_symbol_some_or_all(client: Client) -> None:
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
        _, one = await client.get(path, symbol="ETHBTC")
        _, some = await client.get(path, symbols='["ETHBTC"]')
        _, all_of_them = await client.get(path)
        assert some == [one]
        assert one in all_of_them
        assert {row["symbol"] for row in all_of_them} == {"BTCUSDT", "ETHBTC"}
    _, price = await client.get("ticker/price", symbol="ETHBTC")
    _, full = await client.get("ticker/24hr", symbol="ETHBTC")
    _, mini = await client.get("ticker/24hr", symbol="ETHBTC", type="MINI")
    assert price["price"] == full["lastPrice"]
    assert {"bidPrice", "askQty", "lastQty", "prevClosePrice"} < full.keys()
    assert mini.items() < full.items()


async def test_raw_trades_come_to_their_aggregates(client: Client) -> None:
    _, raw = await client.get("trades", symbol="BTCUSDT", limit=1000)
    ids = [row["id"] for row in raw]
    assert ids == list(range(ids[0], ids[0] + 1000))
    for row in await rows(client, limit=200):
        parts = [each for each in raw if row["f"] <= each["id"] <= row["l"]]
        if row["f"] >= 0:
            assert sum(Decimal(part["qty"]) for part in parts) == Decimal(row["q"])
            assert {(part["price"], part["isBuyerMaker"]) for part in parts} == {
                (row["p"], row["m"])
            }


async def test_there_are_no_futures(client: Client) -> None:
    for kind in ("fapi", "dapi"):
        async with client.session.get(f"{client.url}/{kind}/v1/exchangeInfo") as response:
            assert (response.status, (await response.json())["symbols"]) == (200, [])


async def test_symbols_are_listed_by_their_status(client: Client) -> None:
    client.exchange.markets["ETHBTC"].status = "BREAK"
    for status, names in (("TRADING", ["BTCUSDT"]), ("BREAK", ["ETHBTC"]), ("HALT", [])):
        _, info = await client.get("exchangeInfo", symbolStatus=status, showPermissionSets="false")
        assert [each["symbol"] for each in info["symbols"]] == names
        assert all(each["permissionSets"] == [] for each in info["symbols"])
