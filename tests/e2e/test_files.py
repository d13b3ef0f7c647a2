"""Daily and monthly files over REST: what is in them, when there are none, and that one is made."""

from __future__ import annotations

import asyncio
import hashlib
import json
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.core.keep import DAY_MS
from ingest.core.periods import period_of
from ingest.core.timeframe import MINUTE_MS, first_bucket
from ingest.pipeline.files import Files, Wanted
from ingest.storage import AsyncStore, FileFormat, exports
from tests.e2e.days import BEGIN, DAYS, TRADES, Server, rest, server
from tests.e2e.rest import JSON
from tests.e2e.test_document_examples import ERRORS, texts
from tests.factories import trade

__all__ = ["rest", "server"]


@pytest.mark.parametrize("timeframe", [1, 7, 173, 1440, 2000])
@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
async def test_a_file_has_the_candles_that_begin_on_its_day(
    server: Server, timeframe: int, ending: str
) -> None:
    for number, day in enumerate(DAYS):
        start, end = BEGIN + number * DAY_MS, BEGIN + (number + 1) * DAY_MS
        expected = await server.candles(timeframe, start, end)
        path = f"candles/{server.symbol}/{timeframe}m/{day}.{ending}"
        has_candles = first_bucket(start, timeframe) < first_bucket(end, timeframe)
        if not has_candles or not all(candle["closed"] for candle in expected):
            assert (await server.refused(path))[0] == 404
        else:
            found = await server.rows(path)
            assert found == expected
            assert found


