"""`candlecast status`: what is shown of a server, in which order, and how the command ends."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from rich.text import Text

from generated.native.facts import DataQuality
from generated.native.models import (
    DataStatus,
    Health,
    HealthProblem,
    Loading,
    Readiness,
    TickerSummary,
    WebSocketStatus,
    WeightStatistics,
)
from handlers.native.rest.health import blocking_problems
from server.commands.overview import Overview
from server.commands.progress import bar, duration, pace, percent
from tests.cli.terminal import frames, in_terminal, piped, started
from tests.e2e.rest import listening
from tests.running import server, settings, simulator, until

URL = "http://127.0.0.1:8080"


def ticker(symbol: str, quality: str = "complete", **figures: Any) -> TickerSummary:
    plain: dict[str, Any] = {
        "symbol": symbol, "base_asset": "BTC", "quote_asset": "USDT", "connected": True,
        "exchange_status": "TRADING", "trades_stored": 1200, "last_price": Decimal("64123.1"),
        "last_trade_time": 0, "loading": None,
        "data_status": DataStatus(
            historical_loading=quality == "loading", gap_recovery=quality == "partial",
            data_quality=DataQuality(quality), last_complete_timestamp=None,
        ),
    }  # fmt: skip
    return TickerSummary(**{**plain, **figures})


def overview(*tickers: TickerSummary, problems: Sequence[HealthProblem] = ()) -> Overview:
    found = list(problems)
    components: Any = {
        "initialized": True, "binance_client": {"connected": True},
        "weight_coordinator": {"active": True, "healthy": True},
        "tickers": {"active_tasks": 1, "healthy_processors": 1},
        "websocket_manager": {"connections": 3, "active_symbols": 1},
    }  # fmt: skip
    return Overview(
        URL, None, Readiness(ready=not found, problems=found),
        Health(
            status="degraded" if found else "healthy", components=components, problems=found,
            timestamp=0, uptime_seconds=3725.0,
        ),
        tickers,
        WeightStatistics(
            limit_per_minute=6000, used=844, reserved=0, requests=15210, throttled=2,
            banned_until=None, retry_after_seconds=None,
        ),
        WebSocketStatus(
            connections_count=3, active_symbols=1, total_subscriptions=12, mv_references_count=1,
            clickhouse_managers=1, messages_sent=15420, errors_count=0, uptime_seconds=1.0,
            update_task_running=True, heartbeat_task_running=True,
        ),
    )  # fmt: skip


def problem(symbol: str | None, reason: str, component: Any = "tickers") -> HealthProblem:
    return HealthProblem(component=component, symbol=symbol, reason=reason)


def texts(lines: Sequence[Text]) -> list[str]:
    return [line.plain for line in lines]


# What is drawn -----------------------------------------------------------------------------------


def test_symbols_that_are_not_complete_come_first_and_columns_are_aligned() -> None:
    loading = Loading(loaded=61_000, total=100_000, trades_per_second=1830, seconds_left=21.3)
    shown = texts(
        overview(
            ticker("AAAUSDT"),
            ticker("BREAKUSDT", exchange_status="BREAK", last_price=Decimal("0.00000001")),
            ticker("ZZUSDT", "partial", last_price=Decimal(1_234_567), trades_stored=123_456_789),
            ticker("LUSDT", "loading", loading=loading, last_price=None),
            ticker("GONEUSDT", "loading", exchange_status="NOT_LISTED", loading=loading),
            problems=[
                problem("ZZUSDT", "3 trades are missing"),
                problem("GONEUSDT", "The exchange does not list it"),
                problem("LUSDT", "Its history is loading, 39000 trades are missing"),
                problem(
                    None, "The exchange takes no requests for another 12 s", "weight_coordinator"
                ),
            ],
        ).lines()
    )
    assert shown == [
        "Candlecast  http://127.0.0.1:8080  up 1h 2m",
        "● not ready  5 symbols: 2 complete, 1 partial, 1 loading, 1 not listed",
        "",
        "SYMBOL                  PRICE       TRADES  STATUS        GAPS",
        "GONEUSDT      64,123.1               1,200  ● not listed  The exchange does not list it",
        "LUSDT              –                 1,200  ● loading     ██████░░░░  61%"
        "  1,830/s, 21s left  61,000 of 100,000 trades",
        "ZZUSDT     1,234,567           123,456,789  ● partial     3 trades are missing",
        "AAAUSDT       64,123.1               1,200  ● complete    no gaps",
        "BREAKUSDT          0.00000001        1,200  ● complete    no gaps; BREAK at the exchange",
        "",
        "weight    844 of 6,000 a minute  15,210 requests  2 refused for their rate",
        "clients   3 connections  12 subscriptions  15,420 messages sent",
        "problem   weight coordinator: The exchange takes no requests for another 12 s",
    ]


def test_what_does_not_fit_is_counted() -> None:
    tickers = [ticker(f"S{n}USDT", "complete" if n % 2 else "unknown") for n in range(100)]
    shown = texts(overview(*tickers).lines(15))
    assert len(shown) == 15
    assert [line.split()[0] for line in shown[4:11]] == [
        f"S{n}USDT" for n in (0, 10, 12, 14, 16, 18, 20)
    ]
    assert shown[11] == "… and 93 more symbols: 50 complete, 43 unknown"


@settings_of(max_examples=60, deadline=None)
@given(count=st.integers(0, 60), height=st.integers(1, 70), others=st.integers(0, 12))
def test_no_height_is_exceeded_and_no_symbol_is_lost(count: int, height: int, others: int) -> None:
    problems = [problem(None, "It is away", "store")] * others
    whole = overview(*(ticker(f"S{n}USDT") for n in range(count)), problems=problems)
    shown = texts(whole.lines(height))
    assert len(shown) <= height
    if height > 20:
        rows = sum(line.endswith("no gaps") for line in shown)
        left_out = [int(line.split()[2]) for line in shown if line.startswith("… and ")]
        assert rows + sum(left_out) == count
        assert bool(left_out) == (rows < count)


def test_wide_letters_and_control_characters_do_no_harm() -> None:
    shown = overview(
        ticker("币安人生USDT"), ticker("AUSDT"),
        problems=[problem(None, "\x1b[2J gone", "store")],
    ).lines()  # fmt: skip
    rows = [line for line in shown if "complete" in line.plain and "USDT" in line.plain]
    assert len({line[: line.plain.index("●")].cell_len for line in rows}) == 1
    assert not any("\x1b" in line.plain for line in shown)


def test_progress_in_words() -> None:
    half = Loading(loaded=999, total=1000, trades_per_second=0, seconds_left=None)
    assert (percent(half), pace(half)) == ("99%", "waiting for trades")
    assert bar(half, 10).plain == "█████████░"
    none = Loading(loaded=0, total=0, trades_per_second=0, seconds_left=None)
    assert (percent(none), bar(none, 4).plain) == ("0%", "░░░░")
    spans = (0, 59.9, 60, 3600, 3725, 90_000)
    assert [*map(duration, spans)] == ["0s", "59s", "1m", "1h", "1h 2m", "1d 1h"]


# Against servers ---------------------------------------------------------------------------------


def two_progresses(output: str) -> bool:
    """Whether some screen has two panels beside each other, each with all that progress has."""
    return any(
        all(any(line.count(part) == 2 for line in screen) for part in ("░ ", "s left", " of "))
        for screen in frames(output)
    )


@asynccontextmanager
async def loading_server(directory: Path, symbols: str) -> AsyncIterator[str]:
    """A server that has much history to download, and has begun to."""
    options = ("--symbols", symbols, "--rate", "40")
    async with (
        simulator(*options) as exchange,
        server(settings(exchange, directory, symbols=symbols, history="12h")) as (running, url),
    ):
        found = [partial(running.provider.downloads.of, symbol) for symbol in symbols.split(",")]
        await until(lambda: all((loading := of()) and loading.loaded for of in found))
        yield url


async def test_a_server_that_is_ready(tmp_path: Path) -> None:
    async with (
        simulator("--symbols", "BTCUSDT,ETHUSDT", "--rate", "1") as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT,ETHUSDT", history="5m")) as (
            running,
            url,
        ),
        aiohttp.ClientSession() as session,
    ):
        await until(lambda: not blocking_problems(running.provider))
        status, output, errors = await piped("status", "--url", f"{url}/")
        assert (status, errors) == (0, "")
        lines = output.splitlines()
        assert lines[0].startswith("Candlecast ")
        assert f"{url}  simulated prices  up " in lines[0]
        assert lines[1] == "● ready  2 symbols: 2 complete"
        assert [line.split()[0] for line in lines[4:6]] == ["BTCUSDT", "ETHUSDT"]
        assert all(line.endswith("● complete  no gaps") for line in lines[4:6])
        assert "\x1b" not in output
        async with session.post(f"{exchange}/control/clock", json={"hold": True}) as held:
            assert held.status == 200
        async with session.get(f"{url}/api/v1/tickers/") as reply:
            tickers = json.loads(await reply.read(), parse_float=Decimal)["data"]
        status, output, _ = await piped("status", "--json", "--url", url)
        [line] = output.splitlines()
        shown = json.loads(line, parse_float=Decimal)
        assert (status, shown["ready"], shown["error"]) == (0, True, None)
        assert [t["last_price"] for t in shown["tickers"]] == [t["last_price"] for t in tickers]
        assert shown.keys() == {
            *("url", "ready", "error"),
            *("readiness", "health", "tickers", "weight", "websocket", "info"),
        }


async def test_a_server_that_loads_in_a_terminal(tmp_path: Path) -> None:
    symbols = "BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT"
    async with loading_server(tmp_path, symbols) as url:
        status, output, _ = await piped("status", "--url", url)
        assert status == 1
        assert "● not ready" in output
        rows = [line for line in output.splitlines() if "● loading" in line]
        assert len(rows) == 4
        assert all("░" in row and row.endswith(" trades") for row in rows)
        status, output = await in_terminal(10, 80, "status", "--url", url)
        assert status == 1
        shown = output.splitlines()
        assert len(shown) == 9
        assert "… and " in output
        ended, output = await in_terminal(
            10, 100, "status", "--watch", "--url", url, until=lambda shown: "Ctrl-C" in shown
        )
        assert ended == 130
        assert max(map(len, frames(output))) == 10
        assert output.rindex("\x1b[?25h") > output.rindex("\x1b[?25l")
        assert "Traceback" not in output
        stream = url.replace("http", "ws", 1) + "/ws/stream"
        ended, output = await in_terminal(
            20, 100, "watch", "--url", stream, "BTCUSDT", "ETHUSDT:15", until=two_progresses
        )
        assert (ended, two_progresses(output)) == (130, True)


async def test_a_server_that_ends_is_asked_again(tmp_path: Path) -> None:
    async with simulator("--symbols", "BTCUSDT", "--rate", "1") as exchange:
        chosen = settings(exchange, tmp_path, symbols="BTCUSDT", history="5m")
        async with server(chosen) as (_, url):
            address = ("--watch", "--url", url)
            lines = await started("status", "--json", *address, stdout=PIPE)
            text = await started("status", *address, stdout=PIPE)
            assert lines.stdout is not None
            assert text.stdout is not None
            async with asyncio.timeout(60):
                assert json.loads(await lines.stdout.readline())["error"] is None
                while b" UTC\n" not in (line := await text.stdout.readline()):
                    assert b"\x1b" not in line
        async with asyncio.timeout(60):
            while not (found := json.loads(await lines.stdout.readline()))["error"]:
                pass
            assert (found["ready"], found["error"]) == (False, "nothing answers there")
            while "● nothing answers there; asked again" not in line.decode():
                line = await text.stdout.readline()
        for process in (lines, text):
            process.terminate()
            await process.wait()
            assert process.returncode == 143


async def test_what_does_not_answer_is_said_in_one_line() -> None:
    other = web.Application()

    async def nonsense(_: web.Request) -> web.Response:
        return web.json_response({"data": {}})

    other.router.add_get("/api/v1/{path:.*}", nonsense)
    async with listening(other) as url, listening(web.Application()) as empty:
        for address, words in (
            ("http://127.0.0.1:1", "nothing answers there"),
            ("nonsense", "that is no address"),
            (empty, "there is no Candlecast at that path"),
            (url, "it does not answer as a Candlecast of this version"),
        ):
            status, output, errors = await piped("status", "--url", address)
            assert (status, output) == (1, "")
            assert words in errors
            assert errors.count("\n") == 1
            status, output, errors = await piped("status", "--json", "--url", address)
            assert (status, errors) == (1, "")
            expected = {"url": address, "ready": False, "error": words}
            assert json.loads(output) == expected


@pytest.mark.parametrize("option", ["--jsn", "--height=3"])
async def test_unknown_options_are_refused(option: str) -> None:
    status, _, errors = await piped("status", option)
    assert status == 2
    assert option.split("=")[0] in errors
