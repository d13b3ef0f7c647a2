"""`candlecast watch`: what is drawn, and that it ends and begins again cleanly."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from generated.native.facts import CANDLE_COUNT_MAXIMUM
from ingest.core.timeframe import bucket_start
from ingest.pipeline.pair import Pair
from server.cli import main
from server.commands.chart import MIN_COLUMNS, MIN_ROWS, draw
from server.commands.scale import plain, scale, ticks, time_labels
from server.commands.screen import Screen
from server.commands.series import Bar, Watched
from server.commands.watch import Link, pair
from tests.running import ROOT, server, settings, simulator

MINUTE = 60_000
START = 1_706_745_600_000
"""The first of February 2024."""
PAIR = Pair("BTCUSDT", 1)


def candle(number: int, close: object = 100, **figures: object) -> dict[str, object]:
    """A candle as the server sends it."""
    plain_one = {"open": 100, "high": 110, "low": 90, "close": close, "volume": 1.5}
    return {"candle_time": START + number * MINUTE, **plain_one, **figures}


def history(*candles: dict[str, object], quality: str = "complete", symbol: str = "BTCUSDT") -> str:
    status = {"data_quality": quality}
    return json.dumps(
        {
            "type": "initial_history", "symbol": symbol, "timeframe": "1m",
            "data_status": status, "candles": candles,
        }
    )  # fmt: skip


def update(data: dict[str, object] | None, quality: str = "complete") -> str:
    status = {"data_quality": quality}
    return json.dumps(
        {
            "type": "ohlcv_update", "symbol": "BTCUSDT", "timeframe": "1m",
            "data": data, "data_status": status,
        }
    )  # fmt: skip


def screen(watched: Watched, width: int = 80, height: int = 24) -> str:
    """The text of the screen."""
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(Screen(list(watched.series.values()), footer=Text("footer")), height=height)
    return console.export_text()


# What is drawn -----------------------------------------------------------------------------------

figures = st.decimals(min_value=Decimal("1e-8"), max_value=Decimal(10) ** 11, places=8)


@st.composite
def bars(draw_: st.DrawFn) -> list[Bar]:
    found = []
    for number in range(draw_(st.integers(1, 60))):
        low, *inner, high = sorted(draw_(st.lists(figures, min_size=4, max_size=4)))
        opening, close = draw_(st.permutations(inner))
        volume = draw_(st.one_of(st.just(Decimal(0)), figures))
        found.append(Bar(START + number * MINUTE, opening, high, low, close, volume))
    return found


CANDLES = set("│┃╽╿╷╵╻╹─")


def bar(number: int, *values: int) -> Bar:
    """A candle of whole prices: open, high, low, close and volume."""
    opening, high, low, close, volume = map(Decimal, (*values, 1)[:5])
    return Bar(START + number * MINUTE, opening, high, low, close, volume)


@settings_of(max_examples=25, deadline=None)
@given(some=bars(), width=st.integers(MIN_COLUMNS, 200), height=st.integers(MIN_ROWS, 70))
def test_a_chart_fills_its_space_exactly(some: list[Bar], width: int, height: int) -> None:
    lines = draw(some, 1, width, height)
    assert [line.cell_len for line in lines] == [width] * height
    assert any(CANDLES & set(line.plain) for line in lines)


def test_a_candle_stands_where_its_prices_are() -> None:
    quiet = bar(0, 100, 100, 100, 100, 0)
    lines = [
        line.plain
        for line in draw([quiet, bar(1, 50, 60, 40, 45), bar(2, 150, 160, 140, 155)], 1, 40, 24)
    ]
    columns = {at: "".join(line[at] for line in lines[:19]).strip("┈╌ ") for at in range(34)}
    quiet_at, low_at, high_at = sorted(at for at, letters in columns.items() if letters)
    assert columns[quiet_at] == "─"

    def rows(at: int) -> list[int]:
        return [n for n, line in enumerate(lines[:19]) if line[at] in CANDLES]

    assert rows(high_at)[-1] < rows(quiet_at)[0] < rows(low_at)[0]


@given(low=figures, length=figures, count=st.integers(1, 20))
def test_ticks_are_round_exact_and_within_the_scale(
    low: Decimal, length: Decimal, count: int
) -> None:
    of = scale(low, low + length, 10)
    found = ticks(of, count)
    assert all(of.low <= tick <= of.high for tick in found)
    assert len(found) <= 2 * count + 2
    steps = {later - earlier for earlier, later in pairwise(found)}
    assert len(steps) <= 1
    for step in steps:
        digits = step.normalize().as_tuple().digits
        assert digits in ((1,), (2,), (2, 5), (5,))


def test_decimals_are_written_exactly() -> None:
    assert plain(Decimal("1234567.89010000")) == "1,234,567.8901"
    assert plain(Decimal("0.00000001")) == "0.00000001"
    assert plain(Decimal("5E+4")) == "50,000"


@pytest.mark.parametrize("timeframe", [1, 7, 15, 173, 1440, 2850])
def test_labels_of_time_keep_their_distance(timeframe: int) -> None:
    start = bucket_start(START, timeframe)
    times = [start + n * timeframe * MINUTE for n in range(100)]
    labels = time_labels(times, timeframe, 2)
    assert labels
    places = [at for at, _ in labels]
    assert all(2 * (b - a) >= 9 for a, b in pairwise(places))
    if 100 * timeframe > 1440:
        assert any(":" not in label for _, label in labels)


def test_a_panel_tells_price_change_figures_and_quality() -> None:
    watched = Watched([PAIR])
    assert "waiting for the server" in screen(watched)
    watched.hear(history(candle(0), candle(1, close=43245.12345678, high=50000)))
    shown = screen(watched, width=120)
    assert "BTCUSDT 1m" in shown
    assert "43,245.12345678   ▲ 43,145.12345678 +43145.12% in 1m" in shown
    assert "● complete" in shown
    watched.hear(update(None, "partial"))
    assert "partial: a gap is being filled" in screen(watched, width=120)
    watched.hear(update(candle(1, close=7, low=7)))
    assert " 7   ▼ 93 -93.00% in 1m" in screen(watched, width=120)


def progress(kind: str, loading: dict[str, object] | None, symbol: str = "BTCUSDT") -> str:
    """A message about all symbols, of which one loads."""
    row = {"symbol": symbol, "loading": loading}
    if kind == "initial_tickers":
        return json.dumps({"type": kind, "timestamp": START, "tickers": [row]})
    return json.dumps({"type": kind, "symbol": symbol, "data": row})


def test_a_panel_that_loads_shows_how_far_it_has_come() -> None:
    watched = Watched([PAIR])
    watched.hear(history(quality="loading"))
    assert watched.is_loading
    assert "%" not in screen(watched)
    figures: dict[str, object] = {"loaded": 61_000, "total": 100_000}
    figures |= {"trades_per_second": 1830, "seconds_left": 21.3}
    watched.hear(progress("initial_tickers", figures))
    for words in ("░  61%", "1,830/s, 21s left", "61,000 of 100,000 trades"):
        assert words in screen(watched)
    watched.hear(progress("ticker_update", {**figures, "loaded": 75_000, "seconds_left": None}))
    watched.hear(progress("ticker_update", {**figures, "loaded": 1}, symbol="OTHER"))
    for wrong in ({}, {**figures, "loaded": -1}, {**figures, "total": "x"}, [1], 7):
        watched.hear(progress("ticker_update", wrong))  # type: ignore[arg-type]
    shown = screen(watched)
    assert "75%" in shown
    assert "waiting for trades" in shown
    for width, height in ((20, 5), (24, 3), (200, 60)):
        assert max(map(len, screen(watched, width, height).splitlines())) <= width
    watched.hear(progress("ticker_update", None))
    assert "%" not in screen(watched)
    watched.hear(history(candle(0)))
    assert not watched.is_loading


def test_all_sizes_hold_all_panels() -> None:
    pairs = [Pair(f"S{n}", n + 1) for n in range(12)]
    watched = Watched(pairs)
    for width, height in ((20, 5), (40, 12), (80, 24), (200, 60)):
        lines = screen(watched, width, height).splitlines()
        assert len(lines) == height
        assert max(map(len, lines)) <= width
    assert all(f"S{n} {n + 1}m" in screen(watched, 200, 60) for n in range(12))


def test_what_a_server_should_not_send_does_no_harm() -> None:
    watched = Watched([PAIR])
    watched.hear(history(candle(0)))
    before = screen(watched)
    for text in (
        "", "{", "[]", "null", '{"type":"ohlcv_update"}', update(candle(0, close="x")),
        update(candle(0, close=1)).replace('"close": 1', '"close": NaN'),
        update(candle(0, close=1)).replace('"close": 1', '"close": 1e999999999'),
        history(candle(0), symbol="OTHER"), '{"type":"initial_history","symbol":[]}', "[" * 100_000,
    ):  # fmt: skip
        watched.hear(text)
        assert screen(watched) == before
    watched.hear(json.dumps({"type": "error", "message": "\x1b]0;title\x07 no \x1b[2J"}))
    assert "\x1b" not in screen(watched)


anything = st.one_of(
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.just("12345678901234567890123456789.000000001"),
    st.just("null"),
)


@given(rows=st.lists(st.lists(anything, min_size=6, max_size=6), min_size=1, max_size=5))
def test_no_figures_break_the_screen(rows: list[list[object]]) -> None:
    watched = Watched([PAIR])
    watched.hear(history(candle(0)))
    names = ("candle_time", "open", "high", "low", "close", "volume")
    for values in rows:
        data = "{" + ",".join(f'"{n}":{v}' for n, v in zip(names, values, strict=True)) + "}"
        watched.hear(update({}).replace('"data": {}', f'"data": {data}'))
    assert "BTCUSDT 1m" in screen(watched)


def test_old_candles_are_let_go() -> None:
    watched = Watched([PAIR])
    for number in range(3 * CANDLE_COUNT_MAXIMUM):
        watched.hear(update(candle(number)))
    assert len(watched.series[PAIR].bars) == CANDLE_COUNT_MAXIMUM
    assert watched.series[PAIR].bars[-1].time_ms == START + (3 * CANDLE_COUNT_MAXIMUM - 1) * MINUTE


def test_subscriptions_are_read_strictly(capsys: pytest.CaptureFixture[str]) -> None:
    assert [pair(text) for text in ("btcusdt", "BTCUSDT:15", "ETHUSDT:173m")] == [
        Pair("BTCUSDT", 1), Pair("BTCUSDT", 15), Pair("ETHUSDT", 173),
    ]  # fmt: skip
    for text in ("BTC/USDT", "BTCUSDT:0", "BTCUSDT:1h", "BTCUSDT:9999999", ""):
        with pytest.raises(SystemExit, match="2"):
            main(["watch", text])
        assert "is no subscription" in capsys.readouterr().err


# Against servers ---------------------------------------------------------------------------------


async def started(*arguments: str, **options: Any) -> asyncio.subprocess.Process:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CANDLECAST_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cli", "watch", *arguments),
        cwd=ROOT, env={**environment, "COLUMNS": "110", "TERM": "xterm-256color"}, **options,
    )  # fmt: skip


async def test_one_screen_of_a_real_server(tmp_path: Path) -> None:
    async with (
        simulator("--symbols", "BTCUSDT", "--rate", "1") as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT", history="1h")) as (_, url),
    ):
        stream = url.replace("http", "ws", 1) + "/ws/stream"
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
        process = await started("--url", stream, "--once", "BTCUSDT", "BTCUSDT:7", **pipes)
        output, errors = await process.communicate()
        shown = output.decode()
        assert process.returncode == 0, errors
        assert shown.count("● complete") == 2
        assert "BTCUSDT 1m" in shown
        assert "BTCUSDT 7m" in shown
        assert "┃" in shown
        assert "\x1b" not in shown
        process = await started("--url", stream, "--once", "NOPEUSDT", **pipes)
        output, _ = await process.communicate()
        assert process.returncode == 1
        assert "refused: Symbol NOPEUSDT is not active here" in output.decode()


async def test_no_server_is_said_in_one_line() -> None:
    for url, words in (
        ("ws://127.0.0.1:1/ws/stream", "nothing answers there"),
        ("nonsense", "that is no address"),
    ):
        process = await started("--url", url, "BTCUSDT", stderr=asyncio.subprocess.PIPE)
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert words in errors.decode()
        assert errors.count(b"\n") == 1


Conversation = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def stream_server(conversation: Conversation) -> AsyncIterator[str]:
    async def get(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await conversation(socket)
        return socket

    application = web.Application()
    application.router.add_get("/ws/stream", get)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        listening: Any = site._server
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/ws/stream"
    finally:
        await runner.cleanup()


async def test_a_lost_connection_is_made_again() -> None:
    connections = 0
    third = asyncio.Event()

    async def conversation(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        request = await socket.receive_json()
        assert request["subscriptions"][0]["symbol"] == "BTCUSDT"
        await socket.send_str(history(candle(connections)))
        if connections > 2:
            third.set()
            await socket.receive()

    async with stream_server(conversation) as url:
        link = Link(url, Watched([PAIR]), aiohttp.ClientSession)
        work = asyncio.create_task(link.run())
        async with asyncio.timeout(60):
            await third.wait()
            await link.settled()
        assert link.watched.series[PAIR].bars[-1].time_ms == START + 3 * MINUTE
        work.cancel()
        await asyncio.wait([work])


async def test_ctrl_c_leaves_the_terminal_as_it_was() -> None:
    async def conversation(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_str(history(candle(0), candle(1)))
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass

    async with stream_server(conversation) as url:
        ours, theirs = pty.openpty()
        process = await started("--url", url, "BTCUSDT", stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        output = b""
        async with asyncio.timeout(60):
            while b"complete" not in output:
                output += await asyncio.to_thread(os.read, ours, 65536)
            process.send_signal(signal.SIGINT)
            while True:
                try:
                    output += await asyncio.to_thread(os.read, ours, 65536)
                except OSError:  # the other side is closed
                    break
            status = await process.wait()
        os.close(ours)
        assert status == 130
        assert b"Traceback" not in output
        assert output.index(b"\x1b[?1049h") < output.rindex(b"\x1b[?1049l")
        assert output.rindex(b"\x1b[?25h") > output.rindex(b"\x1b[?25l")
