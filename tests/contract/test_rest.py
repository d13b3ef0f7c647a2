"""The REST document against the running server, by schemathesis, in all of its phases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = "40"
"""Generated requests of each operation and phase."""
CONFIG = """
# All but "missing_deserializer": a table is nothing that a schema could describe.
warnings = ["missing_auth", "missing_test_data", "validation_mismatch", "method_not_allowed"]

[[operations]]
include-operation-id = ["get_trades", "get_candles"]
# That start_time is not after end_time stands in the description; no schema can say it.
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "503"]
"""


def test_no_phase_of_schemathesis_finds_anything(base_url: str, tmp_path: Path) -> None:
    document, config = f"{base_url}/bundles/openapi.json", tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, "utf-8")
    finished = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(config), "run", document),
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
    assert "No issues found" in finished.stdout, finished.stdout
    assert "✅ Stateful" in finished.stdout, finished.stdout
