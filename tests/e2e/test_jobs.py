"""Work on the store beside a server that is fed, watched and killed meanwhile."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.pipeline.jobs.queue import MAX_WAITING
from server import presence
from server.exits import Exit
from server.settings import Settings
from tests import running
from tests.chaos.process import ServerProcess
from tests.cli.programs import Program, Result
from tests.e2e.api import Api
from tests.e2e.client import Client, wire, wrong_candles
from tests.factories import naive_candles

SYMBOL = "BTCUSDT"
HOUR_MS = 60 * MINUTE_MS
NOON = 1_710_504_000_000
"""When the simulated exchange starts: noon of 2024-03-15."""
LONG_AGO = NOON - 16 * HOUR_MS
YESTERDAY = ("--from", "2024-03-14T20:00")


@asynccontextmanager
async def exchange(rate: float) -> AsyncIterator[str]:
    options = ("--clock-start", "2024-03-15T12:00Z", "--rate", str(rate), "--symbols", SYMBOL)
    async with running.simulator(*options, "--tombstones", "0.01") as url:
        yield url


def chosen(exchange_url: str, directory: Path) -> Settings:
    return running.settings(
        exchange_url, directory, symbols=SYMBOL, archive_url=exchange_url, history="5m",
        requests_per_minute="100000", request_burst="100000",
    )  # fmt: skip


async def trades_of_the_exchange(url: str, start: int, end: int) -> Sequence[Trade]:
    """All trades that the exchange has of a span."""
    found: list[Trade] = []
    async with BinanceRest(url, WeightCoordinator()) as rest:
        page = await rest.agg_trades(SYMBOL, start_time=start, limit=1000)
        while page.trades and page.trades[-1].timestamp < end:
            found += page.trades
            page = await rest.agg_trades(SYMBOL, from_id=found[-1].aggregate_id + 1, limit=1000)
    return [trade for trade in (*found, *page.trades) if trade.timestamp < end]


async def is_exact(api: Api, trades: Sequence[Trade], start: int, end: int) -> None:
    """The candles that are served come to the trades of the exchange, decimal for decimal."""
    for timeframe in (1, 7, 60, 240):
        width = timeframe * MINUTE_MS
        first, last = -(-start // width) * width, end // width * width
        inside = [trade for trade in trades if first <= trade.timestamp < last]
        expected = [wire(row) for row in naive_candles(inside, timeframe, last - width)]
        assert await api.candles(SYMBOL, timeframe, first, last) == expected


async def test_work_beside_a_server_is_exact(tmp_path: Path) -> None:
    async with exchange(0.5) as exchange_url, aiohttp.ClientSession() as session:
        program = Program(tmp_path, exchange_url)
        async with running.server(chosen(exchange_url, tmp_path)) as (server, url):
            api = Api(session, url)
            await api.until_complete()
            async with Client.connect(url) as client:
                await client.subscribe(SYMBOL, [1, 240, 1440], candles=5)
                await a_backfill(api, program, client, exchange_url)
            await api.candles(SYMBOL, 1, NOON - HOUR_MS, NOON)
            await an_audit(api, program, server.provider.store)
            made = await program.run("backup")
        assert presence.running(chosen(exchange_url, tmp_path)) is None
        assert not (tmp_path / "db.server.json").exists()
        await is_a_store(program, made)


async def a_backfill(api: Api, program: Program, client: Client, exchange_url: str) -> None:
    """Older trades come in, and whoever reads or watches has their candles."""
    before = await api.get(f"tickers/{SYMBOL}")
    assert await api.candles(SYMBOL, 60, LONG_AGO, NOON - HOUR_MS) == []
    done = await program.run("backfill", *YESTERDAY)
    assert (done.status, done.output) == (0, ""), done.errors
    assert re.search(r"BTCUSDT: [\d,]+ trades stored in .*, 1 files of the archive", done.errors)
    after = await api.get(f"tickers/{SYMBOL}")
    assert after["first_aggregate_id"] < before["first_aggregate_id"]
    assert (after["open_gaps"], after["data_status"]["data_quality"]) == ([], "complete")
    assert after["trades_stored"] > before["trades_stored"] + 20_000
    trades = await trades_of_the_exchange(exchange_url, LONG_AGO - 4 * HOUR_MS, NOON + HOUR_MS)
    await is_exact(api, trades, LONG_AGO, NOON)
    async with asyncio.timeout(60):
        while (SYMBOL, "1440m") not in client.candles:  # its day has only now all its trades
            await client.receive()
    newest = await trades_of_the_exchange(exchange_url, LONG_AGO, NOON + HOUR_MS)
    assert wrong_candles(client, SYMBOL, [t for t in newest if not t.is_tombstone]) == []
    again = await program.run("backfill", *YESTERDAY)
    assert "0 trades stored" in again.errors
    same = await program.run("reconcile", SYMBOL, *YESTERDAY, "--timeframe", "5")
    assert (same.status, "no difference" in same.output) == (0, True), same.output + same.errors


async def an_audit(api: Api, program: Program, store: Any) -> None:
    """Nothing differs but what was made to, which is mended wherever it shows."""
    clean = await program.run("audit", "--symbols", SYMBOL)
    assert clean.status == 0, clean.output + clean.errors
    assert re.fullmatch(
        r"[\d,]+ trades and their candles were audited in [\d.]+ s: no difference\n", clean.output
    )
    minute = NOON - 30 * MINUTE_MS
    right = await api.candles(SYMBOL, 1, minute - HOUR_MS, minute + HOUR_MS)
    spoil = (
        "INSERT INTO minutes SELECT * REPLACE (high + 1 AS high, aggregates + 1 AS aggregates)"
        f" FROM minutes FINAL WHERE symbol = '{SYMBOL}' AND candle_time = {minute}"
    )
    await store.run(store.connection.command, spoil)
    store.blocks.clear()
    assert await api.candles(SYMBOL, 1, minute - HOUR_MS, minute + HOUR_MS) != right
    found = await program.run("audit")
    assert (found.status, "BTCUSDT 1m 2024-03-15 11:30:00" in found.output) == (1, True)
    mended = await program.run("audit", "--repair")
    assert mended.status == 0, mended.output
    assert re.search(r"\d+ were mended, 0 are left", mended.output)
    assert await api.candles(SYMBOL, 1, minute - HOUR_MS, minute + HOUR_MS) == right
    refused = await program.run("audit", "--symbols", "NOPE")
    assert (refused.status, "The store has no symbol NOPE" in refused.errors) == (2, True)


async def is_a_store(program: Program, made: Result) -> None:
    """A backup that was made beside the feed is a store without difference."""
    assert made.status == 0, made.errors
    directory = made.output.partition(": ")[0]
    elsewhere = {"store": f"{program.dsn}.restored"}
    restored = await program.run("restore", directory, **elsewhere)
    assert restored.status == 0, restored.errors
    audited = await program.run("audit", **elsewhere)
    assert (audited.status, "no difference" in audited.output) == (0, True), audited.output


async def test_a_job_that_was_killed_goes_on_and_one_that_was_cancelled_does_not(
    tmp_path: Path,
) -> None:
    async with exchange(1) as exchange_url, aiohttp.ClientSession() as session:
        program = Program(tmp_path, exchange_url)
        start = NOON - 6 * HOUR_MS
        trades = await trades_of_the_exchange(exchange_url, start - HOUR_MS, NOON)
        hidden = trades[len(trades) // 2].aggregate_id
        # So no job ends while it is asked for.
        await program.order("missing", symbol=SYMBOL, from_id=hidden, to_id=hidden + 9)
        values = {
            "store": program.dsn, "symbols": SYMBOL, "history": "5m", "confirm_seconds": "600",
        }  # fmt: skip
        first = await ServerProcess.start(exchange_url, tmp_path / "log", **values)
        try:
            api = Api(session, await first.url())
            await api.until_complete()
            begun, waits = await cut_short(api, program)
        finally:
            await first.kill()
        async with ServerProcess.running(exchange_url, tmp_path / "log", **values) as second:
            api = Api(session, await second.url())
            await api.until_complete()
            assert (await api.job(waits))["state"] == "queued"
            await program.order("found", symbol=SYMBOL)
            job = await api.until_over(2)
            assert (job["state"], job["exit_status"], job["taken_up"]) == ("done", 0, 1), job
            assert 10 <= job["progress"][0]["total"] < begun
            followed = await program.run("jobs", "follow", str(waits))
            assert (followed.status, "no difference" in followed.output) == (0, True)
            listed = await program.run("jobs", "list")
            assert re.search(r"2 +backfill +done +BTCUSDT .* of .* trades", listed.output)
            assert re.search(r"1 +backfill +cancelled", listed.output)
            assert (await api.get(f"tickers/{SYMBOL}"))["data_status"]["data_quality"] == "complete"
            await is_exact(api, trades, start, NOON)


async def cut_short(api: Api, program: Program) -> tuple[int, int]:
    """A job is cancelled by Ctrl-C, one runs, and one waits.

    Gives the trades that the second lacked, and the number of the third.
    """
    span = ("--to", "2024-03-15T12:00", "--source", "rest", "--symbols", SYMBOL)
    cancelled = await program.start("backfill", "--from", "2024-03-15T08:00", *span)
    await api.until_stored(1)
    cancelled.send_signal(signal.SIGINT)
    _, errors = await cancelled.communicate()
    assert "Job 1 is cancelled; what it has done stays" in errors.decode()
    assert cancelled.returncode == Exit.INTERRUPTED
    assert (await api.job(1))["state"] == "cancelled"
    assert (await api.ask("admin/jobs/1", "DELETE"))[1]["error_code"] == "JOB_OVER"
    detached = await program.run("backfill", "--from", "2024-03-15T06:00", *span, "--detach")
    assert detached.output == "Job 2: see `candlecast jobs follow 2`\n"
    begun = await api.until_stored(2)
    waiting = [await api.submit(kind="audit") for _ in range(MAX_WAITING)]
    assert (await api.ask("admin/jobs", "POST", kind="audit"))[1]["error_code"] == "JOB_LIMIT"
    for job_id in waiting[1:]:
        assert (await api.ask(f"admin/jobs/{job_id}", "DELETE"))[0] == 200
    return begun["progress"][0]["total"], waiting[0]
