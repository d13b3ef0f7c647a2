"""The dashboard for Grafana, read as Grafana and its Infinity data source read it.

Grafana itself is not run: what it does with the file, up to the table that a panel draws, is done
here by the documentation of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from generated.native.facts import DataQuality
from tests import running
from tests.e2e.udf_chart import Chart

pytestmark = pytest.mark.asyncio(loop_scope="module")

DASHBOARD: dict[str, Any] = json.loads(
    (running.ROOT / "docs" / "grafana" / "candles.json").read_text("utf-8")
)
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
PANELS = {panel["type"]: panel for panel in DASHBOARD["panels"]}
INFINITY = "yesoreyeram-infinity-datasource"
SYMBOLS, NOW, NOW_MS = ("BTCUSDT", "ETHUSDT"), "2024-03-14T15:09:26Z", 1_710_428_966_000
HOUR_MS = 3_600_000
GRID = 24

TYPES: dict[str, type | tuple[type, ...]] = {
    "timestamp_epoch": int,
    "number": (int, Decimal),
    "string": str,
}
"""What values of a column may be, by its type; `timestamp_epoch` is in milliseconds."""
Table = list[dict[str, Any]]


@dataclass
class Source:
    """The data source, whose base address is the server's."""

    session: aiohttp.ClientSession
    base: str

    async def table(self, query: Mapping[str, Any], variables: Mapping[str, object]) -> Table:
        """The table of a query: its rows have a value for each column, by the column's text."""
        assert (query["type"], query["source"], query["format"]) == ("json", "url", "table")
        assert query["url_options"]["method"] == "GET"
        async with self.session.get(self.base + expanded(query["url"], variables)) as reply:
            assert reply.status == 200, await reply.text()
            found = json.loads(await reply.text(), parse_float=Decimal)[query["root_selector"]]
        rows = found if isinstance(found, list) else [found]
        return [
            {column["text"]: selected(row, column) for column in query["columns"]} for row in rows
        ]


def selected(row: Any, column: Mapping[str, str]) -> Any:
    """The value of a column in a row, which has to be of its type."""
    for name in column["selector"].split("."):
        row = row[name]
    assert isinstance(row, TYPES[column["type"]]), (row, column)
    return row


def expanded(text: str, variables: Mapping[str, object]) -> str:
    """A text with the variables of the dashboard put in; one that there is none of is an error."""
    return re.sub(r"\$\{(\w+)\}", lambda found: str(variables[found[1]]), text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def source(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Source]:
    options = ("--symbols", ",".join(SYMBOLS), "--rate", "0.02", "--clock-start", NOW)
    async with running.simulator(*options, "--wait-for-subscriber", "9") as exchange:
        values = {"symbols": ",".join(SYMBOLS), "history": "30h"}
        chosen = running.settings(exchange, tmp_path_factory.mktemp("grafana"), **values)
        async with running.server(chosen) as (server, url), aiohttp.ClientSession() as session:
            feeds = server.provider.feeds.values()
            complete = DataQuality.COMPLETE
            await running.until(lambda: all(feed.status.quality is complete for feed in feeds))
            yield Source(session, url)


async def test_the_file_is_whole() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert DASHBOARD["title"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        x, y, width, height = (panel["gridPos"][name] for name in ("x", "y", "w", "h"))
        assert x + width <= GRID
        cells = {(x + i, y + j) for i in range(width) for j in range(height)}
        assert not cells & taken
        taken |= cells
    assert VARIABLES["datasource"]["query"] == INFINITY
    users = [*DASHBOARD["panels"], *(t for p in DASHBOARD["panels"] for t in p["targets"])]
    for user in (*users, VARIABLES["symbol"]):
        assert user["datasource"] == {"type": INFINITY, "uid": "${datasource}"}


async def test_every_variable_that_is_named_exists() -> None:
    known = {*VARIABLES, "__from", "__to"}
    named = re.findall(r"\$(?:\{(\w+)[^}]*\}|(\w+))", json.dumps(DASHBOARD))
    assert {first or second for first, second in named} <= known


async def test_the_symbols_are_those_that_are_followed(source: Source) -> None:
    query = VARIABLES["symbol"]["query"]
    assert query["queryType"] == "infinity"
    rows = await source.table(query["infinityQuery"], {})
    assert [list(row.values()) for row in rows] == [[symbol] for symbol in SYMBOLS]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("minutes", [*VARIABLES["timeframe"]["query"].split(","), "7"])
async def test_the_panel_gets_the_candles_of_its_range(
    source: Source, symbol: str, minutes: str
) -> None:
    panel = PANELS["candlestick"]
    (target,) = panel["targets"]
    variables = {"symbol": symbol, "timeframe": minutes}
    for begin, end in ((NOW_MS - 24 * HOUR_MS, NOW_MS), (NOW_MS - HOUR_MS, NOW_MS + HOUR_MS)):
        rows = await source.table(target, {**variables, "__from": begin, "__to": end})
        times = [row["time"] for row in rows]
        width = int(minutes) * 60_000
        first = -(-begin // width) * width
        assert times == list(range(first, min(end, NOW_MS) + 1, width))
        fields = panel["options"]["fields"]
        assert fields.keys() == {"open", "high", "low", "close", "volume"}
        chart = Chart(source.session, f"{source.base}/udf", symbol, minutes)
        bars, _ = await chart.history(**{"from": begin // 1000}, to=end // 1000 + 1)
        names = [fields[name] for name in ("open", "high", "low", "close", "volume")]
        assert [tuple(row[name] for name in names) for row in rows] == [bar[1:] for bar in bars]


async def test_the_panel_says_whether_the_data_is_complete(source: Source) -> None:
    (target,) = PANELS["stat"]["targets"]
    assert await source.table(target, {"symbol": SYMBOLS[0]}) == [{"quality": "complete"}]


async def test_a_range_of_the_guide_fits_one_answer() -> None:
    limit = int(re.findall(r"limit=(\d+)", PANELS["candlestick"]["targets"][0]["url"])[0])
    assert limit == 10_000
    guide = (running.ROOT / "docs" / "guides" / "grafana.md").read_text("utf-8")
    assert f"{limit:,} candles" in guide
