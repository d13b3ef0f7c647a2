"""`candlecast check-config` and `candlecast doctor`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.factories import trade
from tests.running import free_port, simulator

from .programs import Program

CHECKS = ["settings", "exchange", "clock", "symbols", "stream", "port", "disk", "backups", "memory"]


async def test_what_works_is_fine(tmp_path: Path) -> None:
    async with simulator("--symbols", "BTCUSDT") as exchange:
        program = Program(tmp_path, exchange)
        with program.store() as store:
            store.trades.insert({"BTCUSDT": [trade(number) for number in range(100)]})
            in_use = await program.run("doctor", port="0")
            assert "open in another process" in in_use.output, in_use.errors
        found = await program.run("doctor", port="0")
    assert found.status == 0, found.output + found.errors
    assert re.findall(r"^✓ (\w+)", found.output, re.MULTILINE) == [*CHECKS, "store"]
    assert "100 trades" in found.output


async def test_each_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = Program(tmp_path, f"http://127.0.0.1:{free_port()}")
    found = await program.run(
        *("doctor",),
        host="0.0.0.0",
        port="0",
        backups=f"{tmp_path}/file/backups",
        hot_megabytes="100000",
        store=f"chdb:///{tmp_path}/none",
    )
    assert found.status == 1, found.errors
    failed = set(re.findall(r"^✗ (\w+)", found.output, re.MULTILINE))
    assert failed >= {"settings", "exchange", "stream", "backups", "memory"}


async def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1")
    shown = await program.run(
        *("check-config",),
        store="https://user:hidden1@db.example.org:8443/x",
        kraken_api_key="hidden2",
        log_level="debug",
    )
    assert shown.status == 1, shown.errors
    assert "hidden" not in shown.output
    assert re.search(r"^CANDLECAST_HISTORY +default +3h$", shown.output, re.MULTILINE)
    assert re.search(
        r"^CANDLECAST_STORE +environment +https://\*\*\*@db", shown.output, re.MULTILINE
    )
    assert "doubtful: CANDLECAST_LOG_LEVEL" in shown.output
