"""The program starts, says what it does, and ends cleanly."""

import argparse
import asyncio
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from simulator.app import build
from simulator.cli import add_arguments, main, settings

ROOT = Path(__file__).parents[2]
FIRST_HOUR = 1_704_067_200_000_000
"""2024-01-01T00:00Z in microseconds."""


async def launch(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--port", "0", *options,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_it_names_its_address_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = await launch("--symbols-count", "3", "--seed", "5", "--ready-file", str(ready))
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
    assert match
    said = (await process.stdout.readline()).decode()
    assert "simulated exchange" in said
    assert "BTCUSDT, ETHUSDT, BNBUSDT (seed 5" in said
    async with aiohttp.ClientSession() as session:
        async with session.get(match[1] + "/api/v3/exchangeInfo") as response:
            assert len((await response.json())["symbols"]) == 3
        async with session.ws_connect(match[1] + "/ws/btcusdt@aggTrade") as socket:
            assert ready.read_text() == match[1] + "\n"
            process.send_signal(signal.SIGTERM)
            while not socket.closed:
                await socket.receive(timeout=5)
            assert socket.close_code == 1001
    out, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert not ready.exists()


def test_a_total_rate_makes_a_few_symbols_busy_and_most_quiet() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = ["--symbols-count", "1500", "--total-rate", "15000", "--start-at", "2024-01-01"]
    markets = build(settings(parser.parse_args(options))).markets.values()
    hour = [
        (market.source.id_at(FIRST_HOUR + 3_600_000_000) - market.source.id_at(FIRST_HOUR)) / 3600
        for market in markets
    ]
    assert sum(hour) == pytest.approx(15_000, rel=0.01)
    assert hour == sorted(hour, reverse=True)
    assert sum(hour[:15]) > sum(hour) / 2
    assert hour[750] < 2


@pytest.mark.parametrize(
    "options",
    [
        "--total-rate 0",
        "--speed fast",
        "--speed max",
        "--speed 0",
        "--replay /nowhere/BTCUSDT-x.csv",
        "--replay nameless.csv",
        "--symbols NOQUOTE",
        "--symbols-count 0",
        "--faults drop=2",
        "--start-at 0.5",
        "--start-at yesterday",
        "--end-at 2020-01-01 --start-at never",
        "--genesis 2017-01-01T00:30Z",
        "--rate 0",
    ],
)
def test_wrong_options_end_with_a_word_and_code_2(
    options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *options.split()]) == 2
    assert capsys.readouterr().err.startswith("simulator: ")
