"""Recorded trades come out as they were recorded."""

import csv
import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from simulator import replay
from simulator.app import Settings
from simulator.errors import SimulatorError
from simulator.replay import Recording
from simulator.wire import decimal
from tests.simulator.conftest import (
    BTCUSDT,
    BTCUSDT_KLINES,
    XRPETH,
    Client,
    Start,
    needs_recordings,
    trades,
)

ROWS = (
    "7,0.00000001,12.30000000,9,9,1600000000123,True,True\n8,5,1,10,12,1600000000123,False,True\n"
)
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,M\n"


async def everything(client: Client, symbol: str) -> list[dict[str, Any]]:
    """Page through all trades by id."""
    found: list[dict[str, Any]] = []
    while True:
        at = found[-1]["a"] + 1 if found else 0
        status, page = await client.get("aggTrades", symbol=symbol, fromId=at, limit=1000)
        assert status == 200
        if not page:
            return found
        found += page


def as_csv_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    return [[str(row[name]) for name in "apqflTmM"] for row in rows]


@needs_recordings
async def test_paging_by_id_gives_each_recorded_trade_once_and_to_the_letter(
    start: Start,
) -> None:
    client = await start(Settings(replay=(("XRPETH", XRPETH),), start_at="1.0"))
    with gzip.open(XRPETH, "rt") as file:
        recorded = list(csv.reader(file))
    assert len(recorded) == 12_477
    assert as_csv_rows(await everything(client, "XRPETH")) == recorded


@needs_recordings
async def test_the_fastest_stream_gives_each_recorded_trade_once_in_order(start: Start) -> None:
    client = await start(Settings(replay=(("XRPETH", XRPETH),), speed=None, wait_for=1))
    async with client.connect("/stream?streams=xrpeth@aggTrade") as socket:
        streamed = await trades(socket, 12_477)
    with gzip.open(XRPETH, "rt") as file:
        assert as_csv_rows(streamed) == list(csv.reader(file))
    _, time = await client.get("time")
    assert 0 <= time["serverTime"] - streamed[-1]["T"] < 60_000


@needs_recordings
async def test_klines_of_full_minutes_equal_the_exchanges_own(start: Start) -> None:
    client = await start(Settings(replay=(("BTCUSDT", BTCUSDT),), start_at="1.0"))
    with zipfile.ZipFile(BTCUSDT_KLINES) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    own = {int(row[0]): row for row in csv.reader(io.StringIO(text))}
    first = 1577977860000  # 15:11, the first minute that the recording has whole
    status, rows = await client.get(
        "klines", symbol="BTCUSDT", interval="1m", startTime=first, limit=7
    )
    assert status == 200
    assert [[str(value) for value in row] for row in rows] == [
        own[first + minute * 60_000] for minute in range(7)
    ]


@needs_recordings
async def test_what_is_past_at_the_start_is_on_rest_and_the_rest_is_not_yet(start: Start) -> None:
    client = await start(
        Settings(replay=(("XRPETH", XRPETH),), start_at="5000", wait_for=1, speed=None)
    )
    rows = await everything(client, "XRPETH")
    assert 4990 <= len(rows) <= 5000
    async with client.connect("/ws/xrpeth@aggTrade") as socket:
        streamed = await trades(socket, 12_477 - len(rows))
    assert streamed[0]["a"] == rows[-1]["a"] + 1
    assert len(await everything(client, "XRPETH")) == 12_477


@needs_recordings
async def test_the_steps_of_a_recorded_symbol_follow_from_its_trades(start: Start) -> None:
    client = await start(Settings(replay=(("BTCUSDT", BTCUSDT), ("XRPETH", XRPETH))))
    _, info = await client.get("exchangeInfo")
    steps = {
        symbol["symbol"]: [each.get("tickSize", each.get("stepSize")) for each in symbol["filters"]]
        for symbol in info["symbols"]
    }
    assert steps == {
        "BTCUSDT": ["0.01000000", "0.00000100"],
        "XRPETH": ["0.00000001", "1.00000000"],
    }


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".zip"])
@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize("microseconds", [False, True])
def test_every_form_of_the_file_reads_the_same(
    tmp_path: Path, suffix: str, header: str, *, microseconds: bool
) -> None:
    text = header + (ROWS.replace("1600000000123", "1600000000123000") if microseconds else ROWS)
    path = tmp_path / f"ABCUSDT-aggTrades-2020-09-13{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", text)
    else:
        path.write_bytes(gzip.compress(text.encode()) if suffix == ".csv.gz" else text.encode())
    assert replay.symbol_of(path) == "ABCUSDT"
    found = replay.load(path).slice(0, 10)
    assert found.ids.tolist() == [7, 8]
    assert [decimal(price) for price in found.price.tolist()] == ["0.00000001", "5.00000000"]
    assert [decimal(size) for size in found.quantity.tolist()] == ["12.30000000", "1.00000000"]
    assert found.last.tolist() == [9, 12]
    assert found.time_ms.tolist() == [1600000000123] * 2
    assert found.buyer_maker.tolist() == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3\n",
        ROWS.replace("12.3", "NaN"),
        ROWS.replace("12.3", "-12.3"),
        ROWS.replace("0.00000001", "0.000000001"),
        ROWS.replace("7,0", "8,0"),
        ROWS.replace("True", "perhaps"),
        ROWS.replace("8,5,1,", "8,99999999999,99999999999,"),
        ROWS.replace("1600000000123", ""),
        "\0\0\0\0",
    ],
)
def test_what_is_no_recording_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ABCUSDT-x.csv"
    path.write_text(text)
    with pytest.raises(SimulatorError, match=re.escape(path.name)):
        replay.load(path)


def test_a_recording_with_missing_ids_and_unordered_times_keeps_its_order() -> None:
    lines = ["1,1,1,1,1,2000,True,True", "4,1,1,2,2,1000,True,True", "9,1,1,3,3,3000,True,True"]
    recording = Recording(replay.parse("\n".join(lines).encode()))
    assert recording.slice(2, 10).ids.tolist() == [4, 9]
    assert recording.last_id(1_999_999) == 0
    assert recording.last_id(2_000_000) == 4
    assert recording.id_at(2_000_001) == 9
    assert recording.id_at(3_000_001) == 10
