"""Pages over REST from a server without its exchange."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from ingest.core.continuity import Continuity
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.pipeline.feed import Feed
from ingest.storage import Store
from server.app import Server
from server.log import KeptLog
from tests import running

JSON = "application/json"
START_MS = 1_640_995_200_000
NOW_MS = START_MS + 21 * MINUTE_MS
NUMBER = itertools.count()

Rows = list[dict[str, Any]]
Query = dict[str, int | str | None]


def of_table(table: pa.Table) -> Rows:
    """The rows with times in milliseconds, as JSON has them."""
    [time] = {"candle_time", "timestamp"} & set(table.column_names)
    assert table.schema.field(time).type == pa.timestamp("ms", "UTC")
    number = table.column_names.index(time)
    table = table.set_column(number, time, table[time].cast(pa.int64()))
    return cast(Rows, table.to_pylist())


def of_arrow(body: bytes) -> Rows:
    return of_table(pa.ipc.open_stream(body).read_all())


def of_parquet(body: bytes) -> Rows:
    return of_table(pq.read_table(io.BytesIO(body)))


def of_ndjson(body: bytes) -> Rows:
    return [json.loads(line, parse_float=Decimal) for line in body.splitlines()]


def of_csv(body: bytes) -> Rows:
    words = {"true": True, "false": False}
    return [
        {name: words[text] if text in words else Decimal(text) for name, text in line.items()}
        for line in csv.DictReader(io.StringIO(body.decode()))
    ]


READERS: Mapping[str, Callable[[bytes], Rows]] = {
    "application/vnd.apache.arrow.stream": of_arrow,
    "application/vnd.apache.parquet": of_parquet,
    "application/x-ndjson": of_ndjson,
    "text/csv": of_csv,
}
FORMATS = dict(zip(("arrow", "parquet", "ndjson", "csv"), READERS, strict=True))


class Rest:
    """The server without its exchange: what is in the feeds is what a test puts there."""

    def __init__(self, server: Server, session: aiohttp.ClientSession, url: str) -> None:
        self.provider = server.provider
        self.url = url
        self._session = session

    async def get(
        self, path: str, accept: str = JSON, **query: int | str | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        given = {name: str(value) for name, value in query.items() if value is not None}
        async with self._session.get(
            f"{self.url}/api/v1/data/{path}", params=given, headers={"Accept": accept}
        ) as reply:
            body = await reply.read()
            if accept != JSON and reply.status == 200 and "format" not in query:
                assert reply.headers["Content-Type"] == accept
            return reply.status, reply.headers, body

    async def pages(self, path: str, accept: str, **query: int | None) -> tuple[Rows, list[int]]:
        """All rows of all pages, and the number of rows of each."""
        rows: Rows = []
        sizes = []
        cursor: int | None = None
        while True:
            status, headers, body = await self.get(path, accept, **{**query, "cursor": cursor})
            assert status == 200, body
            if accept == JSON:
                reply = json.loads(body, parse_float=Decimal)
                page, following = reply["data"], reply["next_cursor"]
                assert f"Retrieved {len(page)} " in reply["message"]
            else:
                page, following = READERS[accept](body), headers.get("Next-Cursor")
            rows += page
            sizes.append(len(page))
            if following is None:
                return rows, sizes
            cursor = int(following)

    async def follow(self, trades: list[Trade], watermark: int) -> Feed:
        """A symbol of its own whose data is complete, settled up to the watermark."""
        symbol = f"S{next(NUMBER)}USDT"
        feed = Feed(symbol, lambda: NOW_MS)
        self.provider.feeds[symbol] = feed
        store = self.provider.store
        await store.run(store.trades.insert, {symbol: trades})
        spans = await store.run(store.candles.unsettled, {symbol: watermark})
        await store.run(store.candles.recompute, spans)
        feed.open(Continuity(100, 100 + len(trades) - 1), watermark, 0)
        feed.live.fold(t for t in trades if t.timestamp >= watermark)
        feed.joined(NOW_MS)
        feed.state.settle()
        assert feed.complete()
        return feed


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    async def time(_: web.Request) -> web.Response:
        return web.json_response({"serverTime": NOW_MS})

    exchange = web.Application()
    exchange.router.add_get("/api/v3/time", time)
    async with listening(exchange) as exchange_url:
        chosen = running.settings(exchange_url, tmp_path, requests_per_minute="1000000")
        with Store(chosen.store) as store:
            server = Server(chosen, store, KeptLog(), check_messages=True)
            await server.provider.clock.synchronize()
            async with listening(server.app) as url, aiohttp.ClientSession() as session:
                yield Rest(server, session, url)
            await server.provider.rest.close()


class listening:  # noqa: N801  # used as a function
    """An application on a free port; gives its base URL."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
