"""`candlecast reconcile`: nine fields beside the exchange's own, and why they differ."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from ingest.core.fixed import parse, text
from ingest.core.trade import Trade
from ingest.storage import Store
from tests.factories import trade
from tests.recordings import (
    BTCUSDT,
    BTCUSDT_KLINES,
    XRPETH,
    needs_recordings,
    recorded_trades,
)
from tests.running import simulator

from .programs import Program

MINUTE = 60_000
PAGE = ("--from", "2020-01-02T15:10", "--to", "2020-01-02T15:18")
"""The recorded page of trades begins within the first of these minutes."""

Row = list[Any]


def recorded_klines() -> list[Row]:
    """The exchange's own klines of the day, in the shape of its REST interface."""
    with zipfile.ZipFile(BTCUSDT_KLINES) as archive:
        lines = archive.read(archive.namelist()[0]).decode()
    rows = csv.reader(io.StringIO(lines))
    return [[int(r[0]), *r[1:6], int(r[6]), r[7], int(r[8]), *r[9:12]] for r in rows]


@asynccontextmanager
async def recorded_exchange(
    klines: Sequence[Row], trades: Sequence[Trade], klines_at_once: int = 1000
) -> AsyncIterator[str]:
    """An exchange that answers with what was recorded of the real one."""

    async def get(request: web.Request) -> web.Response:
        start = int(request.query.get("startTime", 0))
        end = int(request.query.get("endTime", 2**53))
        first = int(request.query.get("fromId", 0))
        if request.path.endswith("time"):
            return web.json_response({"serverTime": klines[-1][6] + MINUTE})
        if request.path.endswith("exchangeInfo"):
            return web.json_response({"symbols": [{"symbol": "BTCUSDT"}]})
        if request.path.endswith("klines"):
            found = [row for row in klines if start <= row[0] <= end]
            return web.json_response(found[:klines_at_once])
        rows = [
            {
                "a": t.aggregate_id, "p": text(t.price), "q": text(t.quantity),
                "f": t.first_trade_id, "l": t.last_trade_id, "T": t.timestamp,
                "m": t.is_buyer_maker,
            }
            for t in trades if start <= t.timestamp <= end and t.aggregate_id >= first
        ]  # fmt: skip
        return web.json_response(rows)

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


def stored(program: Program, trades: Sequence[Trade]) -> None:
    """Trades and their candles, as a server would have left them."""
    with program.store() as store:
        store.trades.insert({"BTCUSDT": trades})
        settle(store)


