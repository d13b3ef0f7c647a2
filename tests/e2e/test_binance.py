"""Binance's API answers as the exchange does: the same questions to the simulator and to us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from generated.native.facts import DataQuality
from ingest.pipeline import intervals
from tests import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOL, NOW, GENESIS = "BTCUSDT", "2024-03-14T15:09:26Z", "2024-01-03T00:00Z"
NOW_MS, DAY_MS = 1_710_428_966_000, 86_400_000
INTERVALS = (
    *("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"),
)
ZONES = ("0", "+08:00", "-5:30", "14")
WINDOWS: tuple[dict[str, int], ...] = (
    {},
    {"limit": 3},
    {"limit": 7, "endTime": NOW_MS - 9 * DAY_MS},
    {"limit": 5, "startTime": NOW_MS - 40 * DAY_MS},
    {"startTime": NOW_MS - 3 * DAY_MS, "endTime": NOW_MS - DAY_MS},
    {"startTime": NOW_MS - 30 * 60_000},
    {"startTime": 0, "limit": 1},
    {"startTime": 0, "limit": 1000},
    {"startTime": 0, "endTime": NOW_MS, "limit": 1},
    {"startTime": NOW_MS + 10 * DAY_MS},
    {"startTime": 2**62, "endTime": 2**63 - 1},
)
QUOTES = (7, 10)
"""The columns of quote volumes: the exchange cuts each trade's off, where we cut off their sum."""


