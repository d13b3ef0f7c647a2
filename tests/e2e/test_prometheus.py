"""Prometheus itself scrapes a server, and its alerts fire and clear as the exchange behaves."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from generated.native.facts import DataQuality
from server.app import Server
from tests import running

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="prometheus is not installed: apt-get install prometheus",
    ),
]

DEPLOY = running.ROOT / "deploy" / "prometheus"
DASHBOARD = running.ROOT / "docs" / "grafana" / "candlecast.json"
GUIDE = running.ROOT / "docs" / "guides" / "monitoring.md"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
SECONDS = 90.0


@dataclass
class Setup:
    """A server with its exchange, and the Prometheus that scrapes it."""

    exchange: str
    server: Server
    url: str
    prometheus: str
    session: aiohttp.ClientSession

    async def control(self, name: str, **values: object) -> Any:
        url = f"{self.exchange}/control/{name}"
        async with self.session.post(url, json=values) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def ask(self, path: str, **query: str) -> Any:
        async with self.session.get(f"{self.prometheus}/api/v1/{path}", params=query) as reply:
            return (await reply.json())["data"]

    async def firing(self) -> set[str]:
        found = (await self.ask("alerts"))["alerts"]
        return {each["labels"]["alertname"] for each in found if each["state"] == "firing"}

    async def until_firing(self, holds: Callable[[set[str]], bool]) -> None:
        firing: set[str] = set()
        try:
            async with asyncio.timeout(SECONDS):
                while not holds(firing := await self.firing()):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"These alerts fire: {firing}") from None

    async def value(self, query: str) -> float | None:
        found = (await self.ask("query", query=query))["result"]
        return float(found[0]["value"][1]) if found else None


def quickly(rules: str) -> str:
    """The rules, with their times and thresholds cut down to those of a test."""
    text = re.sub(r"for: \d+m", "for: 1s", rules)
    for before, after in (
        ("candlecast_last_trade_age_seconds) > 300", "candlecast_last_trade_age_seconds) > 4"),
        ("candlecast_store_disk_size_bytes < 0.1", "candlecast_store_disk_size_bytes < 1.1"),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    directory = tmp_path_factory.mktemp("prometheus")
    async with running.simulator("--symbols", ",".join(SYMBOLS), "--rate", "10") as exchange:
        chosen = running.settings(
            exchange, directory, symbols=",".join(SYMBOLS), history="1m", confirm_seconds="86400"
        )
        async with (
            running.server(chosen) as (server, url),
            aiohttp.ClientSession() as session,
            prometheus(directory, url.removeprefix("http://")) as address,
        ):
            yield Setup(exchange, server, url, address, session)


@asynccontextmanager
async def prometheus(directory: Path, target: str) -> AsyncIterator[str]:
    """The program, which scrapes a server each second; gives its address."""
    config = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (directory / "alerts.yaml").write_text(quickly((DEPLOY / "alerts.yaml").read_text("utf-8")))
    address = f"127.0.0.1:{running.free_port()}"
    with (directory / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={directory}/prometheus.yaml",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while not await is_ready(session, address):
                assert process.returncode is None, (directory / "prometheus.log").read_text()
                await asyncio.sleep(0.1)
        yield f"http://{address}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def is_ready(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(f"http://{address}/-/ready") as reply:
            return reply.status == 200
    except aiohttp.ClientError:
        return False


async def scraped(watched: Setup, accept: str = "text/plain") -> str:
    async with watched.session.get(f"{watched.url}/metrics", headers={"Accept": accept}) as reply:
        assert (reply.status, reply.content_type) == (200, accept)
        return await reply.text()


def samples(families: Iterable[Metric]) -> set[str]:
    return {sample.name for family in families for sample in family.samples}


def table(families: Iterable[Metric]) -> list[str]:
    """The rows of the guide's table."""
    rows = []
    for family in families:
        names = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{each}`" for each in sorted(names))
        rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return rows


def promtool(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["promtool", *arguments], input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def test_what_is_scraped_is_sound_in_both_forms(watched: Setup) -> None:
    for path in ("/api/v1/tickers/BTCUSDT", "/nowhere/" + "x" * 1000, "/api/v1/tickers/NOSUCH"):
        async with watched.session.get(watched.url + path) as reply:
            await reply.read()
    text = await scraped(watched)
    assert promtool("check", "metrics", text=text) == ""
    families = {each.name: each for each in plain_text(text)}
    text = await scraped(watched, "application/openmetrics-text")
    again = [*open_metrics(text)]  # type: ignore[no-untyped-call]
    assert samples(families.values()) == samples(again)
    routes = {
        sample.labels["route"] for sample in families["candlecast_request_duration_seconds"].samples
    }
    assert routes >= {"/api/v1/tickers/{symbol}", "other"}
    assert not any("x" * 10 in route or "NOSUCH" in route for route in routes)
    symbols = {s.labels["symbol"] for s in families["candlecast_lag_seconds"].samples}
    assert symbols <= {*SYMBOLS}


async def test_only_reading_is_allowed_and_only_to_those_who_are_let_in(watched: Setup) -> None:
    async with watched.session.post(f"{watched.url}/metrics") as reply:
        assert reply.status == 405
    headers = {"Host": "evil.example"}
    async with watched.session.get(f"{watched.url}/metrics", headers=headers) as reply:
        assert reply.status == 403


async def test_the_rules_do_what_their_tests_say(watched: Setup) -> None:
    assert "SUCCESS" in promtool("check", "rules", str(DEPLOY / "alerts.yaml"))
    assert "SUCCESS" in promtool("check", "config", str(DEPLOY / "prometheus.yaml"))
    assert "SUCCESS" in promtool("test", "rules", str(DEPLOY / "alerts.test.yaml"))


async def test_every_metric_that_is_named_exists(watched: Setup) -> None:
    await running.until(
        lambda: all(
            feed.status.quality is DataQuality.COMPLETE
            for feed in watched.server.provider.feeds.values()
        )
    )
    async with watched.session.get(f"{watched.url}/api/v1/tickers/") as reply:
        assert reply.status == 200  # a histogram of requests begins with the first one
    text = await scraped(watched)
    known = {sample.name for family in plain_text(text) for sample in family.samples}
    dashboard = DASHBOARD.read_text("utf-8")
    for source in (dashboard, (DEPLOY / "alerts.yaml").read_text("utf-8")):
        named = {*re.findall(r"\b(?:candlecast|process)_[a-z_]+", source)}
        assert len(named) > 10
        assert named <= known
    variables = {each["name"] for each in json.loads(dashboard)["templating"]["list"]}
    used = re.findall(r"\$\{?([a-z]+)\b", dashboard)
    assert {*used} - variables == set()


async def test_the_guide_lists_every_metric(watched: Setup) -> None:
    async with watched.session.get(f"{watched.url}/api/v1/tickers/") as reply:
        assert reply.status == 200
    rows = GUIDE.read_text("utf-8").partition("|---|---|---|---|\n")[2].partition("\n\n")[0]
    own = [each for each in plain_text(await scraped(watched)) if "candlecast_" in each.name]
    assert rows.splitlines() == table(own)


async def test_the_queries_of_the_dashboard_find_something(watched: Setup) -> None:
    variables = {"job": "candlecast", "instance": ".*", "symbol": ".*", "__rate_interval": "10s"}
    async with asyncio.timeout(SECONDS):
        while not await watched.value("rate(candlecast_tick_duration_seconds_count[10s])"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            query = re.sub(r"\$(\w+)", lambda found: variables[found[1]], target["expr"])
            assert await watched.value(query) is not None, query


async def test_the_alerts_fire_when_the_exchange_is_cut_and_clear_after(watched: Setup) -> None:
    await watched.until_firing(lambda firing: firing == {"CandlecastDiskLow"})
    await watched.control("outage", seconds=600)
    cut = {"CandlecastExchangeCut", "CandlecastNoTrades", "CandlecastNotReady"}
    await watched.until_firing(lambda firing: firing >= cut)
    await watched.control("reset")
    await watched.until_firing(lambda firing: not firing & cut)


async def test_a_gap_that_stays_open_fires_until_it_is_filled(watched: Setup) -> None:
    state = await watched.control("faults")
    first = state["symbols"]["BTCUSDT"]["last_id"] + 20
    await watched.control("unreadable", symbol="BTCUSDT", from_id=first, to_id=first + 2)
    await watched.until_firing(lambda firing: "CandlecastGapOpen" in firing)
    assert await watched.value('sum(candlecast_gaps{symbol="BTCUSDT",kind!="confirmed"})') == 1
    await watched.control("readable", symbol="BTCUSDT")
    await watched.until_firing(lambda firing: "CandlecastGapOpen" not in firing)
