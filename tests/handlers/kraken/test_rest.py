"""Kraken's REST: its answers by its document, and all that goes wrong in Kraken's own form."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft4Validator
from yarl import URL

from scripts.apis import SPECS
from scripts.bundle import Bundle
from scripts.rest_check import json_schema
from tests.handlers.kraken.conftest import API_KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

REST = Bundle(SPECS / "kraken" / "rest.openapi.yaml").document
BASES = ("/kraken/0", "/0")


async def test_asset_pairs_map_the_names(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        pairs = await (await session.get("/kraken/0/public/AssetPairs")).json()
        names = {name: pair["wsname"] for name, pair in pairs["result"].items()}
        assert names == {"XBTUSDT": "XBT/USDT", "ETHXBT": "ETH/XBT", "XDGUSDT": "XDG/USDT"}
        assert pairs["result"]["XBTUSDT"]["pair_decimals"] == 2
        path = "/kraken/0/public/AssetPairs?pair=ETHXBT,XDG/USDT"
        some = await (await session.get(path)).json()
        assert set(some["result"]) == {"ETHXBT", "XDGUSDT"}
        none = await (await session.get("/kraken/0/public/AssetPairs?pair=ETHXBT,NONE")).json()
        assert none == {"error": ["EQuery:Unknown asset pair"]}


async def test_the_time_is_that_of_the_exchange(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await (await session.get("/kraken/0/public/Time")).json()
    assert abs(answer["result"]["unixtime"] - running.server.provider.clock.now_ms() / 1000) < 60


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths: Any = REST["paths"]
    return [(m, path, op) for path, methods in paths.items() for m, op in methods.items()]


@pytest.mark.parametrize(("method", "path", "operation"), operations())
@pytest.mark.parametrize("headers", [{}, {"API-Key": API_KEY}])
async def test_rest_answers_as_its_document_says(
    running: Running, method: str, path: str, operation: dict[str, Any], headers: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await session.request(method, f"/kraken/0{path}", headers=headers)
        body = await answer.json()
    assert str(answer.status) in operation["responses"]
    content = operation["responses"]["200"]["content"]["application/json"]
    schema: Any = json_schema({**content["schema"], "components": REST["components"]})
    Draft4Validator(schema).validate(body)
    assert ("result" in body) is not bool(body["error"])


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", "/public/Nothing", "EGeneral:Unknown method"),
        ("GET", "", "EGeneral:Unknown method"),
        ("GET", "/", "EGeneral:Unknown method"),
        ("POST", "/public/Time", "EGeneral:Unknown method"),
        ("DELETE", "/private/GetWebSocketsToken", "EGeneral:Unknown method"),
        ("GET", "/public/AssetPairs?pair=XBTUSDT&pair=ETHXBT", "EGeneral:Invalid arguments"),
        ("GET", f"/public/AssetPairs?pair={'A' * 2001}", "EGeneral:Invalid arguments"),
        ("GET", "/public/AssetPairs?pair=%ff", "EGeneral:Invalid arguments"),
        ("GET", "/public/AssetPairs?pair=", "EQuery:Unknown asset pair"),
        ("POST", "/private/GetWebSocketsToken", "EAPI:Invalid key"),
    ],
)
async def test_every_error_has_krakens_form(
    running: Running, base: str, method: str, path: str, text: str
) -> None:
    async with aiohttp.ClientSession() as session:
        url = URL(running.url + base + path, encoded=True)
        answer = await session.request(method, url)
        assert (answer.status, await answer.json()) == (200, {"error": [text]})


async def test_parameters_of_krakens_that_are_not_served_are_passed_over(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        path = "/0/public/AssetPairs?pair=XBTUSDT&info=leverage&assetVersion=1"
        answer = await (await session.get(path)).json()
    assert set(answer["result"]) == {"XBTUSDT"}


async def test_a_client_of_the_root_finds_the_same(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answers = [await (await session.get(f"{base}/public/AssetPairs")).json() for base in BASES]
        native = await session.get("/kraken")
    assert answers[0] == answers[1]
    assert native.status == 426


async def ask(session: aiohttp.ClientSession, path: str, **query: object) -> Any:
    given = {name: str(value) for name, value in query.items()}
    async with session.get(f"/0/public/{path}", params=given) as reply:
        assert reply.status == 200
        return await reply.json(loads=lambda text: json.loads(text, parse_float=Decimal))


@pytest.mark.parametrize("interval", [1, 5, 17, 1440])
async def test_candles_are_those_of_the_own_api(running: Running, interval: int) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await ask(session, "OHLC", pair="XBTUSDT", interval=interval)
        rows = answer["result"]["XBTUSDT"]
        url = f"/api/v1/data/candles/BTCUSDT?timeframe={interval}&limit=720"
        async with session.get(url) as reply:
            text = await reply.text()
        candles = json.loads(text, parse_float=Decimal)["data"]
        ended = [row for row in rows if row[0] * 1000 < candles[-1]["candle_time"]]
        assert [row[0] * 1000 for row in ended] == [c["candle_time"] for c in candles[: len(ended)]]
        for row, candle in zip(ended, candles, strict=False):
            names = ("open", "high", "low", "close")
            assert [*map(Decimal, row[1:5])] == [candle[name] for name in names]
            assert Decimal(row[6]) == candle["volume"]
            assert row[7] == candle["trades_count"]
        last = answer["result"]["last"]
        later = await ask(session, "OHLC", pair="XBT/USDT", interval=interval, since=last)
        assert all(row[0] > last for row in later["result"]["XBTUSDT"])
        far = await ask(session, "OHLC", pair="XBTUSDT", since=4 * 10**9)
        assert len(far["result"]["XBTUSDT"]) == 1


async def test_trades_are_read_page_by_page_each_once(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await ask(session, "Trades", pair="XBTUSDT", count=1000)
        wanted = [row[6] for row in answer["result"]["XBTUSDT"]]
        assert len(wanted) == 1000
        first_ms = int(answer["result"]["XBTUSDT"][0][2] * 1000)
        found: list[list[Any]] = []
        since = str(first_ms * 1_000_000)
        while not found or found[-1][6] < wanted[-1]:
            page = await ask(session, "Trades", pair="XBTUSDT", since=since, count=13)
            rows, since = page["result"]["XBTUSDT"], page["result"]["last"]
            assert 0 < len(rows) <= 13
            found += rows
        ids = [row[6] for row in found if row[6] >= wanted[0]]
        assert ids == list(range(wanted[0], wanted[0] + len(ids)))
        async with session.get(f"/api/v1/data/trades/BTCUSDT?from_id={ids[0]}&limit=10") as reply:
            own = json.loads(await reply.text(), parse_float=Decimal)["data"]
        for row, trade in zip([each for each in found if each[6] >= ids[0]], own, strict=False):
            assert (Decimal(row[0]), Decimal(row[1])) == (trade["price"], trade["quantity"])
            assert row[2] * 1000 == trade["timestamp"]
            assert row[3] == ("s" if trade["is_buyer_maker"] else "b")
        page = await ask(session, "Trades", pair="XBTUSDT", since=2**62)
        assert page["result"] == {"XBTUSDT": [], "last": str(2**62)}


async def test_the_ticker_has_the_figures_of_the_stream(running: Running) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await ask(session, "Ticker", pair="XBTUSDT,ETH/XBT")
        assert answer["result"].keys() == {"XBTUSDT", "ETHXBT"}
        everything = await ask(session, "Ticker")
        assert everything["result"].keys() == {"XBTUSDT", "ETHXBT", "XDGUSDT"}
        figures = answer["result"]["XBTUSDT"]
        assert Decimal(figures["b"][0]) < Decimal(figures["a"][0])
        async with session.get("/api/v1/data/candles/BTCUSDT?timeframe=1440&limit=1") as reply:
            (day,) = json.loads(await reply.text(), parse_float=Decimal)["data"]
        assert Decimal(figures["o"]) == day["open"]
        assert Decimal(figures["v"][0]) <= day["volume"]
        assert Decimal(figures["l"][0]) >= day["low"]


@pytest.mark.parametrize("path", ["OHLC", "Trades", "Ticker"])
async def test_an_unknown_pair_is_refused(running: Running, path: str) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        answer = await ask(session, path, pair="XBTEUR")
        assert answer == {"error": ["EQuery:Unknown asset pair"]}
