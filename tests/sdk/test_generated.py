"""The clients are generated from the documents, and the Python one can be installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncapi_server import Rule, check
from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.projection import client_projection
from scripts.sdk import FOLDERS, main
from scripts.tree import differences, write
from tests.sdk.tools import PYTHON_CLIENT, ROOT, node


def test_what_is_generated_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_node = node() is None
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["sdk", "--check"])
    assert main() == 0, capsys.readouterr().err
    if without_node:
        pytest.skip("Node or its packages are absent: the TypeScript part was not compared")


def test_a_stale_missing_or_foreign_file_is_named_and_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("fresh.json", "stale.json", "missing.json")
    fresh, stale, missing = (FOLDERS[0] / name for name in names)
    foreign = FOLDERS[0] / "foreign.json"
    files = {path: path.name for path in (fresh, stale, missing)}
    write(FOLDERS[:1], files)
    stale.write_text("stale")
    missing.unlink()
    foreign.write_text("foreign")
    assert differences(FOLDERS[:1], files) == [foreign, missing, stale]
    assert write(FOLDERS[:1], files) == [foreign, missing, stale]
    assert differences(FOLDERS[:1], files) == []


def test_the_projection_is_a_sound_document_from_the_other_side(tmp_path: Path) -> None:
    bundle = Bundle(STREAM)
    path = tmp_path / "client.json"
    path.write_text(json.dumps(client_projection(bundle)))
    # The server's messages are requests from there, of which few have an answer.
    assert {finding.rule for finding in check(path)} <= {Rule.ANSWER}
    server, client = json.loads(json.dumps(bundle.document)), json.loads(path.read_text())
    assert client["operations"].keys() == server["operations"].keys()
    for name, operation in server["operations"].items():
        mirrored = client["operations"][name]
        assert {operation["action"], mirrored["action"]} == {"send", "receive"}
        assert messages(client, mirrored) == named(operation["messages"])
        if "reply" in operation:
            assert messages(client, mirrored["reply"]) == named(operation["reply"]["messages"])


def messages(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The messages of an operation's channel object, which has the one address."""
    channel = document["channels"][operation["channel"]["$ref"].rsplit("/", 1)[1]]
    assert channel["address"] == "/ws/stream"
    return set(channel["messages"])


def named(references: list[dict[str, str]]) -> set[str]:
    """The names at the ends of references."""
    return {reference["$ref"].rsplit("/", 1)[1] for reference in references}


def test_every_operation_is_a_method_of_the_python_client() -> None:
    from candlecast_client import RestClient

    wanted = {
        operation["operationId"]
        for item in json.loads(json.dumps(Bundle(REST).document["paths"])).values()
        for method, operation in item.items()
        if method in ("get", "post")
        and "application/json" in operation["responses"]["200"]["content"]  # files are no models
    }
    assert wanted <= set(dir(RestClient))


def test_the_package_works_where_it_is_installed(tmp_path: Path) -> None:
    build = ["uv", "build", "--offline", "--quiet", "--wheel", "--out-dir", str(tmp_path)]
    uv = [sys.executable, "-m", *build]
    subprocess.run([*uv, str(PYTHON_CLIENT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "home"
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(home)]
    subprocess.run([sys.executable, "-m", *install, str(wheel)], check=True, capture_output=True)
    assert (home / "candlecast_client" / "py.typed").exists()
    source = (
        f"import sys; sys.path.insert(0, {str(home)!r});"
        "import candlecast_client; print(candlecast_client.__file__)"
    )
    command = [sys.executable, "-I", "-c", source]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(str(home))
