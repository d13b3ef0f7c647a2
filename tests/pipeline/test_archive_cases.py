"""Small files of the exchange's archive, each with an oddity and its right value."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.binance.archive import ArchiveFile
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.pipeline.backfill import Backfill, Outcome
from ingest.storage import AsyncStore, Store
from tests.factories import row
from tests.recordings import RECORDINGS

CASES = RECORDINGS.parent.parent / "cases" / "archive"
SYMBOL = "BTCUSDT"
DAY_MS = 86_400_000
MINUTE_MS = 60_000

pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the small archive files are not on this machine"
)


class Silent:
    """Progress that nobody looks at."""

    def planned(self, symbol: str, trades: int) -> None: ...
    def stored(self, symbol: str, trades: int) -> None: ...
    def fetched(self, symbol: str, size: int) -> None: ...
    def note(self, text: str) -> None: ...


async def load(store: Store, directory: Path, *names: str) -> list[str]:
    """Store files and settle their minutes; the lines that were refused."""
    outcome = Outcome(SYMBOL)
    async with BinanceRest("http://127.0.0.1:1", WeightCoordinator()) as rest:
        backfill = Backfill(AsyncStore(store), rest, None, Silent())
        for name in names:
            source = CASES / f"{name}.csv"
            path = directory / f"{name}.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(source, source.name)
            await backfill.store_file(path, file_of(name), 1.0, outcome)
    end = max(file_of(name).end_ms for name in names)
    store.candles.recompute(store.candles.unsettled({SYMBOL: end}))
    assert list(store.audit.run(repair=False)) == [
        difference for difference in store.audit.run(repair=False) if difference.what == "ids"
    ]
    refused = store.quarantine.latest(100)
    assert len(refused) == outcome.malformed
    return sorted(message.raw.decode() for message in refused)


def file_of(name: str) -> ArchiveFile:
    """The day or month that a file's name ends with."""
    period = name.split("-", 1)[1]
    is_month = len(period) == len("2023-05")
    start = datetime.fromisoformat(f"{period}-01" if is_month else period).replace(tzinfo=UTC)
    start_ms = int(start.timestamp()) * 1000
    return ArchiveFile(SYMBOL, start_ms, start_ms + (31 if is_month else 1) * DAY_MS, is_month)


def ids(store: Store) -> list[int]:
    return [trade.aggregate_id for trade in store.trades.since(SYMBOL, 0)]


def candles(store: Store, since: str, count: int) -> list[dict[str, Decimal | int]]:
    """So many candles of a minute from a time on."""
    end = int(datetime.fromisoformat(since).timestamp()) * 1000 + count * MINUTE_MS
    return [row(candle) for candle in store.candles.read(SYMBOL, 1, end, count)]


def figures(candle: dict[str, Decimal | int], *names: str) -> Sequence[Decimal | int]:
    return [candle[name] for name in names]


@pytest.fixture
def store(tmp_path: Path) -> object:
    with Store(f"chdb://{tmp_path}/db") as opened:
        yield opened


async def test_interleaved_ranges_make_one_gap(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c01b-2023-05") == []
    [candle] = candles(store, "2023-05-01T00:00Z", 1)
    shown = figures(candle, "open", "high", "low", "close", "volume", "taker_buy_volume")
    expected = ("29223", "29223.6", "29223", "29223.6", "1.02", "1.008")
    assert shown == [Decimal(text) for text in expected]
    assert candle["trades_count"] == 9
    held = store.trades.id_range(SYMBOL)
    assert held is not None
    assert [hole.missing for hole in held.holes] == [99_808]


async def test_rows_that_come_twice_count_once(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c02-2022-09-12") == []
    [candle] = candles(store, "2022-09-12T00:00Z", 1)
    assert figures(candle, "volume", "taker_buy_volume", "trades_count") == [
        Decimal("3.977"), Decimal("1.929"), 14,
    ]  # fmt: skip


async def test_a_header_is_no_trade_with_or_without(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c03-2022-09-12", "c03-2022-09-13") == []
    assert ids(store) == [1, 2, 3, 4]


async def test_units_change_at_the_new_year(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c04-2024-12-31", "c04-2025-01-01") == []
    found = candles(store, "2024-12-31T23:59Z", 3)
    assert [figures(c, "open", "close", "volume", "trades_count") for c in found] == [
        [10, 11, 2, 2], [12, 13, 3, 2], [14, 14, 1, 1],
    ]  # fmt: skip


async def test_a_long_quiet_time_is_no_gap(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c05-2021-04-25") == []
    held = store.trades.id_range(SYMBOL)
    assert held is not None
    assert held.holes == []
    first, last = 1_619_323_257_550 // MINUTE_MS, 1_619_340_301_958 // MINUTE_MS
    found = store.candles.read(SYMBOL, 1, last * MINUTE_MS, 1000)
    flat = [candle for candle in found if candle.is_flat]
    assert len(found) == last - first
    assert len(flat) == last - first - 1 == 284
    assert {candle.close for candle in flat} == {219_343_000_000}


async def test_raw_ids_may_jump(store: Store, tmp_path: Path) -> None:
    assert await load(store, tmp_path, "c06-2022-09-12") == []
    [candle] = candles(store, "2022-09-12T00:00Z", 1)
    assert candle["trades_count"] == 9
    held = store.trades.id_range(SYMBOL)
    assert held is not None
    assert held.holes == []


@pytest.mark.parametrize(
    ("name", "stored", "refused"),
    [
        ("c10_zero_first-2022-09-12", [2, 3, 4], ["1,0,"]),
        ("c10_zero_mid-2022-09-12", [1, 3, 4], ["2,0,"]),
        ("n_bom_exp-2022-09-12", [1, 2, 3], []),
        ("n_crlf-2022-09-12", [1, 2, 3], []),
        ("n_empty-2022-09-12", [], []),
        ("n_mixed_unit-2025-01-01", [1, 2], []),
        ("n_twohdr_nextday-2022-09-12", [1, 2], ["3,102,"]),
    ],
)
async def test_what_can_be_read_is_stored_and_the_rest_named(
    store: Store, tmp_path: Path, name: str, stored: list[int], refused: list[str]
) -> None:
    found = await load(store, tmp_path, name)
    assert ids(store) == stored
    assert len(found) == len(refused)
    assert all(line.startswith(start) for line, start in zip(found, refused, strict=True))


async def test_exponents_are_exact(store: Store, tmp_path: Path) -> None:
    await load(store, tmp_path, "n_bom_exp-2022-09-12")
    found = store.trades.since(SYMBOL, 0)
    assert [(t.price, t.quantity) for t in found] == [
        (100 * 10**8, 10**8), (100 * 10**8, 10**8), (102 * 10**8, 1000),
    ]  # fmt: skip
