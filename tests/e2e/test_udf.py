"""The Universal Data Feed gives the candles of the own REST API, to whatever a chart asks."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from generated.native.facts import DataQuality
from generated.udf import facts
from tests import running
from tests.e2e.udf_chart import Bar, Chart

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOL, NOW, GENESIS = "BTCUSDT", "2024-03-14T15:09:26Z", "2023-11-01T00:00Z"
NOW_S, DAY_S = 1_710_428_966, 86_400
MINUTES = {"1": 1, "7": 7, "60": 60, "173": 173, "1D": 1440, "2D": 2880}
"""Resolutions, and the timeframe of the own API that they are."""
RESOLUTIONS = (*MINUTES, "D", "W", "1W", "M", "1M")
NAMES = ("open", "high", "low", "close", "volume")
QUESTIONS = 400
PARTNER = "https://charts.example.org"


@dataclass
class Feed:
    """The server, and the candles of its own API by resolution."""

    session: aiohttp.ClientSession
    url: str
    candles: dict[str, list[Bar]]

    def chart(self, resolution: str = "1", symbol: str = SYMBOL) -> Chart:
        return Chart(self.session, f"{self.url}/udf", symbol, resolution)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def feed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Feed]:
    # The clock stands still, for it waits for more streams than the server wants. A minute in
    # three is without trades. There are trades before the history, so its first bars are cut.
    options = ["--symbols", SYMBOL, "--rate", "0.01", "--genesis", GENESIS, "--clock-start", NOW]
    options += ["--wait-for-subscriber", "9", "--weight-limit", "1000000", "--quiet", "0.3"]
    async with running.simulator(*options) as exchange:
        values = {"symbols": SYMBOL, "history": "70d", "requests_per_minute": "1000000"}
        values |= {"request_burst": "1000000", "allowed_origins": PARTNER}
        chosen = running.settings(exchange, tmp_path_factory.mktemp("udf"), **values)
        async with running.server(chosen) as (server, url), aiohttp.ClientSession() as session:
            own = server.provider.feeds[SYMBOL]
            await running.until(lambda: own.status.quality is DataQuality.COMPLETE)
            yield Feed(session, url, await every_candle(session, url))


async def every_candle(session: aiohttp.ClientSession, url: str) -> dict[str, list[Bar]]:
    """The candles of each resolution, those of weeks and months folded from the days."""
    found = {name: await candles(session, url, minutes) for name, minutes in MINUTES.items()}
    found["D"] = days = found["1D"]
    found["W"] = found["1W"] = folded(days, lambda day: day - timedelta(days=day.weekday()))
    found["M"] = found["1M"] = folded(days, lambda day: day.replace(day=1))
    return found


async def candles(session: aiohttp.ClientSession, url: str, timeframe: int) -> list[Bar]:
    """All candles of a timeframe, a page at a time."""
    found: list[Bar] = []
    cursor = 0
    while True:
        query = {"timeframe": timeframe, "limit": 1000, "cursor": cursor}
        async with session.get(f"{url}/api/v1/data/candles/{SYMBOL}", params=query) as reply:
            page = json.loads(await reply.text(), parse_float=Decimal)
        rows = page["data"]
        found += [(row["candle_time"] // 1000, *(row[name] for name in NAMES)) for row in rows]
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]


def folded(days: list[Bar], start: Any) -> list[Bar]:
    """Days joined to longer bars, without those whose first day there is none of."""
    joined = []
    for begin, group in groupby(days, lambda bar: start(datetime.fromtimestamp(bar[0], UTC))):
        bars = list(group)
        time = int(begin.timestamp())
        if time != bars[0][0]:
            continue
        highs, lows = max(bar[2] for bar in bars), min(bar[3] for bar in bars)
        joined.append((time, bars[0][1], highs, lows, bars[-1][4], sum(bar[5] for bar in bars)))
    return joined


def expected(bars: list[Bar], since: int, until: int, countback: int) -> list[Bar]:
    """What the protocol says of the bars that there are."""
    before = [bar for bar in bars if bar[0] < until]
    if countback:
        return before[-min(countback, facts.COUNTBACK_MOST) :]
    return [bar for bar in before if bar[0] >= since][-facts.COUNTBACK_MOST :]


def a_time(chance: random.Random, bars: list[Bar]) -> int:
    """A time about the bounds of a bar, or far from all."""
    near = chance.choice(bars)[0] + chance.choice((-1, 0, 1, 30, 61))
    return chance.choice((near, near, near, NOW_S, NOW_S + DAY_S, 0, -5 * DAY_S, 9_999_999_999))


@pytest.mark.parametrize("resolution", RESOLUTIONS)
async def test_bars_are_the_own_candles_whatever_is_asked(feed: Feed, resolution: str) -> None:
    chart, bars = feed.chart(resolution), feed.candles[resolution]
    chance = random.Random(resolution)
    assert len(bars) >= (2 if "M" in resolution else 9)
    compared = 0
    for _ in range(QUESTIONS // len(RESOLUTIONS)):
        since, until = a_time(chance, bars), a_time(chance, bars)
        countback = chance.choice((0, 0, 1, 2, 5, 300, 1999, 2000, 2001, 10**6))
        query = {"from": since, "to": until}
        given = query if not countback else {**query, "countback": countback}
        got, answer = await chart.history(**given)
        wanted = expected(bars, since, until, countback)
        assert got == wanted, (resolution, given)
        before = [bar for bar in bars if bar[0] < until]
        if not wanted and before and not countback:
            assert answer == {"s": "no_data", "nextTime": before[-1][0] * 1000}, given
        elif not wanted:
            assert answer == {"s": "no_data"}, given
        compared += len(got)
    assert compared


async def test_a_chart_that_is_scrolled_back_ends_at_the_first_bar(feed: Feed) -> None:
    for resolution, countback in (("1", 2000), ("173", 37), ("1W", 2), ("1M", 1)):
        chart = feed.chart(resolution)
        asked = 0
        while not chart.is_whole:
            await chart.load(NOW_S + 1, countback)
            asked += 1
        assert chart.bars == feed.candles[resolution]
        assert asked <= -(-len(chart.bars) // countback) + 1


async def test_more_than_a_page_is_cut_at_its_beginning(feed: Feed) -> None:
    """As `limitedServerResponse` with `latestFirst` takes it."""
    chart = feed.chart("1")
    bars, _ = await chart.history(**{"from": 0}, to=NOW_S, countback=5000)
    assert bars == feed.candles["1"][-facts.COUNTBACK_MOST :]
    earlier, _ = await chart.history(**{"from": 0}, to=bars[0][0], countback=3000)
    assert (earlier + bars) == feed.candles["1"][-2 * facts.COUNTBACK_MOST :]


async def test_quiet_bars_are_flat_and_none_is_left_out(feed: Feed) -> None:
    bars, _ = await feed.chart("1").history(**{"from": NOW_S - DAY_S}, to=NOW_S)
    assert all(after[0] - before[0] == 60 for before, after in pairwise(bars))
    quiet = [(before, bar) for before, bar in pairwise(bars) if bar[5] == 0]
    assert len(quiet) > 100
    assert all(bar[1:5] == (before[4],) * 4 for before, bar in quiet)


async def test_numbers_are_plain_and_have_all_their_digits(feed: Feed) -> None:
    query = {"symbol": SYMBOL, "resolution": "60", "to": str(NOW_S), "countback": "200"}
    async with feed.session.get(f"{feed.url}/udf/history", params=query) as reply:
        text = await reply.text()
    assert reply.content_type == "application/json"
    assert re.fullmatch(r'\{"s":"ok"(?:,"[tohlcv]":\[(?:[0-9]+(?:\.[0-9]*[1-9])?,?)+\]){6}\}', text)


async def test_a_symbol_is_drawn_as_the_library_takes_it(feed: Feed) -> None:
    chart = feed.chart()
    config = await chart.ask("config")
    assert (config["supports_search"], config["supports_group_request"]) == (True, False)
    for name in (SYMBOL, f"BINANCE:{SYMBOL}", "binance:btcusdt"):
        info = await chart.ask("symbols", symbol=name)
        assert (info["name"], info["ticker"], info["exchange"]) == (SYMBOL, SYMBOL, "BINANCE")
        # Without multipliers the library asks for each resolution as it is; the adapter puts five
        # of its own where there is no such member.
        assert info["intraday_multipliers"] == []
        assert set(info["supported_resolutions"]) <= set(config["supported_resolutions"])
        assert "173" in info["supported_resolutions"]
        assert (info["minmov"], info["pricescale"], info["session"]) == (1, 100, "24x7")
    assert all(
        bar[column] * info["pricescale"] % info["minmov"] == 0
        for bar in feed.candles["60"]
        for column in range(1, 5)
    )


async def test_the_time_is_the_exchanges_in_plain_seconds(feed: Feed) -> None:
    async with feed.session.get(f"{feed.url}/udf/time") as reply:
        text = await reply.text()
    assert reply.content_type == "text/plain"
    assert re.fullmatch("[0-9]{10}", text)
    assert 0 <= int(text) - NOW_S < 600


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 1),
        ({"query": "BTC", "type": "", "exchange": "", "limit": 30}, 1),
        ({"query": "binance:btcusdt"}, 1),
        ({"query": "btc/us"}, 1),
        ({"query": "usdt", "type": "crypto", "exchange": "BINANCE"}, 1),
        ({"query": "BTC", "type": "stock"}, 0),
        ({"query": "BTC", "exchange": "NASDAQ"}, 0),
        ({"query": "DOGE"}, 0),
    ],
)
async def test_symbols_are_found_by_a_part(feed: Feed, query: dict[str, Any], count: int) -> None:
    found = await feed.chart().ask("search", **query)
    assert len(found) == count
    for result in found:
        assert (result["symbol"], result["ticker"]) == (SYMBOL, SYMBOL)
        assert result["full_name"] == f"BINANCE:{SYMBOL}"


async def test_openbb_draws_a_chart_with_what_it_asks(feed: Feed) -> None:
    """It takes the full name from a search, adds parameters of its user, and sends no countback."""
    own = {"theme": "dark", "api_key": "secret"}
    (widget,) = (await Chart(feed.session, feed.url).ask("widgets.json", **own)).values()
    assert (widget["type"], widget["data"]["defaultSymbol"]) == ("advanced_charting", SYMBOL)
    chart = Chart(feed.session, feed.url + widget["endpoint"])
    config = await chart.ask("config", **own)
    assert config["exchanges"][0]["value"] == config["symbols_types"][0]["value"] == ""
    (found,) = await chart.ask("search", query="btc", limit=30, **own)
    info = await chart.ask("symbols", symbol=found["full_name"], **own)
    drawn = feed.chart("60", found["full_name"])
    bars, _ = await drawn.history(**{"from": NOW_S - 5 * DAY_S}, to=NOW_S, **own)
    assert bars == expected(feed.candles["60"], NOW_S - 5 * DAY_S, NOW_S, 0)
    assert info["timezone"] == "Etc/UTC"


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("symbols", 400, "query.symbol"),
        ("symbols?symbol=NOPE", 404, "NOPE"),
        ("symbols?symbol=NASDAQ:BTCUSDT", 404, "NASDAQ:BTCUSDT"),
        ("history?symbol=NOPE&resolution=1&to=1", 404, "NOPE"),
        ("history?symbol=BTCUSDT&resolution=1", 400, "query.to"),
        ("history?symbol=BTCUSDT&to=1", 400, "query.resolution"),
        ("history?symbol=BTCUSDT&resolution=1H&to=1", 400, "query.resolution"),
        ("history?symbol=BTCUSDT&resolution=0&to=1", 400, "query.resolution"),
        ("history?symbol=BTCUSDT&resolution=525601&to=1", 400, "query.resolution"),
        ("history?symbol=BTCUSDT&resolution=1&to=1.5", 400, "query.to"),
        ("history?symbol=BTCUSDT&resolution=1&to=1000000000000", 400, "query.to"),
        ("history?symbol=BTCUSDT&resolution=1&to=1&countback=-1", 400, "query.countback"),
        ("search?limit=0", 400, "query.limit"),
        ("symbol_info?group=BINANCE", 404, "no such path"),
        ("", 404, "no such path"),
    ],
)
async def test_errors_have_the_protocols_form(
    feed: Feed, path: str, status: int, reason: str
) -> None:
    async with feed.session.get(f"{feed.url}/udf/{path}") as reply:
        answer = await reply.json()
    assert (reply.status, answer["s"], answer.keys()) == (status, "error", {"s", "errmsg"})
    assert reason in answer["errmsg"]


async def test_a_page_of_an_allowed_origin_may_read_it(feed: Feed) -> None:
    for path in ("config", "history?symbol=NOPE&resolution=1&to=1"):
        url = f"{feed.url}/udf/{path}"
        async with feed.session.get(url, headers={"Origin": PARTNER}) as reply:
            assert reply.headers["Access-Control-Allow-Origin"] == PARTNER
        async with feed.session.get(url, headers={"Origin": "https://other.example.org"}) as reply:
            assert (reply.status, (await reply.json())["s"]) == (403, "error")