@dataclass
class Both:
    """The exchange and our server."""

    session: aiohttp.ClientSession
    exchange: str
    ours: str

    async def ask(self, path: str, **query: object) -> tuple[tuple[int, Any], tuple[int, Any]]:
        """The answers of the exchange and ours."""
        given = {name: str(value) for name, value in query.items()}
        answers = []
        for base in (self.exchange, self.ours):
            async with self.session.get(base + path, params=given) as reply:
                answers.append((reply.status, await reply.json()))
        return answers[0], answers[1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    # The clock stands still, for it waits for one stream more than the server wants.
    options = ["--symbols", SYMBOL, "--rate", "0.01", "--genesis", GENESIS, "--clock-start", NOW]
    options += ["--wait-for-subscriber", "2", "--weight-limit", "1000000", "--tombstones", "0.01"]
    async with running.simulator(*options) as exchange:
        values = {"symbols": SYMBOL, "history": "100d", "requests_per_minute": "100000"}
        directory = tmp_path_factory.mktemp("binance")
        chosen = running.settings(exchange, directory, request_burst="100000", **values)
        async with running.server(chosen) as (server, ours), aiohttp.ClientSession() as session:
            feed = server.provider.feeds[SYMBOL]
            await running.until(lambda: feed.status.quality is DataQuality.COMPLETE)
            yield Both(session, exchange, ours)


def check_same(expected: list[list[Any]], got: list[list[Any]], question: object) -> None:
    """Hold klines to the exchange's, column by column."""
    assert [row[0] for row in got] == [row[0] for row in expected], question
    for ours, theirs in zip(got, expected, strict=True):
        for column, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if column not in QUOTES:
                assert a == b, (question, column, ours, theirs)
                continue
            assert 0 <= Decimal(a) - Decimal(b) <= Decimal("1e-8") * ours[8], (question, column)


async def test_klines_are_those_of_the_exchange(both: Both) -> None:
    compared = 0
    for interval in INTERVALS:
        for zone in ZONES:
            for window in WINDOWS:
                question = {"symbol": SYMBOL, "interval": interval, "timeZone": zone, **window}
                theirs, ours = await both.ask("/api/v3/klines", **question)
                assert theirs[0] == ours[0] == 200, (question, theirs, ours)
                check_same(theirs[1], ours[1], question)
                compared += len(ours[1])
    assert compared > 50_000
    (_, theirs_ui), (_, ours_ui) = await both.ask("/api/v3/uiKlines", symbol=SYMBOL, interval="1h")
    check_same(theirs_ui, ours_ui, "uiKlines")


async def test_seconds_are_those_of_the_exchange(both: Both) -> None:
    compared = 0
    for window in (
        {"limit": 1000, "startTime": NOW_MS - 5 * DAY_MS + 500},
        {"limit": 1000, "startTime": NOW_MS - 7_200_123, "endTime": NOW_MS - 7_000_000},
        {"limit": 3, "endTime": NOW_MS - 3_600_000},
        {"startTime": NOW_MS + DAY_MS},
    ):
        question = {"symbol": SYMBOL, "interval": "1s", **window}
        theirs, ours = await both.ask("/api/v3/klines", **question)
        assert theirs[0] == ours[0] == 200
        check_same(theirs[1], ours[1], question)
        compared += len(ours[1])
    assert compared > 1000
    theirs, ours = await both.ask("/api/v3/klines", symbol=SYMBOL, interval="1s", limit=1000)
    by_time = {row[0]: row for row in theirs[1]}
    newest = [row for row in ours[1] if row[0] in by_time]
    check_same([by_time[row[0]] for row in newest], newest, "newest")
    _, (_, trades) = await both.ask("/api/v3/aggTrades", symbol=SYMBOL, limit=1)
    assert ours[1][-1][0] == trades[0]["T"] // 1000 * 1000
    assert len(ours[1]) == 1000
    _, first = await both.ask("/api/v3/klines", symbol=SYMBOL, interval="1s", limit=2, startTime=0)
    _, minute = await both.ask("/api/v3/klines", symbol=SYMBOL, interval="1m", limit=1, startTime=0)
    assert minute[1][0][0] <= first[1][0][0] < minute[1][0][0] + 60_000
    assert first[1][1][0] == first[1][0][0] + 1000


async def test_trades_are_those_of_the_exchange(both: Both) -> None:
    _, (_, newest) = await both.ask("/api/v3/aggTrades", symbol=SYMBOL, limit=1)
    last = newest[0]["a"]
    compared = 0
    for window in (
        {},
        {"limit": 1000},
        {"limit": 5000},
        {"fromId": last - 700},
        {"fromId": last - 5000, "limit": 7},
        {"fromId": last + 1},
        {"fromId": 2**62},
        {"startTime": NOW_MS - DAY_MS},
        {"startTime": NOW_MS - DAY_MS, "endTime": NOW_MS - DAY_MS + 3_600_000},
        {"endTime": NOW_MS - DAY_MS, "limit": 20},
        {"startTime": NOW_MS + DAY_MS},
    ):
        theirs, ours = await both.ask("/api/v3/aggTrades", symbol=SYMBOL, **window)
        assert theirs[0] == ours[0] == 200
        # The exchange shows invalid duplicates, which are no part of any candle.
        real = [row for row in theirs[1] if row["f"] != -1]
        if "fromId" not in window and "startTime" not in window:
            real = real[-len(ours[1]) :]
            ours = ours[0], ours[1][-len(real) :]
        assert ours[1][: len(real)] == real, window
        compared += len(real)
    assert compared > 3000


async def test_tickers_are_those_of_the_exchange(both: Both) -> None:
    for path, query in (
        ("ticker/24hr", {"symbol": SYMBOL}),
        ("ticker/24hr", {"symbols": f'["{SYMBOL}"]'}),
        ("ticker/24hr", {"symbol": SYMBOL, "type": "MINI"}),
        ("ticker/24hr", {}),
        ("ticker/price", {"symbol": SYMBOL}),
        ("ticker/price", {"symbols": f'["{SYMBOL}"]'}),
        ("ticker/price", {}),
        ("ticker/bookTicker", {"symbol": SYMBOL}),
        ("ticker/bookTicker", {}),
        ("avgPrice", {"symbol": SYMBOL}),
    ):
        theirs, ours = await both.ask(f"/api/v3/{path}", **query)
        assert theirs[0] == ours[0] == 200
        assert type(theirs[1]) is type(ours[1])
        answers = theirs[1], ours[1]
        expected, got = (each if isinstance(each, list) else [each] for each in answers)
        assert len(got) == len(expected) == 1
        assert got[0].keys() == expected[0].keys()
        for name, value in got[0].items():
            if name == "closeTime" and path == "ticker/24hr":
                assert NOW_MS <= value <= NOW_MS + 120_000  # the exchange's clock stands still
            elif name in ("quoteVolume", "weightedAvgPrice"):
                assert abs(Decimal(value) - Decimal(expected[0][name])) <= Decimal("0.00001")
            else:
                assert value == expected[0][name], (path, query, name)


async def test_every_answer_says_how_many_requests_were_used(both: Both) -> None:
    used = []
    for path in ("ping", "klines?symbol=NO&interval=1m", "depth?symbol=BTCUSDT"):
        async with both.session.get(f"{both.ours}/api/v3/{path}") as reply:
            used.append(int(reply.headers["X-MBX-USED-WEIGHT-1M"]))
    assert used[0] > 0
    assert used == sorted(used)
    async with both.session.get(f"{both.ours}/api/v1/tickers") as reply:
        assert "X-MBX-USED-WEIGHT-1M" not in reply.headers


@pytest.mark.parametrize("path", ["depth", "trades", "historicalTrades", "order", "account"])
async def test_what_is_not_served_is_refused_with_the_reason(both: Both, path: str) -> None:
    for verb in ("GET", "POST"):
        url = f"{both.ours}/api/v3/{path}?symbol=BTCUSDT"
        async with both.session.request(verb, url) as reply:
            answer = await reply.json()
        assert (reply.status, answer["code"]) == (404, -1000)
        assert "no order books, single trades, orders or accounts" in answer["msg"]


async def test_any_interval_is_our_own_candles(both: Both) -> None:
    for minutes in (173, 7, 90, 2850):
        _, (status, rows) = await both.ask(
            "/api/v3/klines", symbol=SYMBOL, interval=f"{minutes}m", limit=1000
        )
        url = f"{both.ours}/api/v1/data/candles/{SYMBOL}?timeframe={minutes}&limit=1000"
        async with both.session.get(url) as reply:
            candles = (await reply.json())["data"]
        assert status == 200
        assert len(rows) == len(candles) > 30
        for row, candle in zip(rows, candles, strict=True):
            assert (row[0], row[8]) == (candle["candle_time"], candle["trades_count"])
            assert row[6] == row[0] + minutes * 60_000 - 1
            names = ("open", "high", "low", "close", "volume")
            assert [*map(Decimal, row[1:6])] == [Decimal(str(candle[name])) for name in names]
            assert Decimal(row[9]) == Decimal(str(candle["taker_buy_volume"]))


async def test_a_page_of_too_many_parts_is_refused(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "MAX_PARTS", 90_000)
    query = {"symbol": SYMBOL, "interval": "1439m", "timeZone": "8"}
    _, (status, answer) = await both.ask("/api/v3/klines", **query, limit=1000)
    assert (status, answer["code"]) == (400, -1130)
    assert "'limit' is not valid. at most 61 " in answer["msg"]
    _, (status, rows) = await both.ask("/api/v3/klines", **query, limit=61)
    assert (status, len(rows)) == (200, 61)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("klines", "symbol=BTCUSDT"),
        ("klines", "interval=1m"),
        ("klines", "symbol=BTCUSDT&interval=nothing"),
        ("klines", "symbol=BTCUSDT&interval=1Y"),
        ("klines", "symbol=NOPEUSDT&interval=1m"),
        ("klines", "symbol=btcusdt&interval=1m"),
        ("klines", "symbol=BTCUSDT&interval=1m&limit=0"),
        ("klines", "symbol=BTCUSDT&interval=1m&limit=ten"),
        ("klines", "symbol=BTCUSDT&interval=1m&startTime=2&endTime=1"),
        ("klines", "symbol=BTCUSDT&interval=1m&startTime=1.5"),
        ("klines", "symbol=BTCUSDT&interval=1m&timeZone=15"),
        ("klines", "symbol=BTCUSDT&symbol=BTCUSDT&interval=1m"),
        ("klines", "symbol=BTCUSDT&interval=1m&from=1"),
        ("klines", "symbol=BTCUSDT&interval=2s"),
        ("aggTrades", ""),
        ("aggTrades", "symbol=NOPEUSDT"),
        ("aggTrades", "symbol=BTCUSDT&fromId=1&startTime=1"),
        ("aggTrades", "symbol=BTCUSDT&startTime=2&endTime=1"),
        ("aggTrades", "symbol=BTCUSDT&fromId=no"),
        ("aggTrades", "symbol=BTCUSDT&limit=0"),
        ("ticker/24hr", "symbol=NOPEUSDT"),
        ("ticker/24hr", "symbol=BTCUSDT&type=SHORT"),
        ("ticker/24hr", "symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D"),
        ("ticker/price", "symbol=NOPEUSDT"),
        ("ticker/price", "symbols=nothing"),
        ("ticker/bookTicker", "symbols=%5B%22NOPE%22%5D"),
        ("avgPrice", ""),
        ("avgPrice", "symbol=NOPEUSDT"),
        ("exchangeInfo", "symbol=NOPEUSDT"),
        ("exchangeInfo", "symbols=%5B%22NOPE%22%5D"),
        ("exchangeInfo", "symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D"),
        ("exchangeInfo", "symbol=BTCUSDT&symbolStatus=TRADING"),
        ("nothing", ""),
    ],
)
async def test_errors_have_the_exchanges_codes(both: Both, path: str, query: str) -> None:
    theirs, ours = await both.ask(f"/api/v3/{path}?{query}")
    assert (ours[0], ours[1]["code"]) == (theirs[0], theirs[1]["code"]), (theirs, ours)
    assert ours[1].keys() == {"code", "msg"}