async def test_a_month_is_its_days_and_a_long_file_is_made_in_parts(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CANDLES_OF_A_PART", 1000)
    for ending in ("parquet", "csv.gz"):
        path = f"candles/{server.symbol}/1m"
        whole = await server.rows(f"{path}/2021-12.{ending}")
        assert whole == [row for d in DAYS for row in await server.rows(f"{path}/{d}.{ending}")]
        assert len(whole) == 3 * 1440


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
async def test_a_file_has_the_trades_of_its_day(
    server: Server, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "TRADES_OF_A_PART", 50)
    for number, day in enumerate(DAYS):
        start = BEGIN + number * DAY_MS
        end = start + DAY_MS - 1
        expected, _ = await server.rest.pages(
            f"trades/{server.symbol}", JSON, limit=10_000, start_time=start, end_time=end
        )
        found = await server.rows(f"trades/{server.symbol}/{day}.{ending}")
        assert found == expected
        assert len(found) > 100
    assert isinstance(found[0]["price"], Decimal)


async def test_a_file_is_tagged_and_its_checksum_lies_beside_it(server: Server) -> None:
    for path in (f"candles/{server.symbol}/173m", f"trades/{server.symbol}"):
        for name in (f"{DAYS[0]}.parquet", f"{DAYS[0]}.csv.gz"):
            reply, body = await server.get(f"{path}/{name}")
            digest = hashlib.sha256(body).hexdigest()
            assert reply.headers["ETag"] == f'"{digest}"'
            assert reply.headers["Accept-Ranges"] == "bytes"
            assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert reply.headers["Cache-Control"] == "private, max-age=86400"
            assert parsedate_to_datetime(reply.headers["Last-Modified"]).tzinfo is not None
            summed, text = await server.get(f"{path}/{name}.CHECKSUM")
            assert summed.headers["Content-Type"] == "text/plain"
            assert text.decode() == f"{digest}  {name}\n"
            head, nothing = await server.get(f"{path}/{name}", "HEAD")
            assert (head.status, nothing) == (200, b"")
            assert int(head.headers["Content-Length"]) == len(body)
            assert head.headers["ETag"] == reply.headers["ETag"]
            again, nothing = await server.get(f"{path}/{name}", If_None_Match=f'"{digest}"')
            assert (again.status, nothing) == (304, b"")


async def test_parts_of_a_file_are_sent(server: Server) -> None:
    path = f"candles/{server.symbol}/1m/{DAYS[0]}.parquet"
    whole, body = await server.get(path)
    size, etag = len(body), whole.headers["ETag"]
    for asked, part in (
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-8", slice(size - 8, None)),
        (f"bytes=5-{size + 100}", slice(5, None)),
    ):
        for more in ({}, {"If_Range": etag}, {"If_Range": whole.headers["Last-Modified"]}):
            reply, found = await server.get(path, Range=asked, **more)
            assert (reply.status, found) == (206, body[part])
            start, end, _ = part.indices(size)
            assert reply.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
            assert reply.headers["ETag"] == etag
    reply, found = await server.get(path, Range="bytes=0-9", If_Range='"of before"')
    assert (reply.status, found) == (200, body)
    reply, found = await server.get(path, Range="bytes=0-1,10-11")
    assert reply.status == 206
    assert reply.headers["Content-Type"].startswith("multipart/byteranges")
    reply, _ = await server.get(path, "HEAD", Range="bytes=0-9")
    assert (reply.status, reply.headers["Content-Length"]) == (206, "10")
    reply, _ = await server.get(path, Range="bytes=0-9", If_None_Match=etag)
    assert reply.status == 304


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=1000000-", 416),
        ("bytes=5-1", 400),
        ("lines=1-2", 400),
        ("bytes=a-b", 400),
        ("bytes=" + "9" * 6000 + "-", 400),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(500)), 200),
    ],
)
async def test_a_range_that_is_none_is_refused(server: Server, asked: str, status: int) -> None:
    reply, body = await server.get(f"candles/{server.symbol}/173m/{DAYS[0]}.parquet", Range=asked)
    assert reply.status == status
    if status != 200:
        assert json.loads(body)["error_code"] == "INVALID_REQUEST"
    if status == 416:
        assert reply.headers["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("candles/*/1m/2022-01-01.parquet", 404, "is not over"),
        ("candles/*/1m/2022-01.csv.gz", 404, "is not over"),
        ("trades/*/2022-01-01.parquet", 404, "is not over"),
        ("candles/*/7m/2021-12-31.parquet.CHECKSUM", 404, "is not over"),
        ("candles/*/173m/2021-12-31.parquet", 404, "is not over"),  # its last candle is not
        ("candles/*/1m/2021-12-28.parquet", 404, "has no trade here"),
        ("trades/*/2021-12-28.parquet", 404, "has no trade here"),
        ("trades/*/2021-12.parquet", 404, "files of a day"),
        ("candles/*/1m/2021-02-30.parquet", 404, "calendar"),
        ("candles/*/1m/1969-12-31.parquet", 404, "calendar"),
        ("candles/*/525601m/2021-12-30.parquet", 404, "at most"),
        ("candles/*/0m/2021-12-30.parquet", 400, "match"),
        ("candles/*/1m/2021-12-30.xlsx", 400, "match"),
        ("candles/*/1m/2021-12-30.parquet.sha256", 400, "match"),
        ("candles/*/1m/..%2F..%2F..%2F..%2Fdb", 400, "match"),
        ("candles/DOGEUSDT/1m/2021-12-30.parquet", 404, "not active"),
        ("trades/DOGEUSDT", 404, "not active"),
    ],
)
async def test_a_file_that_there_is_not_is_refused_with_the_reason(
    server: Server, path: str, status: int, why: str
) -> None:
    found, text = await server.refused(path.replace("*", server.symbol))
    assert found == status, text
    assert why in text


async def test_errors_have_the_texts_of_their_examples(server: Server) -> None:
    base = f"candles/{server.symbol}/1m"
    _, still_open = await server.get(f"{base}/2022-01-01.parquet")
    assert texts(json.loads(still_open)) == texts(ERRORS["FileNotFound open"])
    _, behind = await server.get(f"{base}/{DAYS[0]}.parquet", Range="bytes=1000000-")
    assert texts(json.loads(behind)) == texts(ERRORS["RangeNotSatisfiable range"])


