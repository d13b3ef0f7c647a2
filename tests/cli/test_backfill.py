"""`candlecast backfill`: history from archive and REST, whole, whatever happens on the way."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ingest.binance.csv_pieces import PIECE_BYTES
from ingest.core.continuity import Gap
from server.cli import main
from tests.running import simulator

from .programs import Program

DAY = ("--from", "2024-02-27", "--to", "2024-02-28")
MONTH = ("--from", "2024-02", "--to", "2024-03")


@asynccontextmanager
async def exchange(directory: Path, *options: str, rate: float = 0.5) -> AsyncIterator[Program]:
    """A simulated exchange in the spring of 2024, and the program beside it."""
    arguments = ("--symbols", "BTCUSDT", "--rate", str(rate), "--tombstones", "0.01", *options)
    start = () if "--clock-start" in options else ("--clock-start", "2024-03-15T00:00Z")
    async with simulator(*arguments, *start) as url:
        yield Program(directory, url)


async def check(program: Program, stored: int | None = None) -> list[Gap]:
    """The audit finds nothing but these holes; the trades are stored once each."""
    with program.store() as store:
        assert [d for d in store.audit.run(repair=False) if d.what != "ids"] == []
        held = store.trades.id_range("BTCUSDT")
        assert held is not None
        assert held.count == held.last - held.first + 1 - sum(hole.missing for hole in held.holes)
        assert stored in (None, held.count)
        return held.holes


async def test_a_month_comes_by_archive_and_agrees_with_the_exchange(tmp_path: Path) -> None:
    async with exchange(tmp_path, rate=0.05) as program:
        done = await program.run("backfill", *MONTH)
        assert (done.status, done.output) == (0, ""), done.errors
        assert "1 files of the archive" in done.errors
        assert (await program.run("audit")).status == 0
        same = await program.run("reconcile", "BTCUSDT", *MONTH, "--timeframe", "60")
        assert same.status == 0, same.output[-2000:]
        assert f"{29 * 24} candles from 2024-02-01 00:00:00 to 2024-03-01" in same.output
        assert "no difference" in same.output
        assert list((tmp_path / "data/archive").iterdir()) == []
        again = await program.run("backfill", *MONTH)
        assert "0 trades stored" in again.errors
        assert "0 files" in again.errors


async def test_the_last_days_come_over_rest_and_join_the_archive(tmp_path: Path) -> None:
    async with exchange(tmp_path, rate=0.1) as program:
        await program.run("backfill", "--from", "2024-03-13T07:00", "--to", "2024-03-15T06:00")
        assert await check(program) == []
        with program.store() as store:
            first = store.trades.since("BTCUSDT", 0)[0]
        assert first.timestamp < 1_710_288_000_000 + 600_000  # the archive's day is stored whole


async def test_times_in_microseconds_and_a_header_are_understood(tmp_path: Path) -> None:
    async with exchange(tmp_path, "--clock-start", "2025-02-03T00:00Z") as program:
        await program.order("archive", header=True)
        done = await program.run("backfill", "--from", "2025-02-01", "--to", "2025-02-03")
        assert "2 files of the archive" in done.errors
        assert await check(program) == []
        same = await program.run("reconcile", "BTCUSDT", "--from", "2025-02-01")
        assert "no difference" in same.output


@pytest.mark.parametrize("fault", ["short", "wrong_checksum"])
async def test_what_a_file_lacks_comes_over_rest(tmp_path: Path, fault: str) -> None:
    async with exchange(tmp_path, rate=0.1) as program:
        await program.order("archive", **{fault: True})
        done = await program.run("backfill", *DAY)
        assert done.status == 0, done.errors
        assert ("Its trades come over REST" in done.errors) == (fault != "short")
        assert await check(program) == []


async def test_ids_that_the_exchange_does_not_have_are_confirmed(tmp_path: Path) -> None:
    async with exchange(tmp_path, rate=0.05) as program:
        await program.run("backfill", *DAY)
        with program.store() as store:
            last = store.trades.high_water()["BTCUSDT"]
        gap = Gap(last + 100, last + 120)
        await program.order("missing", symbol="BTCUSDT", from_id=gap.from_id, to_id=gap.to_id)
        done = await program.run("backfill", "--from", "2024-02-27", "--to", "2024-02-29")
        assert f"does not have ids {gap.from_id}-{gap.to_id} (21)" in done.errors
        assert done.status == 0
        assert await check(program) == [gap]
        assert (await program.run("audit")).status == 0


async def test_rows_that_cannot_be_read_are_named_and_stored_once_they_can_be(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path, rate=0.05) as program:
        await program.run("backfill", *DAY)
        with program.store() as store:
            last = store.trades.high_water()["BTCUSDT"]
        gap = Gap(last + 100, last + 120)
        span = ("backfill", "--from", "2024-02-27", "--to", "2024-02-29", "--source", "rest")
        await program.order("unreadable", symbol="BTCUSDT", from_id=gap.from_id, to_id=gap.to_id)
        done = await program.run(*span)
        assert done.status == 1
        assert f"no valid trades for ids {gap.from_id}-{gap.to_id} (21)" in done.errors
        assert await check(program) == [gap]
        await program.order("readable", symbol="BTCUSDT")
        assert (await program.run(*span)).status == 0
        assert (await program.run("audit")).status == 0


async def test_one_hole_of_any_size_is_one_gap_and_a_few_requests(tmp_path: Path) -> None:
    async with exchange(tmp_path, rate=0.5) as program:
        await program.run("backfill", *DAY)
        with program.store() as store:
            last = store.trades.high_water()["BTCUSDT"]
        gap = Gap(last + 100, last + 40_000)
        await program.order("missing", symbol="BTCUSDT", from_id=gap.from_id, to_id=gap.to_id)
        before = await program.requests("aggTrades")
        span = ("--from", "2024-02-27", "--to", "2024-02-29", "--source", "rest")
        done = await program.run("backfill", *span)
        assert f"does not have ids {gap.from_id}-{gap.to_id} (39,901)" in done.errors
        assert done.status == 0
        assert await check(program) == [gap]
        assert await program.requests("aggTrades") - before < 25


LONG = bool(os.environ.get("LONG_TESTS"))
"""Whether a whole year is backfilled, which takes some minutes."""


@pytest.mark.parametrize("source", ["archive", "rest"])
async def test_a_killed_backfill_goes_on_where_it_stopped(tmp_path: Path, source: str) -> None:
    wanted, kills, rate, growth = ("--from", "2024-02-10", "--to", "2024-03"), 2, 0.3, 200_000
    if source == "rest":
        wanted, kills, rate = DAY, 1, 0.6
    elif LONG:
        wanted, kills, rate, growth = ("--from", "2023-03", "--to", "2024-03"), 3, 1, 20_000_000
    async with exchange(tmp_path, rate=rate) as program:
        for _ in range(kills):
            process = await program.start("backfill", *wanted, "--source", source)
            await until(lambda: grown(tmp_path / "db", growth), process)
            assert process.returncode is None, "it ended before it could be killed"
            process.kill()
            await process.communicate()
        done = await program.run("backfill", *wanted, "--source", source)
        assert done.status == 0, done.errors
        assert await check(program) == []
        assert (await program.run("audit")).status == 0
        same = await program.run("reconcile", "BTCUSDT", *DAY, "--timeframe", "60")
        assert "no difference" in same.output


_SIZES: dict[Path, int] = {}


def grown(database: Path, growth: int) -> bool:
    """Whether so many bytes more are on disk than when a command was killed before."""
    files = [path for path in database.glob("store/*/*/*/*.bin") if path.exists()]
    size = sum(path.stat().st_size for path in files if path.exists())
    before = _SIZES.setdefault(database, size)
    if size < before + growth:
        return False
    _SIZES[database] = size
    return True


async def until(condition: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            if condition():
                return
        except FileNotFoundError:
            pass  # the engine tidied up meanwhile
        await asyncio.sleep(0.01)


async def test_a_store_that_is_in_use_is_said_to_be(tmp_path: Path) -> None:
    async with exchange(tmp_path) as program:
        with program.store():
            for command in (("backfill", *DAY), ("audit",), ("reconcile", "BTCUSDT", *DAY)):
                refused = await program.run(*command)
                assert refused.status == 1
                assert f"open in another process (PID: {os.getpid()})" in refused.errors
                assert "Traceback" not in refused.errors


def test_options_that_cannot_be_meant_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (("--from", "yesterday"), "is no date"),
        (("--from", "1999-01-01"), "before there were trades"),
        (("--from", "2024-02", "--symbols", "a;b"), "symbols of the exchange"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["backfill", *arguments])
        assert words in capsys.readouterr().err


async def test_an_exchange_has_to_be_named_and_have_the_symbol(tmp_path: Path) -> None:
    async with exchange(tmp_path) as program:
        refused = await program.run("backfill", *DAY, "--symbols", "NOPEUSDT")
        assert "no symbol NOPEUSDT" in refused.errors
        refused = await program.run("backfill", *DAY, rest_url="")
        assert "CANDLECAST_FEED=binance" in refused.errors


# Files that are not what the archive should have -----------------------------------------------


@asynccontextmanager
async def archive_of(program: Program, changed: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """The simulated archive with its lines changed; what is not zip by then goes as it is."""

    async def get(request: web.Request) -> web.Response:
        path = request.path.removesuffix(".CHECKSUM")
        async with (
            aiohttp.ClientSession() as session,
            session.get(program.exchange_url + path) as answer,
        ):
            body = await answer.read()
            if answer.status != 200:
                return web.Response(status=answer.status)
        with zipfile.ZipFile(io.BytesIO(body)) as whole:
            [name] = whole.namelist()
            lines = changed(whole.read(name))
        if lines.startswith(b"PK"):
            body = lines
        else:
            output = io.BytesIO()
            with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as whole:
                whole.writestr(name, lines)
            body = output.getvalue()
        if request.path.endswith(".CHECKSUM"):
            return web.Response(text=f"{hashlib.sha256(body).hexdigest()}  x\n")
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/{path:.*}", get)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        server: Any = site._server
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await runner.cleanup()


def with_bad_lines(lines: bytes) -> bytes:
    """Every hundredth line is no trade."""
    rows = lines.splitlines()
    bad = (b"", b"garbage", b"1,2,3", b"7,1e9,1,1,1,1,True,True", b"\xff" * 40)
    for at in range(0, len(rows), 100):
        rows[at] = bad[at // 100 % len(bad)]
    return b"\n".join(rows) + b"\n"


async def test_malformed_rows_are_counted_put_aside_and_replaced(tmp_path: Path) -> None:
    async with exchange(tmp_path, rate=0.1) as program, archive_of(program, with_bad_lines) as url:
        done = await program.run("backfill", *DAY, archive_url=url)
        assert done.status == 0, done.errors
        assert "malformed rows were counted and put aside" in done.errors
        assert await check(program) == []
        with program.store() as store:
            kept = store.quarantine.latest(1000)
        assert {message.symbol for message in kept} == {"BTCUSDT"}
        assert b"garbage" in {message.raw for message in kept}
        assert all("aggTrades-2024-02-27.zip" in message.error for message in kept)


@pytest.mark.parametrize(
    "changed",
    [
        lambda lines: b"PK\x03\x04 no zip at all",
        lambda lines: b"0" * (PIECE_BYTES + 1),
        lambda lines: b"wrong,columns\n" * 1000,
    ],
    ids=["no zip", "a bomb", "other columns"],
)
async def test_a_file_that_cannot_be_used_does_no_harm(
    tmp_path: Path, changed: Callable[[bytes], bytes]
) -> None:
    async with exchange(tmp_path, rate=0.05) as program, archive_of(program, changed) as url:
        done = await program.run("backfill", *DAY, archive_url=url)
        assert done.status == 0, done.errors
        assert await check(program) == []
