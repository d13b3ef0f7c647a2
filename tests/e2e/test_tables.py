"""Trades and candles over REST, page by page and in every format, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.core.timeframe import MINUTE_MS, bucket_start, width_ms
from ingest.core.trade import Trade
from tests.e2e.rest import FORMATS, JSON, NOW_MS, READERS, START_MS, Query, Rest, Rows, rest
from tests.factories import naive_candles, trade, trade_runs

__all__ = ["rest"]


def shown(trade: Trade) -> dict[str, object]:
    """A trade as the contract has it."""
    return {
        "aggregate_id": trade.aggregate_id,
        "price": Decimal(trade.price).scaleb(-8),
        "quantity": Decimal(trade.quantity).scaleb(-8),
        "first_trade_id": trade.first_trade_id,
        "last_trade_id": trade.last_trade_id,
        "timestamp": trade.timestamp,
        "is_buyer_maker": trade.is_buyer_maker,
    }


RUNS = trade_runs(max_size=40, span_ms=20 * MINUTE_MS, start_ms=START_MS)
FIELDS = (
    *("candle_time", "open", "high", "low", "close", "volume", "trades_count"),
    *("taker_buy_volume", "taker_sell_volume"),
)


@pytest.mark.parametrize("accept", READERS)
async def test_the_newest_trades_come_in_every_format(rest: Rest, accept: str) -> None:
    trades = [trade(100 + n, timestamp=START_MS + n) for n in range(30)]
    feed = await rest.follow(trades, START_MS)
    status, headers, body = await rest.get(f"trades/{feed.symbol}/latest", accept, limit=7)
    assert (status, headers.get("Next-Cursor")) == (200, None)
    assert READERS[accept](body) == [shown(trade) for trade in trades[-7:]]
    status, _, _ = await rest.get(f"trades/{feed.symbol}/latest", "image/png")
    assert status == 406


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_candles_are_the_textbook_s_in_every_format(rest: Rest, data: st.DataObject) -> None:
    trades = data.draw(RUNS)
    watermark = START_MS + data.draw(st.integers(0, 21)) * MINUTE_MS
    timeframe = data.draw(st.integers(1, 12))
    limit = data.draw(st.integers(1, 30))
    start = data.draw(st.integers(START_MS - MINUTE_MS, NOW_MS))
    end = data.draw(st.none() | st.integers(start, NOW_MS))
    feed = await rest.follow(trades, watermark)
    store = rest.provider.store
    if data.draw(st.booleans()):
        await store.run(store.candles.materialize, feed.symbol, timeframe)
    query = {"timeframe": timeframe, "start_time": start, "end_time": end, "limit": limit}
    path = f"candles/{feed.symbol}"
    rows, sizes = await rest.pages(path, JSON, **query)
    until = bucket_start(rest.provider.clock.now_ms() if end is None else end, timeframe)
    open_from = bucket_start(watermark, timeframe)
    known = naive_shown(trades, timeframe, until, open_from)
    expected = [candle for candle in known if candle["candle_time"] >= start]
    assert rows == expected
    assert all(size == limit for size in sizes[:-1])
    for accept in READERS:
        table, table_sizes = await rest.pages(path, accept, **query)
        assert table == expected
        assert table_sizes == sizes
    newest, _ = await rest.pages(path, "text/csv", timeframe=timeframe, limit=limit, end_time=end)
    assert newest == known[-limit:]


def naive_shown(trades: list[Trade], timeframe: int, until: int, open_from: int) -> Rows:
    """All candles up to a time as the contract has them."""
    return [
        {name: candle[name] for name in FIELDS} | {"closed": candle["candle_time"] < open_from}
        for candle in naive_candles(trades, timeframe, until)
    ]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_trades_are_those_stored_in_every_format(rest: Rest, data: st.DataObject) -> None:
    trades = data.draw(RUNS)
    limit = data.draw(st.integers(1, 30))
    feed = await rest.follow(trades, START_MS)
    expected = [shown(trade) for trade in trades if not trade.is_tombstone]
    for accept in (JSON, *READERS):
        path = f"trades/{feed.symbol}"
        rows, sizes = await rest.pages(path, accept, limit=limit, from_id=0)
        assert rows == expected
        assert all(size == limit for size in sizes[:-1])
        newest, pages = await rest.pages(path, accept, limit=limit)
        assert newest == expected[-limit:]
        assert len(pages) == 1


async def test_while_data_is_not_complete_no_candle_is_shown(rest: Rest) -> None:
    feed = await rest.follow([], START_MS)
    feed.state.disconnect()
    path = f"candles/{feed.symbol}"
    status, _, body = await rest.get(path, timeframe=7, start_time=START_MS + 1)
    reply = json.loads(body)
    assert (status, reply["data"], reply["data_status"]["data_quality"]) == (200, [], "unknown")
    width = width_ms(7)
    assert reply["next_cursor"] == (START_MS // width + 1) * width, "it is to be asked again"
    for accept in READERS:
        status, headers, _ = await rest.get(path, accept, timeframe=7)
        assert (status, headers["Retry-After"]) == (503, "1")


async def test_a_format_that_there_is_not_is_refused(rest: Rest) -> None:
    feed = await rest.follow([], START_MS)
    for path in ("candles", "trades"):
        query = {"timeframe": 1} if path == "candles" else {}
        status, _, body = await rest.get(f"{path}/{feed.symbol}", "image/png", **query)
        assert (status, json.loads(body)["error_code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("name", [*FORMATS, "json"])
async def test_a_format_by_name_wins_over_accept(rest: Rest, name: str) -> None:
    feed = await rest.follow([trade(100 + n, timestamp=START_MS + n) for n in range(3)], START_MS)
    media_type = FORMATS.get(name, JSON)
    query: Query = {"timeframe": 1, "start_time": START_MS}
    cases: list[tuple[str, Query]] = [
        ("candles/{}", query),
        ("trades/{}", {}),
        ("trades/{}/latest", {}),
    ]
    for path, more in cases:
        url = path.format(feed.symbol)
        status, headers, body = await rest.get(url, "image/png", format=name, **more)
        assert (status, headers["Content-Type"]) == (200, media_type)
        if name != "json":
            assert "accept" not in headers.get("Vary", "").split(", ")
            assert READERS[media_type](body) == READERS["text/csv"](
                (await rest.get(url, "text/csv", **more))[2]
            )


async def test_a_name_that_is_no_format_is_refused(rest: Rest) -> None:
    feed = await rest.follow([], START_MS)
    for name in ("xlsx", "JSON", "", "text/csv"):
        status, _, body = await rest.get(f"trades/{feed.symbol}", format=name)
        reply = json.loads(body)
        assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER")
        assert reply["details"][0]["field"] == "query.format"
        assert "parquet" in reply["details"][0]["message"]


@pytest.mark.parametrize("name", FORMATS)
async def test_decimals_are_doubles_only_where_asked_for(rest: Rest, name: str) -> None:
    trades = [trade(100, price="1.23456789", quantity="0.1", timestamp=START_MS)]
    feed = await rest.follow(trades, START_MS)
    media_type = FORMATS[name]
    exact, rounded = [
        READERS[media_type](
            (await rest.get(f"trades/{feed.symbol}", media_type, decimals=decimals))[2]
        )[0]
        for decimals in ("decimal128", "float64")
    ]
    assert exact["price"] == Decimal("1.23456789")
    kind = float if name in ("arrow", "parquet") else Decimal
    assert rounded == {**exact, "price": kind("1.23456789"), "quantity": kind("0.1")}
    assert {type(rounded["price"]), type(rounded["quantity"])} == {kind}


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2022-01-01", 0, 0),
        ("2022-01-01T00:00", 0, 0),
        ("2022-01-01T00:00:02Z", 2000, 2000),
        ("2022-01-01T02:00:03.25+02:00", 3250, 3250),
        ("2021-12-31T18:30:00-05:30", 0, 0),
        ("2022-01-01T00:00:01.000001", 1001, 1000),
        ("2022-01-01T00:00:01.999999Z", 2000, 1999),
    ],
)
async def test_times_are_iso_8601_too(rest: Rest, text: str, first: int, last: int) -> None:
    feed = await rest.follow(
        [trade(100 + n, timestamp=START_MS + n) for n in range(5000)], START_MS
    )
    path = f"trades/{feed.symbol}"
    for name, offset, at in (("start_time", first, 0), ("end_time", last, -1)):
        query: Query = {name: text, "limit": 1}
        _, _, body = await rest.get(path, JSON, **query)
        reply = json.loads(body)
        assert reply["data"][at]["timestamp"] == START_MS + offset, name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "does not match"),
        ("2022-02-30", "no time from 1970"),
        ("2022-01-01T24:00:01", "no time from 1970"),
        ("2022-01-01T00:00:00+25:00", "no time from 1970"),
        ("1969-12-31", "no time from 1970"),
        ("9999-12-31T23:59-10:00", "no time from 1970"),
        ("2022-01-01T00:00:00 02:00", "does not match"),  # a plus sign that is not encoded
        ("20220101T000000Z", "does not match"),
        ("2022-01-01 00:00", "does not match"),
        ("2022-1-1", "does not match"),
        ("-1", "minimum"),
        ("9223372036854775808", "maximum"),
    ],
)
async def test_a_time_that_is_none_is_refused(rest: Rest, text: str, message: str) -> None:
    feed = await rest.follow([], START_MS)
    for name in ("start_time", "end_time"):
        for path, timeframe in (("candles", 1), ("trades", None)):
            query: Query = {name: text, "timeframe": timeframe}
            status, _, body = await rest.get(f"{path}/{feed.symbol}", JSON, **query)
            reply = json.loads(body)
            assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER"), reply
            [detail] = reply["details"]
            assert detail["field"] == f"query.{name}"
            assert message in detail["message"]


async def test_a_span_that_ends_before_it_begins_is_refused(rest: Rest) -> None:
    feed = await rest.follow([], START_MS)
    status, _, body = await rest.get(
        f"trades/{feed.symbol}", start_time="2022-01-02", end_time=START_MS
    )
    assert (status, "must not be after" in body.decode()) == (400, True)


@pytest.mark.parametrize("timeframe", [0, 525_601])
async def test_a_timeframe_out_of_bounds_is_refused(rest: Rest, timeframe: int) -> None:
    feed = await rest.follow([], START_MS)
    status, _, body = await rest.get(f"candles/{feed.symbol}", timeframe=timeframe)
    assert (status, json.loads(body)["error_code"]) == (400, "INVALID_PARAMETER")
