"""Kraken's REST: its answers by its document, and all that goes wrong in Kraken's own form."""

from __future__ import annotations

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
