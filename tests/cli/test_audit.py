"""`candlecast audit`: every difference by its name, and mended where it can be."""

from __future__ import annotations

from pathlib import Path

from ingest.core.timeframe import bucket_start
from tests.factories import trade

from .programs import Program

MINUTE = 60_000
START = 1_706_745_600_000
"""The first of February 2024."""

SEVENTH = bucket_start(START + 20 * MINUTE, 7)


def filled(directory: Path) -> Program:
    """A store with an hour of trades, in use at 1 and at 7 minutes."""
    program = Program(directory, "http://127.0.0.1:1")
    with program.store() as store:
        trades = [trade(n, timestamp=START + n * MINUTE // 10) for n in range(600)]
        store.trades.insert({"BTCUSDT": trades, "ETHUSDT": trades})
        for symbol in ("BTCUSDT", "ETHUSDT"):
            store.candles.recompute({symbol: [(START, START + 60 * MINUTE)]})
            store.candles.materialize(symbol, 7)
    return program


async def test_a_store_without_difference_passes(tmp_path: Path) -> None:
    program = filled(tmp_path)
    passed = await program.run("audit")
    assert passed.status == 0, passed.errors
    assert "1,200 trades and their candles were audited" in passed.output
    assert "no difference" in passed.output


async def test_differences_are_named_and_mended(tmp_path: Path) -> None:
    program = filled(tmp_path)
    with program.store() as store:
        store.connection.command(
            f"DELETE FROM minutes WHERE symbol = 'BTCUSDT' AND candle_time = {START + MINUTE}"
        )
        store.connection.command(
            f"INSERT INTO candles SELECT * REPLACE (high + 1 AS high, aggregates + 1 AS aggregates)"
            f" FROM candles FINAL WHERE symbol = 'ETHUSDT' AND candle_time = {SEVENTH}"
        )
    other = await program.run("audit", "--symbols", "ETHUSDT")
    assert (other.status, "BTCUSDT" in other.output) == (1, False)
    found = await program.run("audit")
    assert found.status == 1
    assert f"BTCUSDT 1m 2024-02-01 00:01:00 ({START + MINUTE}): is missing" in found.output
    assert "ETHUSDT 7m" in found.output
    assert "high is 101, not 100" in found.output
    mended = await program.run("audit", "--repair")
    assert mended.status == 0, mended.output
    assert "is missing" in mended.output
    assert ", 0 are left" in mended.output
    assert (await program.run("audit")).status == 0


async def test_missing_trades_are_named_and_no_repair_hides_them(tmp_path: Path) -> None:
    program = filled(tmp_path)
    with program.store() as store:
        store.connection.command(
            "DELETE FROM trades WHERE symbol = 'BTCUSDT' AND aggregate_id BETWEEN 100 AND 109"
        )
    found = await program.run("audit", "--repair")
    assert found.status == 1
    assert "BTCUSDT ids 100: 10 trades up to id 109 are missing" in found.output
    assert "1 are left" in found.output
    with program.store() as store:
        store.gaps.confirm("BTCUSDT", 100, 109, 3)
    assert (await program.run("audit")).status == 0


async def test_a_symbol_that_is_not_stored_is_wrong_use(tmp_path: Path) -> None:
    program = filled(tmp_path)
    found = await program.run("audit", "--symbols", "BTCUSDT,NOPE")
    assert found.status == 2
    assert "The store has no symbol NOPE; it has BTCUSDT, ETHUSDT" in found.output + found.errors