async def test_of_days_before_the_history_there_are_no_files(server: Server) -> None:
    server.feed.live.whole_from_ms = BEGIN + MINUTE_MS
    for path in (f"candles/{server.symbol}/1m", f"trades/{server.symbol}"):
        status, text = await server.refused(f"{path}/{DAYS[0]}.parquet")
        assert (status, "Not all of" in text) == (404, True)
        assert (await server.get(f"{path}/{DAYS[1]}.parquet"))[0].status == 200
        listed = json.loads((await server.get(path))[1])["data"]
        assert [each["period"] for each in listed] == list(DAYS[1:])


async def test_while_data_is_not_complete_no_file_is_made(server: Server) -> None:
    made, missing = (f"candles/{server.symbol}/1m/{day}.parquet" for day in DAYS[:2])
    assert (await server.get(made))[0].status == 200
    server.feed.state.disconnect()
    assert (await server.get(made))[0].status == 200
    reply, body = await server.get(missing)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert "ask again when it is complete" in json.loads(body)["error"]


async def test_while_a_symbol_is_being_opened_nothing_is_said_of_its_days(server: Server) -> None:
    made, missing = (f"candles/{server.symbol}/1m/{day}.parquet" for day in DAYS[:2])
    assert (await server.get(made))[0].status == 200
    server.feed.close()
    assert (await server.get(made))[0].status == 200
    for path in (missing, f"candles/{server.symbol}/1m", f"trades/{server.symbol}"):
        assert (await server.refused(path))[0] == 503
    index = json.loads((await server.get(""))[1])["data"]
    [own] = [each for each in index if each["symbol"] == server.symbol]
    assert (own["trade_days"], own["candle_days"]) == (0, 0)


async def test_what_is_listed_is_there(server: Server) -> None:
    index = json.loads((await server.get(""))[1])["data"]
    [own] = [each for each in index if each["symbol"] == server.symbol]
    assert (own["trade_days"], own["candle_days"]) == (3, 3)
    for path in (own["trades"], own["candles"].replace("1m", "173m")):
        reply, body = await server.get(path.removeprefix("/api/v1/data/files/"))
        assert reply.status == 200
        listed = json.loads(body)["data"]
        # The last candle of 173 minutes of the year is open still.
        days = DAYS[:-1] if "173m" in path else DAYS
        assert [each["period"] for each in listed] == list(days)
        for each in listed:
            for file in (each["parquet"], each["csv"]):
                found, _ = await server.get(file.removeprefix("/api/v1/data/files/"))
                assert found.status == 200
    minutes = json.loads((await server.get(f"candles/{server.symbol}/1m"))[1])["data"]
    assert [each["period"] for each in minutes] == list(DAYS)


def on_disk(server: Server) -> list[Path]:
    """The files of the symbol."""
    folder = Path(server.rest.provider.store.connection.dsn.removeprefix("chdb://") + ".files")
    return [path for path in folder.rglob("*") if path.is_file() and server.symbol in str(path)]


async def test_a_file_is_made_once_for_all_who_ask(server: Server) -> None:
    path = f"candles/{server.symbol}/1m/{DAYS[0]}.parquet"
    replies = await asyncio.gather(*(server.get(path) for _ in range(20)))
    assert {reply.status for reply, _ in replies} == {200}
    assert len({body for _, body in replies}) == 1
    [file] = on_disk(server)
    made_at = file.stat().st_mtime_ns
    assert (await server.get(path))[0].status == 200
    assert [each.stat().st_mtime_ns for each in on_disk(server)] == [made_at]


async def test_too_many_that_wait_are_refused(server: Server) -> None:
    paths = [f"candles/{server.symbol}/{n}m/{DAYS[0]}.parquet" for n in range(1, 60)]
    replies = await asyncio.gather(*(server.get(path) for path in paths))
    statuses = [reply.status for reply, _ in replies]
    assert set(statuses) == {200, 503}
    for (reply, body), path in zip(replies, paths, strict=True):
        if reply.status == 503:
            assert "Many files" in json.loads(body)["error"]
            assert (await server.get(path))[0].status == 200


