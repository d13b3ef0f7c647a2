"""pandas, polars and DuckDB, as a user types it, beside `/data/candles` in JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

import pytest

from ingest.core.keep import DAY_MS
from tests.e2e.days import BEGIN, DAYS, Server, rest, server
from tests.e2e.rest import JSON, Rows

__all__ = ["rest", "server"]

DECIMALS = ("open", "high", "low", "close", "volume", "taker_buy_volume", "taker_sell_volume")
SHOW = """
import json
rows = [dict(row) for row in rows]
for row in rows:
    time = row["candle_time"]
    if not isinstance(time, (int, str)):
        row["candle_time"] = round(time.timestamp() * 1000)
print(json.dumps(rows, default=str))
"""
FSSPEC = """
from email.utils import parsedate_to_datetime
from urllib.request import Request, urlopen
import fsspec

class Http(fsspec.get_filesystem_class("http")):
    def modified(self, path):
        with urlopen(Request(path, method="HEAD")) as answer:
            return parsedate_to_datetime(answer.headers["Last-Modified"])

import duckdb
duckdb.register_filesystem(Http())
"""
EXACT = {
    "pandas.read_parquet of files": """
import pandas as pd
frame = pd.concat(pd.read_parquet(url) for url in files)
assert str(frame.dtypes["candle_time"]) == "datetime64[ms, UTC]"
rows = frame.to_dict("records")
""",
    "pandas.read_parquet of a page": """
import pandas as pd
rows = pd.read_parquet(page + "&format=parquet").to_dict("records")
""",
    "pandas.read_csv of files": """
import pandas as pd
frame = pd.concat(pd.read_csv(url.replace(".parquet", ".csv.gz"), dtype=str) for url in files)
rows = frame.to_dict("records")
""",
    "pandas.read_csv of a page": """
import pandas as pd
rows = pd.read_csv(page + "&format=csv", dtype=str).to_dict("records")
""",
    "polars.scan_parquet of files": """
import polars as pl
frame = pl.scan_parquet(files).collect()
assert frame.schema["candle_time"] == pl.Datetime("ms", "UTC")
assert frame.schema["open"] == pl.Decimal(38, 8)
rows = frame.to_dicts()
""",
    "polars.scan_parquet of some columns": """
import polars as pl
frame = pl.scan_parquet(files)
first = frame.select("candle_time", "open").filter(pl.col("open") > 0).collect()
rows = frame.collect().to_dicts()
assert [row["open"] for row in first.to_dicts()] == [row["open"] for row in rows]
""",
    "polars.read_parquet of a page": """
from urllib.request import urlopen
import polars as pl
rows = pl.read_parquet(urlopen(page + "&format=parquet").read()).to_dicts()
""",
    "DuckDB's read_parquet of files": FSSPEC
    + """
found = duckdb.sql(f"FROM read_parquet({files}) ORDER BY candle_time")
assert "DECIMAL(38,8)" in map(str, found.types)
rows = [dict(zip(found.columns, row)) for row in found.fetchall()]
""",
    "DuckDB's read_csv of files": FSSPEC
    + """
lines = [url.replace(".parquet", ".csv.gz") for url in files]
found = duckdb.sql(f"FROM read_csv({lines}, all_varchar=true) ORDER BY candle_time")
rows = [dict(zip(found.columns, row)) for row in found.fetchall()]
""",
}
DOUBLES = {
    "pandas": """
import pandas as pd
frame = pd.read_parquet(page + "&format=parquet&decimals=float64")
assert str(frame.dtypes["close"]) == "float64"
rows = frame.to_dict("records")
""",
    "pandas, of CSV": """
import pandas as pd
rows = pd.read_csv(page + "&format=csv").to_dict("records")
""",
    "pandas, of NDJSON": """
import pandas as pd
frame = pd.read_json(page + "&format=ndjson", lines=True, convert_dates=False, precise_float=True)
rows = frame.to_dict("records")
""",
    "polars, of CSV": """
import polars as pl
from urllib.request import urlopen
rows = pl.read_csv(urlopen(page + "&format=csv").read()).to_dicts()
""",
}


async def typed(server: Server, timeframe: int, code: str) -> Rows:
    """The rows that a program prints; `files` are its two days, and `page` is a page of them."""
    base = f"{server.rest.url}/api/v1/data"
    files = [f"{base}/files/candles/{server.symbol}/{timeframe}m/{day}.parquet" for day in DAYS[:2]]
    page = (
        f"{base}/candles/{server.symbol}?timeframe={timeframe}&limit=10000"
        f"&start_time={DAYS[0]}&end_time={DAYS[1]}T23:59:59.999"
    )
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"files, page = {files!r}, {page!r}\n{code}{SHOW}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, wrong = await program.communicate()
    assert program.returncode == 0, wrong.decode()
    rows: Rows = json.loads(out)
    return rows


async def expected(server: Server, timeframe: int) -> Rows:
    return await server.candles(timeframe, BEGIN, BEGIN + 2 * DAY_MS)


def exactly(row: dict[str, Any]) -> dict[str, object]:
    """A row whose numbers are decimals, of texts or numbers."""
    return {name: str(x).lower() if name == "closed" else Decimal(x) for name, x in row.items()}


@pytest.mark.parametrize("timeframe", [7, 173])
@pytest.mark.parametrize("name", EXACT)
async def test_values_are_those_of_json_to_the_last_digit(
    server: Server, name: str, timeframe: int
) -> None:
    rows = await typed(server, timeframe, EXACT[name])
    wanted = await expected(server, timeframe)
    assert len(wanted) >= 16
    assert [exactly(row) for row in rows] == [exactly(row) for row in wanted]


@pytest.mark.parametrize("name", DOUBLES)
async def test_doubles_are_the_nearest_ones(server: Server, name: str) -> None:
    rows = await typed(server, 173, DOUBLES[name])
    wanted = await expected(server, 173)
    assert len(rows) == len(wanted) >= 16
    for row, exact in zip(rows, wanted, strict=True):
        assert row == {k: float(x) if k in DECIMALS else x for k, x in exact.items()}


@pytest.mark.parametrize("name", ["pandas", "polars"])
async def test_trades_are_a_file_too(server: Server, name: str) -> None:
    url = f"{server.rest.url}/api/v1/data/files/trades/{server.symbol}/{DAYS[0]}.parquet"
    code = {
        "pandas": f"import pandas as pd; rows = pd.read_parquet({url!r}).to_dict('records')",
        "polars": f"import polars as pl; rows = pl.scan_parquet({url!r}).collect().to_dicts()",
    }[name]
    rows = await typed(server, 1, code + "\nfor r in rows: r['candle_time'] = r.pop('timestamp')")
    wanted, _ = await server.rest.pages(
        f"trades/{server.symbol}", JSON, limit=10_000, start_time=BEGIN, end_time=BEGIN + DAY_MS - 1
    )
    assert len(rows) == len(wanted) > 100
    for row, exact in zip(rows, wanted, strict=True):
        assert row["candle_time"] == exact["timestamp"]
        assert Decimal(row["price"]) == exact["price"]
        assert Decimal(row["quantity"]) == exact["quantity"]
        assert row["aggregate_id"] == exact["aggregate_id"]
