"""The Python client's pages, from a server with days of history, as rows and as frames."""

from __future__ import annotations

import pytest
from candlecast_client import Client, NotComplete, Page, pages

from ingest.core.keep import DAY_MS
from tests.e2e.days import BEGIN, DAYS, Server, rest, server
from tests.e2e.rest import JSON

__all__ = ["rest", "server"]

CANDLES = {"timeframe": 7, "start_time": DAYS[0], "end_time": f"{DAYS[1]}T23:59:59.999"}


async def read(server: Server, operation: str, **query: object) -> list[Page]:
    async with Client(server.rest.url) as client:
        call = getattr(client.rest, operation)
        return [page async for page in pages(call, server.symbol, **query)]


async def test_pages_follow_one_another(server: Server) -> None:
    found = await read(server, "get_candles", limit=100, **CANDLES)
    wanted = await server.candles(7, BEGIN, BEGIN + 2 * DAY_MS)
    assert [row.model_dump() for page in found for row in page.rows] == wanted
    assert {len(page.rows) for page in found[:-1]} == {100}
    trades = await read(server, "get_trades", limit=100, from_id=0)
    expected, _ = await server.rest.pages(f"trades/{server.symbol}", JSON, from_id=0, limit=10_000)
    assert [row.model_dump() for page in trades for row in page.rows] == expected
    assert len(trades) > 3


@pytest.mark.parametrize("name", ["pandas", "polars"])
async def test_a_page_is_a_frame(server: Server, name: str) -> None:
    for operation, time, query in (
        ("get_candles", "candle_time", CANDLES),
        ("get_trades", "timestamp", {"from_id": 0}),
    ):
        [page, *_] = await read(server, operation, **query)
        wanted = [row.model_dump() for row in page.rows]
        if name == "pandas":
            frame = page.to_pandas()
            assert str(frame.dtypes[time]) == "datetime64[ms, UTC]"
            found = frame.to_dict("records")
        else:
            table = page.to_polars()
            assert str(table.schema[time]).startswith("Datetime(time_unit='ms', time_zone='UTC'")
            assert "float" not in str(table.schema).lower()
            found = table.to_dicts()
        for row in found:
            row[time] = round(row[time].timestamp() * 1000)
        assert found == wanted


async def test_a_page_of_none_is_an_empty_frame() -> None:
    assert Page(()).to_pandas().empty
    assert Page(()).to_polars().is_empty()


async def test_while_data_is_not_complete_there_are_no_pages(server: Server) -> None:
    server.feed.state.disconnect()
    with pytest.raises(NotComplete, match="not complete"):
        await read(server, "get_candles", **CANDLES)
