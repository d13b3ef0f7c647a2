"""`candlecast serve` with its simulator: what is left when it ends, however it ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cli.programs import Program
from tests.running import until


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_simulator_ends_with_the_server(tmp_path: Path, number: int) -> None:
    program = Program(tmp_path, "")
    process = await program.start("serve", port="0", rest_url="")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert (await process.stdout.readline()).startswith(b"Candlecast serves")
    [simulator] = children(process.pid)
    assert b"simulator" in command(simulator)
    process.send_signal(number)
    await asyncio.wait_for(process.communicate(), 60)
    await until(lambda: not runs(simulator), 20)
