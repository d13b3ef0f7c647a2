"""The generators and linters that the guide names, on the bundles that the server serves."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from functools import cache
from pathlib import Path

import pytest

from tests.contract.conftest import base_url

__all__ = ["base_url"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GUIDE = ROOT / "docs" / "guides" / "generators.md"
BUNDLES = (
    "openapi.json",
    "stream.asyncapi.json",
    "stream.client.asyncapi.json",
    "kraken.openapi.json",
    "kraken.public.asyncapi.json",
    "kraken.private.asyncapi.json",
)
SERVED = "localhost:8080"
PYTHON = ".venv/bin/python"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


@cache
def node_tools() -> Path | None:
    """The folder of the programs from npm; None when they cannot be installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    tools = HERE / "node_modules" / ".bin"
    with (HERE / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the tests may run in several processes
        if not (HERE / "node_modules" / ".package-lock.json").exists():
            subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=HERE, check=False)
    return tools if tools.exists() else None


@pytest.fixture
def folder(base_url: str, tmp_path: Path) -> Path:
    """A folder with the served bundles."""
    for name in BUNDLES:
        with urllib.request.urlopen(f"{base_url}/bundles/{name}") as answer:
            (tmp_path / name).write_bytes(answer.read())
    for config in ("redocly.yaml", "spectral.yaml"):
        shutil.copy(HERE / config, tmp_path)
    return tmp_path


def run(folder: Path, program: str, host: str = SERVED) -> None:
    """Run the commands of the guide that start with this program, as written."""
    tools = node_tools()
    paths = [str(Path(sys.executable).parent), *([str(tools)] if tools else []), os.environ["PATH"]]
    environment = {**os.environ, **QUIET, "PATH": os.pathsep.join(paths)}
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if re.match(rf"(npx )?{re.escape(program)} ", line)]
    assert commands, f"the guide does not name {program}"
    for command in commands:
        done = subprocess.run(
            command.removeprefix("npx ").replace(SERVED, host).replace(PYTHON, sys.executable),
            shell=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def python(folder: Path, source: str, *arguments: str) -> str:
    """The output of a program that can import the folder's packages."""
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def need_node() -> None:
    if node_tools() is None:
        pytest.skip("no Node, or its tools cannot be installed (npm ci in tests/generators)")


@pytest.mark.parametrize("linter", ["redocly", "spectral"])
def test_linters_find_no_error_in_any_bundle(linter: str, folder: Path) -> None:
    need_node()
    run(folder, linter)


def test_openapi_typescript_gives_types_that_compile(folder: Path) -> None:
    need_node()
    run(folder, "openapi-typescript")
    assert "Candle: {" in (folder / "candlecast.ts").read_text("utf-8")
    run(folder, "tsc")


def test_openapi_python_client_calls_the_server(folder: Path, base_url: str) -> None:
    run(folder, "openapi-python-client")
    printed = python(
        folder,
        "import sys\n"
        "from candlecast_api import Client\n"
        "from candlecast_api.api.tickers import list_tickers\n"
        "answer = list_tickers.sync(client=Client(base_url=sys.argv[1] + '/api/v1'))\n"
        "print([ticker.symbol for ticker in answer.data])\n",
        base_url,
    )
    assert "BTCUSDT" in printed


def test_models_of_datamodel_codegen_read_a_real_answer(folder: Path, base_url: str) -> None:
    run(folder, "datamodel-codegen")
    with urllib.request.urlopen(f"{base_url}/api/v1/tickers/") as answer:
        body = answer.read().decode()
    printed = python(
        folder,
        "import sys\n"
        "from candlecast_models import Candle, TickerListEnvelope\n"
        "print(len(TickerListEnvelope.model_validate_json(sys.argv[1]).data))\n",
        body,
    )
    assert int(printed) == len(json.loads(body)["data"]) > 0


def test_asyncapi_python_gives_packages_with_typed_candles(folder: Path) -> None:
    run(folder, "asyncapi-python-codegen")
    printed = python(
        folder,
        "import candlecast_stream, candlecast_server, kraken_public, kraken_private\n"
        "from candlecast_stream.messages.json import OhlcvUpdate\n"
        "from candlecast_server.messages.json import OhlcvUpdate as Sent\n"
        "from kraken_private.messages.json import SubscribePrivate\n"
        "print(OhlcvUpdate.model_fields['data'].annotation, Sent.model_fields['data'].annotation)",
    )
    assert printed.count("Candle") == 2
    assert "Any" not in printed


@pytest.mark.parametrize("side", ["public", "private"])
def test_the_contract_tests_hold_with_the_options_of_the_guide(base_url: str, side: str) -> None:
    program = f"{PYTHON} -m asyncapi_server test specs/kraken/{side}.asyncapi.yaml"
    run(ROOT, program, base_url.removeprefix("http://"))
