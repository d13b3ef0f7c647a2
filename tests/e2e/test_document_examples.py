"""The texts of the examples in the documents are those that the server sends.

Numbers in them are of no account; each example is provoked and its texts are compared.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from generated.native.facts import DataQuality
from handlers.native.errors import error_form
from handlers.problem import INTERNAL_ERROR
from ingest.core.continuity import Continuity, Gap
from ingest.core.status import Event
from server.app import Server
from tests.chaos.exchange import Exchange
from tests.e2e.client import Client
from tests.running import server, settings, until

SPECS = Path(__file__).parents[2] / "specs"
REST: dict[str, Any] = yaml.safe_load((SPECS / "openapi.yaml").read_text())
STREAM: dict[str, Any] = yaml.safe_load((SPECS / "stream.asyncapi.yaml").read_text())
TEXTS = {
    *("message", "error", "error_code", "reason", "component", "field", "kind", "status"),
    *("path", "schema_path"),
}
API = "/api/v1"


def texts(value: object) -> set[tuple[str, str]]:
    """The texts in a reply, with `#` for each number."""
    found: set[tuple[str, str]] = set()
    if isinstance(value, list):
        found = set().union(*map(texts, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            found |= texts(item)
            if key in TEXTS and isinstance(item, str):
                text = re.sub(r"\d+(\.\d+)*", "#", item)
                found.add((key, re.sub("WETHUSDT|ETHUSDT", "BTCUSDT", text)))
    return found


def examples(node: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON examples of a response."""
    content = node.get("content", {}).get("application/json", {})
    for name, example in content.get("examples", {}).items():
        yield name, example["value"]


ANSWERS = {
    f"{method} {path} {status} {name}": value
    for path, methods in REST["paths"].items()
    for method in ("get", "delete", "post")
    for status, response in methods.get(method, {}).get("responses", {}).items()
    for name, value in examples(response)
}
ERRORS = {
    f"{kind} {name}": value
    for kind, response in REST["components"]["responses"].items()
    for name, value in examples(response)
}
MESSAGES = {
    f"{kind} {example['name']}": example["payload"]
    for kind, message in STREAM["components"]["messages"].items()
    for example in message["examples"]
    if texts(example["payload"]) and "action" not in example["payload"]
}


def asking(action: str, symbol: str, *timeframes: int) -> dict[str, Any]:
    """A request for timeframes of one symbol."""
    wanted: list[Any] = [*timeframes]
    if action == "subscribe":
        wanted = [{"timeframe": timeframe, "initial_candles": 5} for timeframe in timeframes]
    key = "subscriptions" if action == "subscribe" else "unsubscriptions"
    return {"action": action, key: [{"symbol": symbol, "timeframes": wanted}]}


