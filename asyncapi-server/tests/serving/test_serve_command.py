"""The command `serve`: a document on a port, by classes that the command line names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from asyncapi_server.__main__ import main

EXAMPLES = Path(__file__).parents[2] / "examples"
CHAT = EXAMPLES / "chat.asyncapi.yaml"
TWO = """\
asyncapi: 3.0.0
info: {title: Two channels, version: 1.0.0}
servers:
  main: {host: 'example.org', pathname: /v2, protocol: ws}
channels:
  left: {address: /left, messages: {go: {payload: {const: go}}}}
  right: {address: '/right/{door}', messages: {go: {payload: {const: go}}}, parameters: {door: {}}}
operations:
  left: {action: receive, channel: {$ref: '#/channels/left'}}
  right: {action: receive, channel: {$ref: '#/channels/right'}}
"""
HANDLERS = """\
class Left:
    async def on_go(self, client, message):
        return "nothing names this"

class Right:
    def __init__(self, *, unused=None):
        pass

    async def on_go(self, client, message):
        pass

    async def on_stop(self, client, message):
        pass

    def error(self, fault):
        return {"wrong": fault.text}

both = Left()
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    (tmp_path / "two.yaml").write_text(TWO)
    (tmp_path / "made.py").write_text(HANDLERS)
    return tmp_path


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """Run the command; yields the lines that it prints when it serves, and its process."""
    command = [sys.executable, "-m", "asyncapi_server", "serve", *words, "--port", "0"]
    channels = sum("=" in word for word in words) or 1
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield [process.stdout.readline().strip() for _ in range(channels)], process
    finally:
        process.kill()
        process.communicate()


async def ask(url: str, message: object) -> object:
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        await ws.send_json(message)
        return json.loads(await ws.receive_str(timeout=10))


async def test_a_class_with_a_hub_answers_and_makes_the_error_message() -> None:
    with serving(EXAMPLES, CHAT.name, "handlers:Chat") as ([line], _):
        url = line.removeprefix("serves ")
        joined = await ask(url, {"type": "join", "room": "lobby", "id": 5})
        assert joined == {"type": "joined", "room": "lobby", "people": 1, "id": 5}
        refused = await ask(url, {"type": "join", "room": "LOBBY"})
        assert isinstance(refused, dict)
        assert refused["type"] == "error"


async def test_it_says_goodbye_when_it_is_terminated() -> None:
    with serving(EXAMPLES, CHAT.name, "handlers:Chat") as ([line], process):
        url = line.removeprefix("serves ")
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
            process.send_signal(signal.SIGTERM)
            closed = await ws.receive(timeout=10)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert process.wait(10) == 0


async def test_each_channel_has_its_class(two: Path) -> None:
    words = ("two.yaml", "/left=made:Left", "/right/{door}=made:both", "--server", "main")
    with serving(two, *words) as (lines, _):
        assert [line.partition("/v2")[2] for line in lines] == ["/left", "/right/{door}"]
        url = lines[1].removeprefix("serves ").replace("{door}", "7")
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
            assert not ws.closed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["made:Left"], "name the channel of these handlers: /left=made:Left"),
        (["/left=made:Left"], "no handlers for /right/{door}"),
        (["/up=made:Left"], "no channel '/up'; known: /left, /right/{door}"),
        (["/left=made"], "handlers are named MODULE:CLASS"),
        (["/left=nowhere:Left"], "No module named 'nowhere'"),
        (["/left=made:Up"], "has no attribute 'Up'"),
        (["/left=made:Left", "/right/{door}=made:Right"], "the handler 'on_stop' has no message"),
        (["/left=made:Left", "/right/{door}=made:both", "--server", "x"], "known: main"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    two: Path,
    words: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(two)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "made", raising=False)
    assert main(["serve", "two.yaml", *words]) == 1
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1


def test_a_port_that_cannot_be_had_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    words = [str(CHAT), "examples.handlers:Chat", "--host", "192.0.2.1"]
    assert main(["serve", *words]) == 1
    assert "192.0.2.1" in capsys.readouterr().err
