"""Tags, caching and compression of pages."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from tests.e2e.rest import FORMATS, JSON, READERS, START_MS, Query, Rest, rest
from tests.factories import trade

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["rest"]

WATERMARK = START_MS + 15 * MINUTE_MS
TRADES = [trade(100 + n, timestamp=START_MS + n * 10_000) for n in range(120)]
"""One every ten seconds, for 20 minutes."""
CLOSED = f"timeframe=1&start_time={START_MS}&end_time={WATERMARK - MINUTE_MS}"
DAY_S = 86_400


class Client:
    """Requests for one symbol, whose answers are not decompressed."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        url = self._base.replace("*", path.partition("?")[0]) + "?" + path.partition("?")[2]
        async with self._session.request(method, url, headers=given) as reply:
            return reply, await reply.read()


@pytest.fixture
async def client(rest: Rest) -> AsyncIterator[Client]:
    feed = await rest.follow(TRADES, WATERMARK)
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
    ) as session:
        yield Client(session, f"{rest.url}/api/v1/data/*/{feed.symbol}")


@pytest.mark.parametrize("name", ["json", *FORMATS])
async def test_a_closed_page_is_sent_once(client: Client, name: str) -> None:
    for path in (
        f"candles?{CLOSED}&format={name}",
        f"candles?timeframe=1&start_time={START_MS}&limit=3&format={name}",
        f"trades?start_time={START_MS}&end_time={WATERMARK - 1}&format={name}",
    ):
        reply, body = await client.get(path)
        etag = reply.headers["ETag"]
        assert (reply.status, bool(body)) == (200, True)
        assert etag.startswith('W/"')
        # The candles are of years ago: a tenth of that is more than a day.
        assert reply.headers["Cache-Control"] == f"private, max-age={DAY_S}"
        for known in (etag, "*", f'"other", {etag.removeprefix("W/")}'):
            again, nothing = await client.get(path, If_None_Match=known, Accept_Encoding="gzip")
            assert (again.status, nothing) == (304, b"")
            assert again.headers["ETag"] == etag
            assert again.headers["Cache-Control"] == reply.headers["Cache-Control"]
            assert "Content-Encoding" not in again.headers
        other, whole = await client.get(path, If_None_Match='"other"')
        assert (other.status, len(whole)) == (200, len(body))


@pytest.mark.parametrize(
    "path",
    [
        "candles?timeframe=1",  # the newest
        f"candles?timeframe=1&end_time={WATERMARK - MINUTE_MS}",  # has no beginning
        f"candles?timeframe=1&start_time={START_MS}",  # ends with the running candle
        f"candles?timeframe=1&start_time={START_MS}&end_time={WATERMARK}",  # is not stored
        f"candles?timeframe=7&start_time={START_MS}&end_time={WATERMARK - MINUTE_MS}",
        f"trades?start_time={START_MS}",
        f"trades?start_time={START_MS}&end_time={WATERMARK}",
        f"trades?end_time={WATERMARK - 1}",
        f"trades?from_id=99&end_time={WATERMARK - 1}",  # begins before the history
    ],
)
async def test_a_page_that_still_changes_is_asked_for_anew(client: Client, path: str) -> None:
    for name in ("json", "csv"):
        reply, _ = await client.get(f"{path}&format={name}", If_None_Match="*")
        assert reply.status == 200
        assert "ETag" not in reply.headers
        assert reply.headers["Cache-Control"] == "no-cache"


async def test_a_page_of_just_now_is_kept_for_a_tenth_of_its_age(rest: Rest) -> None:
    minute = int(time.time()) // 60 * 60_000 - 60 * MINUTE_MS
    trades = [trade(100 + n, timestamp=minute + n * MINUTE_MS) for n in range(3)]
    feed = await rest.follow(trades, minute + 2 * MINUTE_MS)
    path = f"candles/{feed.symbol}"
    _, headers, _ = await rest.get(path, timeframe=1, start_time=minute, end_time=minute)
    seconds = int(headers["Cache-Control"].removeprefix("private, max-age="))
    assert 59 * 6 <= seconds <= 61 * 6


async def test_a_late_trade_changes_the_tag(rest: Rest) -> None:
    feed = await rest.follow([*TRADES[:50], *TRADES[51:]], WATERMARK)
    query: Query = {"timeframe": 1, "start_time": START_MS, "end_time": WATERMARK - MINUTE_MS}
    _, before, _ = await rest.get(f"candles/{feed.symbol}", JSON, **query)
    await _store(rest, feed.symbol, TRADES[50])
    _, after, body = await rest.get(f"candles/{feed.symbol}", JSON, **query)
    assert before["ETag"] != after["ETag"]
    assert json.loads(body)["data"][8]["volume"] == 6


