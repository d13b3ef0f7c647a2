"""The command `new` writes a server that runs at once and keeps to its document."""

from __future__ import annotations

import argparse
import asyncio
import functools
import re
import runpy
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from asyncapi_server import Endpoint, EndpointSettings
from asyncapi_server.contract_tests import Rules
from asyncapi_server.contract_tests.campaign import run_all
from asyncapi_server.generate.starter import command
from asyncapi_server.generate.starter.source import PORT, starter
from generate.documents import Case, each_document
from generate.talk import document
from support.campaigns import beside
from support.rooms import DOCUMENTS

RULES = Rules(reply_seconds=5.0, connections=1, listen_seconds=0.0)
FAST = EndpointSettings(messages_per_second=10_000, message_burst=100_000)
TESTED = ("rooms_3.1.yaml", "pingpong_2.6.yaml", "market_2.6.yaml", "suite/chat-rooms-3.0.yaml")


def new(*words: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


@each_document
def test_a_server_of_each_document_starts(case: Case, tmp_path: Path) -> None:
    served = document(case)
    file = tmp_path / "server.py"
    words = ("--as", "client") if case.as_client else ()
    assert new(case.path, "--to", file, *words) == (0 if served.channels else 1)
    if served.channels:
        app = runpy.run_path(str(file))["app"]
        assert len(app.router.resources()) == len(served.channels)


@pytest.mark.parametrize("name", TESTED)
async def test_a_first_server_passes_the_contract_tests(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncapi_server.Endpoint", functools.partial(Endpoint, settings=FAST))
    path, file = DOCUMENTS / name, tmp_path / "server.py"
    assert new(path, "--to", file) == 0
    runner = web.AppRunner(runpy.run_path(str(file))["app"], shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        reports = await beside(run_all, path, url, messages=20, rules=RULES)
    finally:
        await runner.cleanup()
    assert all(report.violations == () for report in reports.values()), reports


async def test_it_runs_as_a_program(tmp_path: Path) -> None:
    file = tmp_path / "server.py"
    new(DOCUMENTS / "rooms_3.1.yaml", "--to", file)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file.write_text(file.read_text().replace(f"port={PORT}", f"port={port}"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(file), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 10)  # it says where it runs
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{port}/rooms") as client,
        ):
            await client.send_str('{"action": "join", "rooms": [1], "request_id": "a"}')
            answer = await client.receive_json(timeout=5)
            assert answer == {"type": "joined", "rooms": [1, 2], "request_id": "a"}
            await client.send_str("junk")
            assert "not JSON" in (await client.receive_json(timeout=5))["text"]
    finally:
        process.terminate()
        await process.wait()


def test_it_is_short_and_uses_the_public_api_alone() -> None:
    source = starter(document(Case(DOCUMENTS / "pingpong_3.1.yaml")), "pingpong_3.1.yaml")
    lines = [line for line in source.splitlines() if line and not re.match(r"\s*(#|\"\"\")", line)]
    assert len(lines) <= 20
    imported = re.findall(r"^(?:from|import) (\S+)", source, re.MULTILINE)
    assert imported == ["pathlib", "aiohttp", "asyncapi_server"]


def test_a_file_that_is_there_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "server.py"
    file.write_text("mine = 1\n")
    assert new(DOCUMENTS / "rooms_3.1.yaml", "--to", file) == 1
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine = 1\n"
    assert new(DOCUMENTS / "absent.yaml", "--to", tmp_path / "other.py") == 1
    assert not (tmp_path / "other.py").exists()


def test_the_document_is_found_from_wherever_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DOCUMENTS / "pingpong_3.1.yaml"
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "it's.yaml").write_bytes(source.read_bytes())
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    assert new("specs/it's.yaml", "--to", "src/server.py") == 0
    monkeypatch.chdir("/")
    assert runpy.run_path(str(tmp_path / "src" / "server.py"))["contract"].channels