def settle(store: Store) -> None:
    store.candles.recompute(store.candles.unsettled({"BTCUSDT": 2**42 // MINUTE * MINUTE}))


@needs_recordings
async def test_the_exchange_s_own_minutes_agree_in_all_fields(tmp_path: Path) -> None:
    trades = recorded_trades(BTCUSDT)
    first = trades[0]
    before = trade(first.aggregate_id - 1, timestamp=first.timestamp // MINUTE * MINUTE)
    async with recorded_exchange(recorded_klines(), [before, *trades]) as url:
        program = Program(tmp_path, url)
        stored(program, trades)
        whole = await program.run("reconcile", "BTCUSDT", "--from", "2020-01-02T15:11", *PAGE[2:])
        assert whole.status == 0, whole.output
        assert whole.output.startswith("7 candles from 2020-01-02 15:11:00 to 2020-01-02 15:18:00")
        assert "9 fields of each: no difference" in whole.output
        begun = await program.run("reconcile", "BTCUSDT", *PAGE)
        assert begun.status == 1
        assert "BTCUSDT 1m 2020-01-02 15:10:00 volume: ours " in begun.output
        assert "our trades begin within it" in begun.output


NOON = 1_708_992_000_000 + 43_200_000
"""Noon of 2024-02-27."""
NOON_ON = ("--from", "2024-02-27T12:00", "--to", "2024-02-27T12:08")


def by_hand(minutes: Sequence[int]) -> list[Trade]:
    """A trade at the beginning of each of these minutes after noon, at 100, 101, ..."""
    return [
        trade(number, price=str(100 + minute), timestamp=NOON + minute * MINUTE)
        for number, minute in enumerate(minutes, 1)
    ]


def kline(minute: int, price: str, trades: int = 1) -> Row:
    """The kline of a minute after noon, with one trade of 1 at a price or with none."""
    opened, size, quote = NOON + minute * MINUTE, str(trades), price if trades else "0"
    return [
        opened, *[price] * 4, size, opened + MINUTE - 1, quote, trades, size, quote, "0",
    ]  # fmt: skip


async def compared(
    directory: Path,
    exchange: tuple[Sequence[Row], Sequence[Trade]],
    ours: Sequence[Trade],
    klines_at_once: int = 1000,
) -> tuple[int, list[str]]:
    """How `reconcile` ends, and its lines."""
    async with recorded_exchange(*exchange, klines_at_once) as url:
        program = Program(directory, url)
        stored(program, ours)
        done = await program.run("reconcile", "BTCUSDT", *NOON_ON)
        assert done.errors.count("Traceback") == 0
        return done.status, done.output.splitlines()


async def test_a_kline_off_its_grid_does_not_end_the_comparison(tmp_path: Path) -> None:
    trades = by_hand(range(8))
    klines = [kline(minute, str(100 + minute)) for minute in range(8)]
    klines[2][0] += MINUTE // 2  # the last one of the first page
    klines[6][1:5] = ["999"] * 4
    status, lines = await compared(tmp_path, (klines, trades), trades, klines_at_once=3)
    off_grid = "the exchange's kline opens off the grid of its timeframe"
    assert [line for line in lines if off_grid in line] == [
        f"BTCUSDT 1m 2024-02-27 12:02:00 open_time: ours {NOON + 2 * MINUTE}, the exchange's "
        f"{NOON + 2 * MINUTE + MINUTE // 2}: {off_grid}",
        f"         1  {off_grid}",
    ]
    assert sum("12:06:00" in line for line in lines) == 4
    assert any(line.startswith("8 candles from 2024-02-27 12:00:00 ") for line in lines)
    assert status == 1


async def test_an_answer_that_ends_between_two_klines_of_a_candle_loses_neither(
    tmp_path: Path,
) -> None:
    trades = by_hand(range(8))
    klines = [kline(minute, str(100 + minute)) for minute in range(8)]
    second = [*klines[2]]
    second[0] += MINUTE // 2
    klines.insert(3, second)
    status, lines = await compared(tmp_path, (klines, trades), trades, klines_at_once=3)
    assert ["open_time" in line for line in lines if "12:02:00" in line] == [True]
    assert any(line.startswith("8 candles from ") for line in lines)
    assert status == 1


async def test_trades_that_cannot_be_read_are_no_other_trades(tmp_path: Path) -> None:
    trades = by_hand(range(8))
    klines = [kline(minute, str(100 + minute)) for minute in range(8)]
    klines[3][2] = "999"
    odd = trade(trades[3].aggregate_id, "1", "1", trades[3].timestamp, raw_trades=-1)
    theirs = [*trades[:3], odd, *trades[4:]]
    status, lines = await compared(tmp_path, (klines, theirs), trades)
    assert "12:03:00 high" in lines[0]
    assert lines[0].endswith("what the exchange gives now has trades that cannot be read")
    assert status == 1


async def test_a_first_candle_that_is_whole_is_not_said_to_be_begun(tmp_path: Path) -> None:
    trades = by_hand(range(8))
    klines = [kline(minute, str(100 + minute)) for minute in range(8)]
    klines[0][2] = "999"
    status, lines = await compared(tmp_path, (klines, trades), trades)
    assert lines[0].endswith("high: ours 100, the exchange's 999: "
                             "the exchange's kline is not what its own trades come to")  # fmt: skip
    assert status == 1


async def test_quiet_minutes_without_a_kline_are_no_differences(tmp_path: Path) -> None:
    busy = (0, 3, 4, 7)
    trades = by_hand(busy)
    klines = [kline(minute, str(100 + minute)) for minute in busy]
    klines.insert(1, kline(2, "100", 0))
    status, lines = await compared(tmp_path, (klines, trades), trades)
    assert lines[0].startswith("8 candles from ")
    assert lines[0].endswith("no difference")
    assert lines[1:] == ["         3  quiet candles that one side alone has: no difference"]
    assert status == 0


async def test_a_busy_minute_that_one_side_lacks_is_a_difference(tmp_path: Path) -> None:
    trades = by_hand(range(8))
    klines = [kline(minute, str(100 + minute)) for minute in range(8)]
    del klines[3]
    status, lines = await compared(tmp_path, (klines, trades), trades)
    assert lines[0].endswith(
        "12:03:00 candle: ours there, the exchange's missing: the exchange has no kline here"
    )
    assert "1 differences" in lines[1]
    assert status == 1


def truncated(rows: list[Row]) -> None:
    rows[-1][7] = text(parse(rows[-1][7]) - 2)


def without(rows: list[Row]) -> None:
    del rows[-3]


def wrong(rows: list[Row]) -> None:
    rows[-2][2] = "9999.00000000"


@needs_recordings
async def test_differences_have_the_cause_that_they_have(tmp_path: Path) -> None:
    trades = recorded_trades(BTCUSDT)
    from_ms = trades[0].timestamp // MINUTE * MINUTE + MINUTE
    day = [row for row in recorded_klines() if from_ms <= row[0] < from_ms + 7 * MINUTE]
    changes: Sequence[tuple[Callable[[list[Row]], None], int, str]] = (
        (truncated, 0, "the exchange cuts the quote volume of each raw trade to 8 decimals"),
        (without, 1, "the exchange has no kline here"),
        (wrong, 1, "the exchange's kline is not what its own trades come to"),
    )
    for number, (change, status, cause) in enumerate(changes):
        klines = [list(row) for row in day]
        change(klines)
        directory = tmp_path / str(number)
        directory.mkdir()
        async with recorded_exchange(klines, trades) as url:
            program = Program(directory, url)
            stored(program, trades)
            result = await program.run("reconcile", "BTCUSDT", "--from", "2020-01-02T15:11")
        assert (result.status, result.output.count(cause)) == (status, 2), result.output
        assert "1 differences" in result.output


@needs_recordings
async def test_what_is_wrong_here_is_distinguished_from_what_is_wrong_there(tmp_path: Path) -> None:
    trades = recorded_trades(BTCUSDT)
    by_minute: dict[int, list[Trade]] = {}
    for item in trades:
        by_minute.setdefault(item.timestamp // MINUTE * MINUTE, []).append(item)
    minutes = sorted(by_minute)
    lost = by_minute[minutes[2]][5].aggregate_id
    known = by_minute[minutes[4]][5].aggregate_id
    async with recorded_exchange(recorded_klines(), trades) as url:
        program = Program(tmp_path, url)
        stored(program, [t for t in trades if t.aggregate_id not in (lost, known)])
        with program.store() as store:
            store.gaps.confirm("BTCUSDT", known, known, 3)
            store.connection.command(
                "INSERT INTO minutes"
                " SELECT * REPLACE (low - 1 AS low, aggregates + 1 AS aggregates)"
                f" FROM minutes FINAL WHERE candle_time = {minutes[6]}"
            )
        result = await program.run("reconcile", "BTCUSDT", *PAGE)
    lines = {line[11:30]: line for line in result.output.splitlines() if " volume: " in line}
    assert f"run `candlecast backfill` (ids {lost}-{lost})" in lines["2020-01-02 15:12:00"]
    assert f"these trades any more (ids {known}-{known})" in lines["2020-01-02 15:14:00"]
    [low] = [line for line in result.output.splitlines() if "15:16:00 low: " in line]
    assert "run `candlecast audit --repair`" in low
    assert result.status == 1


@needs_recordings
async def test_a_recording_that_was_backfilled_agrees_at_every_timeframe(tmp_path: Path) -> None:
    async with simulator("--replay", f"XRPETH={XRPETH}", "--start-at", "1.0") as url:
        program = Program(tmp_path, url, "XRPETH")
        done = await program.run("backfill", "--from", "2019-10-11")
        assert "12,477 trades stored" in done.errors
        for timeframe in ("1", "15", "720"):
            same = await program.run(
                "reconcile", "XRPETH", "--from", "2019-10", "--timeframe", timeframe
            )
            assert same.status == 0, same.output
            assert "no difference" in same.output


async def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    async with simulator("--symbols", "BTCUSDT", "--clock-start", "2024-03-15T00:00Z") as url:
        refused = await Program(tmp_path, url).run("reconcile", "BTCUSDT", "--from", "2024")
        assert refused.status == 1
        assert "The store has no candles of BTCUSDT: run `candlecast backfill` first" in (
            refused.errors
        )
