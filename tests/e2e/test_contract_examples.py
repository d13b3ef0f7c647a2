"""The client examples of the contract work as they stand, with only the address changed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generated.native.facts import DataQuality
from ingest.pipeline.feed import Feed
from tests.running import RECORDINGS, server, settings, simulator, until

SEEDS = RECORDINGS.parent / "seeds"
CONTRACT = next(iter(SEEDS.glob("000_*.txt")), None)
NODE = shutil.which("node")

needs_contract = pytest.mark.skipif(
    CONTRACT is None, reason="the contract's text is not on this machine"
)
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def example(after: str, language: str, until: str) -> str:
    """A code example of the contract: it begins with the name of its language."""
    assert CONTRACT is not None
    text = CONTRACT.read_text()
    start = text.index(f"\n{language}", text.index(f"{after}\n{language}")) + 1 + len(language)
    return text[start : text.index(f"\n{until}", start)]


def is_complete(feed: Feed) -> bool:
    return feed.status.quality is DataQuality.COMPLETE


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """Host and port of a server that follows the symbols of the examples."""
    symbols = "BTCUSDT,ETHUSDT"
    options = ("--symbols", symbols, "--rate", "20")
    async with (
        simulator(*options) as exchange,
        server(settings(exchange, tmp_path, symbols=symbols, history="3h")) as (running, url),
    ):
        await until(lambda: all(is_complete(feed) for feed in running.provider.feeds.values()))
        yield url.removeprefix("http://")


async def output(program: list[str], expected: list[str]) -> list[str]:
    """The expected texts that a program prints before it is ended."""
    process = await asyncio.create_subprocess_exec(
        *program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    seen: list[str] = []
    lines: list[str] = []
    try:
        async with asyncio.timeout(20):
            while len(seen) < len(expected):
                line = (await process.stdout.readline()).decode()
                lines.append(line)
                seen += [text for text in expected if text in line and text not in seen]
                assert line, "".join(lines)
    except TimeoutError:
        raise AssertionError("".join(lines)) from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    return seen


@needs_contract
async def test_the_python_client(address: str, tmp_path: Path) -> None:
    code = example("Python WebSocket Client", "python", "Combined REST")
    script = tmp_path / "client.py"
    script.write_text(code.replace("localhost:8080", address))
    expected = [
        "historical candles for BTCUSDT 15m",
        "historical candles for BTCUSDT 173m",
        "Real-time: BTCUSDT 15m - Close:",
        "Real-time: BTCUSDT 173m - Close:",
    ]
    assert await output([sys.executable, "-u", str(script)], expected)


@needs_contract
@needs_node
@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        (
            "JavaScript WebSocket Client",
            "Python WebSocket Client",
            ["Connected to DataProvider", "Subscription result:", "Received", "Real-time update:"],
        ),
        (
            "Combined REST + WebSocket Example",
            "Best Practices",
            ["historical trades", "BTCUSDT: Price", "ETHUSDT: Price"],
        ),
    ],
)
async def test_the_javascript_clients(
    address: str, tmp_path: Path, after: str, until: str, expected: list[str]
) -> None:
    code = example(after, "javascript", until)
    script = tmp_path / "client.js"
    script.write_text(code.replace("localhost:8080", address))
    assert NODE is not None
    assert await output([NODE, "--experimental-websocket", str(script)], expected)
