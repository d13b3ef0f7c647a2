"""Files of the public archive: which there are, and that only whole ones arrive."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance.archive import ArchiveFile, BinanceArchive, files_covering
from ingest.binance.parse import archive_row
from ingest.core.errors import ExchangeUnavailable
from simulator.app import Settings

from .support import SimulatedExchange, served, simulated

DAY_MS = 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def files_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def names(start: str, end: str, now: str = "2030-01-01") -> list[str]:
    return [file.name for file in files_covering("BTCUSDT", ms(start), ms(end), ms(now))]


def test_whole_months_come_as_months_and_the_rest_as_days() -> None:
    assert names("2023-12-30T12:00", "2024-03-02T00:00:01") == [
        "BTCUSDT-aggTrades-2023-12-30.zip",
        "BTCUSDT-aggTrades-2023-12-31.zip",
        "BTCUSDT-aggTrades-2024-01.zip",
        "BTCUSDT-aggTrades-2024-02.zip",
        "BTCUSDT-aggTrades-2024-03-01.zip",
        "BTCUSDT-aggTrades-2024-03-02.zip",
    ]


def test_a_day_that_has_not_ended_has_no_file() -> None:
    assert names("2024-02-28", "2024-03-10", now="2024-03-01T23:59:59") == [
        "BTCUSDT-aggTrades-2024-02-28.zip",
        "BTCUSDT-aggTrades-2024-02-29.zip",
    ]


def test_a_month_can_be_taken_as_days() -> None:
    [month] = files_covering("BTCUSDT", ms("2024-02-01"), ms("2024-03-01"), ms("2025-01-01"))
    assert month.path == "data/spot/monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-02.zip"
    days = month.days()
    assert len(days) == 29
    assert days[0].path == "data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-02-01.zip"
    assert (days[0].start_ms, days[-1].end_ms) == (month.start_ms, month.end_ms)


@given(
    start=st.integers(0, 4000 * DAY_MS),
    length=st.integers(1, 400 * DAY_MS),
    past=st.integers(0, 500 * DAY_MS),
)
def test_files_join_and_cover_all_of_the_span_that_has_ended(
    start: int, length: int, past: int
) -> None:
    end, now = start + length, start + past
    files = files_covering("A", start, end, now)
    ends = [file.end_ms for file in files]
    assert [file.start_ms for file in files[1:]] == ends[:-1]
    covered_until = ends[-1] if ends else start // DAY_MS * DAY_MS
    assert all(file.start_ms <= start for file in files[:1])
    assert covered_until <= now
    assert covered_until >= end or covered_until + DAY_MS > now


FILE = ArchiveFile("BTCUSDT", ms("2024-01-02"), ms("2024-01-03"), is_month=False)


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    settings = Settings(symbols=("BTCUSDT",), rate=0.05, start_at="2024-01-04T00:00:00Z")
    async with simulated(settings) as exchange:
        yield exchange


async def test_a_file_of_the_archive_has_the_trades_of_its_day(
    exchange: SimulatedExchange, tmp_path: Path
) -> None:
    pieces: list[int] = []
    async with BinanceArchive(exchange.url, tmp_path) as archive:
        path = await archive.fetch(FILE, pieces.append)
        assert path is not None
        assert sum(pieces) == path.stat().st_size
        assert await archive.fetch(FILE, pieces.append) == path
    assert sum(pieces) == path.stat().st_size  # it was not fetched again
    with zipfile.ZipFile(path) as content, content.open(content.namelist()[0]) as lines:
        trades = [archive_row(line) for line in lines]
    assert trades
    assert all(t is not None and FILE.start_ms <= t.timestamp < FILE.end_ms for t in trades)


async def test_a_file_that_is_not_there_is_none(
    exchange: SimulatedExchange, tmp_path: Path
) -> None:
    future = ArchiveFile("BTCUSDT", ms("2024-01-09"), ms("2024-01-10"), is_month=False)
    async with BinanceArchive(exchange.url, tmp_path) as archive:
        assert await archive.fetch(future) is None
    assert files_in(tmp_path) == []


async def test_a_part_goes_on_where_it_stopped(exchange: SimulatedExchange, tmp_path: Path) -> None:
    pieces: list[int] = []
    async with BinanceArchive(exchange.url, tmp_path) as archive:
        path = await archive.fetch(FILE)
        assert path is not None
        content = path.read_bytes()
        path.with_suffix(".part").write_bytes(content[:1000])
        path.unlink()
        assert await archive.fetch(FILE, pieces.append) == path
    assert path.read_bytes() == content
    assert sum(pieces) == len(content) - 1000


async def test_a_spoilt_part_is_thrown_away(exchange: SimulatedExchange, tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-aggTrades-2024-01-02.part").write_bytes(b"other bytes" * 100_000)
    async with BinanceArchive(exchange.url, tmp_path) as archive:
        assert await archive.fetch(FILE) is not None
    assert files_in(tmp_path) == [FILE.name]


async def test_a_file_that_never_agrees_with_its_checksum_is_never_handed_on(
    tmp_path: Path,
) -> None:
    async def give(request: web.Request) -> web.Response:
        if request.path.endswith(".CHECKSUM"):
            return web.Response(text=f"{'0' * 64}  {FILE.name}\n")
        return web.Response(body=b"something else")

    async with (
        served(web.get("/data/{path:.*}", give)) as url,
        BinanceArchive(url, tmp_path, attempts=2) as archive,
    ):
        with pytest.raises(ExchangeUnavailable, match=r"2 attempts.*checksum"):
            await archive.fetch(FILE)
    assert files_in(tmp_path) == []


async def test_an_archive_that_is_away_for_a_moment_is_asked_again(
    exchange: SimulatedExchange, tmp_path: Path
) -> None:
    await exchange.order("answer", status=503, path="/data/", count=2)
    async with BinanceArchive(exchange.url, tmp_path) as archive:
        assert await archive.fetch(FILE) is not None
