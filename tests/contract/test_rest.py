"""The REST document against the running server, in all phases of schemathesis."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = "40"
"""Generated requests of each operation and phase."""
READY_SECONDS = 120.0
CONFIG = """
# All but "missing_deserializer": a table is nothing that a schema could describe.
warnings = ["missing_auth", "missing_test_data", "validation_mismatch", "method_not_allowed"]

[[operations]]
include-operation-id = ["get_trades", "get_candles"]
# That start_time is not after end_time stands in the description; no schema can say it.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "503"]

[[operations]]
include-operation-id = ["get_candle_file", "get_trade_file"]
# No whole day of the server's history has ended: tests/e2e/test_files.py has days.
warnings = ["missing_auth", "method_not_allowed"]

[[operations]]
include-operation-id = ["submit_job"]
# It would load years of history: tests/e2e/test_jobs.py asks for jobs.
enabled = false

[[operations]]
include-operation-id = ["get_job", "cancel_job"]
# So there is no job.
warnings = ["missing_auth", "method_not_allowed"]
"""


BINANCE_CONFIG = """
warnings = ["missing_auth", "missing_test_data", "method_not_allowed"]

[[operations]]
exclude-operation-id = ["ping", "get_time", "get_usd_futures_info", "get_coin_futures_info"]
# Which symbols there are, and that parameters exclude each other, no schema can say: most that is
# generated is refused, which is no mismatch to warn of.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "431", "503"]
# A text of many bytes to the character makes the request line too long.
[operations.checks.negative_data_rejection]
expected-statuses = ["400", "431"]
# The history of three hours has no whole week or month, and no 24 hours.
[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", "503"]
"""

UDF_CONFIG = """
warnings = ["missing_auth", "missing_test_data", "method_not_allowed"]

[[operations]]
include-operation-id = ["get_symbol", "get_history"]
# Which symbols there are, and how long a year is, no schema can say: most that is generated is
# refused, which is no mismatch to warn of. A history may have no whole bar of a resolution yet.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "503"]
[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", "503"]
"""

KRAKEN_CONFIG = """
warnings = ["missing_auth", "missing_test_data", "validation_mismatch", "method_not_allowed"]

[[operations]]
include-operation-id = ["get_asset_pairs"]
# A text of many bytes to the character makes the request line too long.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "431"]
"""
REFUSALS = ("negative_data_rejection", "unsupported_method", "ignored_auth")
"""Checks of statuses: Kraken refuses with the status 200, and says so in the body."""


def examine(document: str, base: str, config: str, folder: Path, *, without: str = "") -> str:
    """Run schemathesis for a document at a base URL and return its report; it must find nothing."""
    (folder / "schemathesis.toml").write_text(config, "utf-8")
    finished = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(folder / "schemathesis.toml"), "run", document),
            *("--url", base, "--checks", "all", "--mode", "all"),
            *(("--exclude-checks", without) if without else ()),
            *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES),
            *("--generation-deterministic", "--no-color"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "No issues found" in finished.stdout, finished.stdout
    return finished.stdout


def until_ready(base_url: str) -> None:
    """Wait until all symbols are complete."""
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{base_url}/api/v1/monitoring/ready"):
                return
        except urllib.error.HTTPError as error:
            if time.monotonic() > until:
                raise AssertionError(error.read()) from error
        time.sleep(0.2)


def test_no_phase_of_schemathesis_finds_anything(base_url: str, tmp_path: Path) -> None:
    until_ready(base_url)  # before that tables get 503, which is no success
    document = f"{base_url}/bundles/openapi.json"
    report = examine(document, f"{base_url}/api/v1", CONFIG, tmp_path)
    assert "✅ Stateful" in report, report


def test_no_phase_finds_anything_in_binances_document(base_url: str, tmp_path: Path) -> None:
    until_ready(base_url)  # before that it answers 503, which is no success
    examine(f"{base_url}/bundles/binance.openapi.json", base_url, BINANCE_CONFIG, tmp_path)


def test_no_phase_finds_anything_in_the_universal_data_feeds_document(
    base_url: str, tmp_path: Path
) -> None:
    until_ready(base_url)
    examine(f"{base_url}/bundles/udf.openapi.json", base_url, UDF_CONFIG, tmp_path)


@pytest.mark.parametrize("base", ["/kraken/0", "/0"])
def test_no_phase_finds_anything_in_krakens_document(
    base_url: str, base: str, tmp_path: Path
) -> None:
    document = f"{base_url}/bundles/kraken.openapi.json"
    examine(document, base_url + base, KRAKEN_CONFIG, tmp_path, without=",".join(REFUSALS))
