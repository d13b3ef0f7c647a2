"""The real server in a process of its own, without effective rate limits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "PORT": "0",
    "MESSAGES_PER_SECOND": "100000",
    "MESSAGE_BURST": "100000",
    "WEBSOCKETS_PER_IP": "1000",
    "REQUESTS_PER_MINUTE": "1000000",
    "REQUEST_BURST": "1000000",
    "KRAKEN": "yes",
}
READY = "Candlecast serves "


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server that runs on its simulator."""
    folder = tmp_path_factory.mktemp("server")
    ours = {**SETTINGS, "STORE": f"chdb:///{folder}/db"}
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve"],
        cwd=ROOT,
        env={**os.environ, **{f"CANDLECAST_{name}": value for name, value in ours.items()}},
        stdout=subprocess.PIPE,
        stderr=log,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert line.startswith(READY), (folder / "log").read_text()
        yield line.removeprefix(READY).strip()
        logged = (folder / "log").read_text()
        assert process.poll() is None, logged
        assert "Traceback" not in logged, logged
    finally:
        process.terminate()
        process.communicate()
        log.close()
