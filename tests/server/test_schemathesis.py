"""The small document against the running edge, by schemathesis, in all of its phases."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from server.rest.dispatch import Reply
from tests.server.conftest import HANDLERS, SMALL_API, Health, Start, Trade, Trades


async def get_health() -> Reply:
    return Health(status="healthy")


async def get_trades(
    symbol: str, limit: int, from_id: int | None = None, newest: bool | None = None
) -> Reply:
    assert 2 <= len(symbol) <= 20
    assert 1 <= limit <= 10_000
    assert from_id is None or 0 <= from_id < 2**63
    return Trades(success=True, data=[Trade(aggregate_id=from_id or 0, price=Decimal("0.01"))])


async def test_no_phase_of_schemathesis_finds_anything(start: Start, tmp_path: Path) -> None:
    edge = await start(handlers={**HANDLERS, "get_health": get_health, "get_trades": get_trades})
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", str(SMALL_API), "--url", f"http://127.0.0.1:{edge.port}/api/v1"),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
        *("--mode", "all", "--max-examples", "20", "--generation-deterministic", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"No issues found" in output
