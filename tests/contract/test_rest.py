"""The REST document against the running server, by schemathesis, in all of its phases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLES = "10"
"""Generated requests of each operation and phase."""
SYMBOL = {"symbol": "$response.body#/data/0/symbol"}
LINKS = {
    ("/tickers/", "get"): {
        "OneOfThem": ("get_ticker", SYMBOL),
        "ItsViews": ("list_materialized_views", SYMBOL),
        "ItsTrades": ("get_trades", SYMBOL),
        "ItsCandles": ("get_candles", SYMBOL),
        "ItsNewestTrades": ("get_latest_trades", SYMBOL),
    },
    ("/data/trades/{symbol}/latest", "get"): {
        "TradesFromThere": (
            "get_trades",
            {
                "symbol": "$request.path.symbol",
                "from_id": "$response.body#/data/0/aggregate_id",
            },
        ),
    },
    ("/data/trades/{symbol}", "get"): {
        "NextPage": (
            "get_trades",
            {
                "symbol": "$request.path.symbol",
                "cursor": "$response.body#/data/0/aggregate_id",
            },
        ),
    },
    ("/data/candles/{symbol}", "get"): {
        "NextCandles": (
            "get_candles",
            {
                "symbol": "$request.path.symbol",
                "timeframe": "$request.query.timeframe",
                "cursor": "$response.body#/data/0/candle_time",
            },
        ),
    },
}
"""What a client does with a reply: the operation that it goes on to, and with which values."""
CONFIG = """
# All but "missing_deserializer": a table is nothing that a schema could describe.
warnings = ["missing_auth", "missing_test_data", "validation_mismatch", "method_not_allowed"]

[[operations]]
include-operation-id = ["get_trades", "get_candles"]
# That start_time is not after end_time stands in the description; no schema can say it.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "503"]
"""


def linked() -> dict[str, Any]:
    """The document with its links."""
    document: dict[str, Any] = json.loads((ROOT / "generated" / "openapi.json").read_bytes())
    for (path, method), links in LINKS.items():
        document["paths"][path][method]["responses"]["200"]["links"] = {
            name: {"operationId": operation, "parameters": parameters}
            for name, (operation, parameters) in links.items()
        }
    return document


def test_no_phase_of_schemathesis_finds_anything(base_url: str, tmp_path: Path) -> None:
    document, config = tmp_path / "openapi.json", tmp_path / "schemathesis.toml"
    document.write_text(json.dumps(linked()), "utf-8")
    config.write_text(CONFIG, "utf-8")
    finished = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(config), "run", str(document)),
            *("--url", f"{base_url}/api/v1", "--checks", "all", "--mode", "all"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES),
            *("--generation-deterministic", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "No issues found" in finished.stdout
    assert "✅ Stateful" in finished.stdout, finished.stdout