async def _store(rest: Rest, symbol: str, late: Trade) -> None:
    store = rest.provider.store
    await store.run(store.trades.insert, {symbol: [late]})
    spans = await store.run(store.candles.unsettled, {symbol: WATERMARK})
    await store.run(store.candles.recompute, spans)


async def test_a_page_is_closed_only_while_the_symbol_is_complete(
    rest: Rest,
) -> None:
    feed = await rest.follow(TRADES, WATERMARK)
    feed.state.disconnect()
    span: Query = {"start_time": START_MS, "end_time": WATERMARK - MINUTE_MS}
    for path, timeframe in (("candles", 1), ("trades", None)):
        query: Query = {**span, "timeframe": timeframe}
        status, headers, _ = await rest.get(f"{path}/{feed.symbol}", JSON, **query)
        assert (status, headers["Cache-Control"], "ETag" in headers) == (200, "no-cache", False)


@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.9, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.5", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("br, deflate", None),
        ("gzip;q=0", None),
        ("", None),
        (None, None),
    ],
)
async def test_text_is_compressed_as_the_client_takes_it(
    client: Client, name: str, accepted: str | None, coding: str | None
) -> None:
    given = {} if accepted is None else {"Accept_Encoding": accepted}
    closed = f"start_time={START_MS}&end_time={WATERMARK - 1}"
    for path in (f"trades?{closed}&format={name}", f"trades?limit=100&format={name}"):
        plain, text = await client.get(path)
        reply, body = await client.get(path, **given)
        assert reply.headers.get("Content-Encoding") == coding
        assert reply.headers["Vary"] == plain.headers["Vary"] == "accept-encoding"
        if coding is not None:
            assert len(body) < len(text) / 2
            body = gzip.decompress(body) if coding == "gzip" else zstd.decompress(body)
        assert reply.headers.get("ETag") == plain.headers.get("ETag")
        rows = (lambda page: json.loads(page)["data"]) if name == "json" else READERS[FORMATS[name]]
        assert rows(body) == rows(text)


@pytest.mark.parametrize("name", ["arrow", "parquet"])
async def test_a_table_that_is_compressed_already_is_sent_as_it_is(
    client: Client, name: str
) -> None:
    reply, _ = await client.get(f"candles?{CLOSED}&format={name}", Accept_Encoding="gzip, zstd")
    assert "Content-Encoding" not in reply.headers
    assert "Vary" not in reply.headers


async def test_a_tiny_body_is_sent_as_it_is(client: Client) -> None:
    for name in ("json", "csv"):
        reply, _ = await client.get(f"trades?limit=1&format={name}", Accept_Encoding="gzip")
        assert "Content-Encoding" not in reply.headers
        assert reply.headers["Vary"] == "accept-encoding"


async def test_a_long_page_is_compressed_beside_the_other_requests(rest: Rest) -> None:
    trades = [trade(100 + n, timestamp=START_MS + n) for n in range(10_000)]
    feed = await rest.follow(trades, WATERMARK)
    async with aiohttp.ClientSession() as session:
        for name in ("json", "csv"):
            url = f"{rest.url}/api/v1/data/trades/{feed.symbol}?limit=10000&format={name}"
            async with session.get(url, headers={"Accept-Encoding": "gzip"}) as reply:
                assert reply.headers["Content-Encoding"] == "gzip"
                body = await reply.read()
        assert [row["aggregate_id"] for row in READERS["text/csv"](body)] == [
            trade.aggregate_id for trade in trades
        ]


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("name", ["json", *FORMATS])
async def test_head_is_get_without_a_body(client: Client, name: str, coding: str) -> None:
    path = f"candles?{CLOSED}&format={name}"
    given = {"Accept_Encoding": coding, "X_Request_Id": "head"}
    whole, body = await client.get(path, **given)
    head, nothing = await client.get(path, "HEAD", **given)
    assert (head.status, nothing) == (200, b"")
    if "Content-Length" in whole.headers:
        assert abs(int(head.headers["Content-Length"]) - len(body)) < 10
    changing = {"Date", "Content-Length", "RateLimit-Remaining", "RateLimit-Reset"}
    assert {k: v for k, v in head.headers.items() if k not in changing} == {
        k: v for k, v in whole.headers.items() if k not in changing
    }


async def test_every_path_with_get_takes_head(rest: Rest) -> None:
    async with aiohttp.ClientSession(f"{rest.url}/api/v1/") as session:
        for path in ("tickers/", "monitoring/system/info", "admin/websocket/status"):
            async with session.head(path) as reply:
                assert (reply.status, await reply.read()) == (200, b"")
                assert reply.headers["Content-Type"] == JSON