async def test_a_repair_of_its_day_gives_another_file(server: Server) -> None:
    late = trade(100 + len(TRADES), timestamp=BEGIN + DAY_MS + 5, price="1", quantity="1")
    paths = [
        f"{kind}/{day}.{ending}"
        for kind in (f"candles/{server.symbol}/60m", f"trades/{server.symbol}")
        for day in DAYS
        for ending in ("parquet", "csv.gz")
    ]
    before = {path: (await server.get(path))[0].headers for path in paths}
    files = {path: path.stat().st_mtime_ns for path in on_disk(server)}
    await server.store([late])
    for path in paths:
        after = (await server.get(path))[0].headers
        is_other = after["ETag"] != before[path]["ETag"]
        # What follows the day is compared, and found to be the same.
        assert is_other == (DAYS[1] in path), path
        reply, _ = await server.get(path, If_None_Match=before[path]["ETag"])
        assert reply.status == (200 if is_other else 304)
    assert {path: path.stat().st_mtime_ns for path in on_disk(server) if path in files} == files
    rows = await server.rows(f"candles/{server.symbol}/60m/{DAYS[1]}.parquet")
    assert rows == await server.candles(60, BEGIN + DAY_MS, BEGIN + 2 * DAY_MS)
    assert rows[0]["low"] == 1


async def test_rows_that_change_while_a_file_is_made_are_read_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = iter([trade(100 + len(TRADES) + n, timestamp=BEGIN + 5, quantity="3") for n in range(2)])
    write = exports.Exports.write
    loop = asyncio.get_running_loop()

    def writing(self: Any, *arguments: Any) -> Path:
        path = write(self, *arguments)
        if (each := next(late, None)) is not None:
            asyncio.run_coroutine_threadsafe(server.store([each]), loop).result(30)
        return path

    monkeypatch.setattr(exports.Exports, "write", writing)
    found = await server.rows(f"candles/{server.symbol}/1m/{DAYS[0]}.parquet")
    assert found == await server.candles(1, BEGIN, BEGIN + DAY_MS)
    assert next(late, None) is None
    assert len(on_disk(server)) == 3, "the two others go when there is no room"


async def test_files_of_an_earlier_run_are_taken_over(server: Server) -> None:
    path = f"candles/{server.symbol}/1m/{DAYS[0]}.parquet"
    reply, _ = await server.get(path)
    [file] = on_disk(server)
    provider = server.rest.provider
    directory = file.parents[3]
    files = Files(AsyncStore(provider.store), provider.view, directory, 10**9)
    wanted = _wanted(server, DAYS[0])
    made_at = file.stat().st_mtime_ns
    made = await files.file(wanted)
    assert (made.path, f'"{made.sha256}"') == (file, reply.headers["ETag"])
    assert file.stat().st_mtime_ns == made_at


def _wanted(server: Server, day: str) -> Wanted:
    return Wanted(server.symbol, 1, period_of(day), FileFormat.PARQUET)


async def test_files_used_longest_ago_go_first_and_are_made_again(
    server: Server, tmp_path: Path
) -> None:
    provider = server.rest.provider
    make = partial(Files, AsyncStore(provider.store), provider.view, tmp_path / "few")
    one = (await make(10**9).file(_wanted(server, DAYS[0]))).path.stat().st_size
    files = make(2 * one + one // 2)
    first, second = [await files.file(_wanted(server, day)) for day in DAYS[:2]]
    await asyncio.sleep(0.02)
    assert await files.file(_wanted(server, DAYS[0])) == first  # is used again
    third = await files.file(_wanted(server, DAYS[2]))
    assert [each.path.exists() for each in (first, second, third)] == [True, False, True]
    again = await files.file(_wanted(server, DAYS[1]))
    assert (again.path, again.path.exists()) == (second.path, True)
