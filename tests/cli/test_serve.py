"""`candlecast serve`: what it says when it cannot start, and what is left when it ends."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from server.exits import Exit
from tests.cli.programs import Program, children
from tests.running import ROOT, free_port, simulator, until


def command(pid: int) -> bytes:
    """How a process was started."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


FAILED_STARTS = {
    "port": (Exit.WRONG_USE, "CANDLECAST_PORT", {"port": "{taken}"}),
    "host": (Exit.WRONG_USE, "CANDLECAST_HOST", {"host": "192.0.2.1"}),
    "directory": (Exit.FOUND, "CANDLECAST_STORE", {"store": "chdb:///dev/null/db"}),
    "database": (Exit.FOUND, "CANDLECAST_STORE", {"store": "http://127.0.0.1:1/db"}),
    "cluster": (Exit.WRONG_USE, "CANDLECAST_CLUSTER", {"cluster": "three"}),
    "exchange": (Exit.WRONG_USE, "CANDLECAST_SYMBOLS", {"symbols": "NOPEUSDT"}),
    "history": (Exit.WRONG_USE, "CANDLECAST_HISTORY", {"history": "5x"}),
    "simulator": (Exit.WRONG_USE, "--simulator", {"rest_url": ""}),
}
"""Invalid settings: the exit status, the setting that the output names, and the settings."""


@pytest.mark.parametrize("name", FAILED_STARTS)
async def test_a_failed_start_names_the_setting(tmp_path: Path, name: str) -> None:
    status, named, changed = FAILED_STARTS[name]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        values = {"port": "0", **changed}
        async with simulator("--symbols", "BTCUSDT") as url:
            result = await Program(tmp_path, url).run(
                *("serve", "--simulator=--nonsense"),
                **{key: value.replace("{taken}", port) for key, value in values.items()},
            )
    assert (result.status, named in result.errors) == (status, True), result.errors
    assert "Traceback" not in result.errors


def test_the_guide_lists_the_exit_statuses() -> None:
    guide = (ROOT / "docs/guides/operation.md").read_text()
    assert [int(row) for row in re.findall(r"^\| ([0-9]+) \|", guide, re.M)] == [*Exit]


async def test_a_second_signal_ends_the_drain(tmp_path: Path) -> None:
    program, port = Program(tmp_path, ""), str(free_port())
    process = await program.start("serve", port=port, rest_url="", drain_seconds="3600")
    assert process.stdout is not None
    url = f"http://127.0.0.1:{port}/api/v1/monitoring"

    async def reasons() -> list[str]:
        async with session.get(f"{url}/ready") as reply:
            return [problem["reason"] for problem in (await reply.json())["problems"]]

    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        assert (await process.stdout.readline()).startswith(b"Candlecast serves")
        assert not any("going away" in reason for reason in await reasons())
        process.terminate()
        while not (await process.stdout.readline()).startswith(b"Shutting down"):
            pass
        assert any("going away" in reason for reason in await reasons())
        async with session.get(f"{url}/live") as reply:
            assert (await reply.json())["alive"] is True
        process.terminate()
        await process.communicate()
    assert process.returncode == Exit.DONE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_simulator_ends_with_the_server(tmp_path: Path, number: int) -> None:
    program = Program(tmp_path, "")
    process = await program.start("serve", port="0", rest_url="")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert (await process.stdout.readline()).startswith(b"Candlecast serves")
    [child] = children(process.pid)
    assert b"simulator" in command(child)
    process.send_signal(number)
    await asyncio.wait_for(process.communicate(), 60)
    await until(lambda: not runs(child), 20)
