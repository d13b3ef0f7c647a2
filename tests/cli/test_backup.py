"""`candlecast backup` and `candlecast restore`."""

from __future__ import annotations

from pathlib import Path

from tests.factories import trade

from .programs import Program


async def test_a_backup_becomes_a_store_again(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1")
    with program.store() as store:
        store.trades.insert({"BTCUSDT": [trade(number) for number in range(100)]})
    made = await program.run("backup")
    assert made.status == 0, made.errors
    directory, _, size = made.output.partition(": ")
    assert "files" in size
    refused = await program.run("restore", directory)
    assert (refused.status, "--replace" in refused.errors) == (2, True)
    replaced = await program.run("restore", directory, "--replace")
    assert replaced.status == 0, replaced.errors
    assert "The store that was there is in" in replaced.output
    assert (await program.run("audit")).output.startswith("100 trades")
    nothing = await program.run("restore", str(tmp_path), "--replace")
    assert (nothing.status, "no whole backup" in nothing.errors) == (1, True)