def joined(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The parts of several requests of one kind as one request."""
    key = next(name for name in requests[0] if name != "action")
    return {**requests[0], key: [part for request in requests for part in request[key]]}


class World:
    """A server, its exchange, and what can be asked of it."""

    def __init__(self, exchange: Exchange, running: Server, url: str) -> None:
        self.exchange, self.running, self.url = exchange, running, url
        self.feed = running.provider.feeds["BTCUSDT"]

    async def ask(self, path: str, method: str = "GET", **options: Any) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}{API}{path}", **options) as reply,
        ):
            return await reply.json()

    async def until(self, quality: DataQuality) -> None:
        await until(lambda: self.feed.status.quality is quality)

    async def exchange_refuses(self) -> None:
        await self.exchange.order(
            "answer", path="/api/v3/aggTrades", status=503, body="{}", count=10_000
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with Exchange.started("--symbols", "BTCUSDT,ETHUSDT", "--rate", "20") as exchange:
        chosen = settings(
            exchange.url, tmp_path, symbols="BTCUSDT,ETHUSDT", history="5m", confirm_seconds="120"
        )
        async with server(chosen) as (running, url):
            world = World(exchange, running, url)
            await until(
                lambda: all(
                    feed.status.quality is DataQuality.COMPLETE
                    for feed in running.provider.feeds.values()
                )
            )
            yield world


async def lose(world: World) -> None:
    """Have one gap open, and one confirmed."""
    await world.exchange_refuses()
    ids = world.feed.continuity
    assert ids is not None
    first = ids.first_id
    world.feed.continuity = Continuity(
        first, ids.high_water, [Gap(first + 20, first + 30)], [Gap(first + 1, first + 10)]
    )
    world.feed.state.happen(Event.IDS_MISSING)


async def load(world: World) -> None:
    await lose(world)
    world.feed.state.happen(Event.HISTORY_WANTED)


async def cut(world: World) -> None:
    world.feed.state.disconnect()


async def fill_the_disk(world: World) -> None:
    world.running.provider.retry.failing_since_ms = 1


async def materialize(world: World) -> None:
    for timeframe in (15, 60):
        world.running.provider.store.candles.materialize("BTCUSDT", timeframe)


async def lose_the_connection(world: World) -> None:
    down = world.running.provider.feeds["ETHUSDT"].state
    await world.exchange.order("cut")
    await until(lambda: not down.is_connected)


async def submit(world: World) -> None:
    await world.ask(f"/admin/jobs{QUERIES['queued']}", "POST")


async def be_done(world: World) -> None:
    await submit(world)
    async with asyncio.timeout(60):
        while (await world.ask("/admin/jobs/1"))["data"]["job"]["ended_at"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def be_busy(world: World) -> None:
    world.feed.state.is_open = False  # which a backfill waits for
    await submit(world)


BEFORE = {"partial": lose, "loading": load, "degraded": cut, "unhealthy": fill_the_disk,
          "views": materialize, "running": submit, "done": be_done,
          "cancelled": be_busy, "warning": lose_the_connection}  # fmt: skip
"""The setup for the server to answer as in the example of this name."""

QUERIES = {
    "candles": "?timeframe=1&limit=2",
    "loading": "?timeframe=1",
    "none": "?start_time=0&end_time=0",
    "queued": "?kind=backfill&start_time=2000-01-01&end_time=2000-01-02&source=rest",
    "trades": "?limit=2",
    "warning": "?level=warning&limit=1",
}


@pytest.mark.parametrize("example", ANSWERS)
async def test_an_answer_has_the_texts_of_its_example(world: World, example: str) -> None:
    method, path, _, name = example.split()
    if name in BEFORE:
        await BEFORE[name](world)
    place = path.replace("{symbol}", "BTCUSDT").replace("{timeframe}", "173m")
    place = place.replace("{job_id}", "1")
    takes_query = any(part in path for part in ("data", "log", "jobs"))
    place += QUERIES.get(name, "") if takes_query else ""
    answer = await world.ask(place, method.upper())
    assert texts(answer) == texts(ANSWERS[example])


NO_KEYS = "/nowhere/keys.json"
PROVOKED: dict[str, tuple[dict[str, str], str, str, dict[str, str]]] = {
    "BadRequest limit": ({}, "GET", "/data/trades/BTCUSDT?limit=20000", {}),
    "Forbidden address": ({"whitelist": "203.0.113.0/24"}, "GET", "/tickers/", {}),
    "Unauthorized missing": ({"keys_file": NO_KEYS}, "GET", "/admin/log", {}),
    "Unauthorized wrong": (
        {"keys_file": NO_KEYS}, "GET", "/admin/log", {"Authorization": "Bearer cck_guessed"}
    ),
    "SymbolNotActive symbol": ({}, "GET", "/tickers/DOGEUSDT", {}),
    "JobNotFound job": ({}, "GET", "/admin/jobs/7", {}),
    "SymbolLimit symbol": ({"max_symbols": "1"}, "POST", "/tickers/ETHUSDT", {}),
    "MethodNotAllowed method": ({}, "DELETE", "/tickers/", {}),
    "NotAcceptable format": ({}, "GET", "/data/trades/BTCUSDT", {"Accept": "image/png"}),
    "TooManyRequests rate": (
        {"requests_per_minute": "1", "request_burst": "1"}, "GET", "/tickers/", {}
    ),
    "ServiceUnavailable store": ({}, "GET", "/data/trades/BTCUSDT", {}),
}  # fmt: skip
"""How each error comes about: with these settings, by this method, path and headers."""


BY_FILES = {"FileNotFound open", "RangeNotSatisfiable range"}
"""Those that need days of history: test_files.py provokes them."""
BY_FOLLOWING = {"SymbolNotListed symbol"}
"""Those that need an exchange: test_following.py provokes them."""
BY_KEYS = {"Forbidden scope"}
"""Those that need a key: tests/server/test_key_attacks.py provokes them."""

BY_JOBS = {"JobLimit job", "JobOver job"}
"""Those that need a job that runs: test_jobs.py provokes them."""


def test_every_example_of_an_error_is_provoked() -> None:
    elsewhere = BY_FILES | BY_FOLLOWING | BY_JOBS | BY_KEYS
    assert {*PROVOKED, *elsewhere, "InternalError fault"} == set(ERRORS)


@pytest.mark.parametrize("example", PROVOKED)
async def test_an_error_has_the_texts_of_its_example(tmp_path: Path, example: str) -> None:
    chosen, method, path, headers = PROVOKED[example]
    there = settings("http://127.0.0.1:9", tmp_path, symbols="BTCUSDT", **chosen)
    async with server(there) as (running, url), aiohttp.ClientSession() as session:
        if example.startswith("ServiceUnavailable"):
            running.provider.store.close()
        for _ in range(1 + (example == "TooManyRequests rate")):
            async with session.request(method, url + API + path, headers=headers) as reply:
                answer = await reply.json()
        assert texts(answer) == texts(ERRORS[example])


def test_an_internal_error_has_the_texts_of_its_example() -> None:
    assert texts(json.loads(error_form(INTERNAL_ERROR)[1])) == texts(ERRORS["InternalError fault"])


REQUESTS: dict[str, tuple[dict[str, Any], ...]] = {
    "subscription_result all": (asking("subscribe", "BTCUSDT", 15, 173),),
    "subscription_result some": (
        asking("subscribe", "BTCUSDT", 15), asking("subscribe", "DOGEUSDT", 15)
    ),
    "unsubscription_result all": (asking("unsubscribe", "BTCUSDT", 15, 173),),
    "unsubscription_result some": (asking("unsubscribe", "BTCUSDT", 15, 7),),
    "error timeframe": (asking("subscribe", "BTCUSDT", -1),),
    "error too_long": (asking("subscribe", "BTCUSDT", 600_000),),
}  # fmt: skip
"""The parts of the request that each message answers."""


def test_every_example_of_a_message_with_a_text_is_provoked() -> None:
    assert set(REQUESTS) == set(MESSAGES)


@pytest.mark.parametrize("example", REQUESTS)
async def test_a_message_has_the_texts_of_its_example(world: World, example: str) -> None:
    async with Client.connect(world.url) as client:
        parts = REQUESTS[example]
        if "unsubscriptions" in parts[0]:
            await client.subscribe("BTCUSDT", (15, 173))
            await client.wait_for("subscription_result")
        await client.send(joined(parts))
        assert texts(await client.wait_for(example.split()[0])) == texts(MESSAGES[example])
