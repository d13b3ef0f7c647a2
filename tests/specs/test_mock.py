"""The mock answers from the examples of any document, and sends nothing that is not in it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from asyncapi_server import Contract, Document, load_document
from asyncapi_server.__main__ import main
from asyncapi_server.contract_tests import Report, Rules
from asyncapi_server.contract_tests import run as run_contract_tests
from asyncapi_server.mock.server import Mock
from asyncapi_server.validation import validator
from support.mocking import mocked
from support.rooms import ask, receive

ROOT = Path(__file__).parents[2]
STREAM = ROOT / "specs" / "stream.asyncapi.yaml"
KRAKEN = ROOT / "specs" / "kraken" / "public.asyncapi.yaml"
SUBSCRIBE_DOGE = {
    "action": "subscribe",
    "subscriptions": [{"symbol": "DOGEUSDT", "timeframes": [{"timeframe": 7}]}],
}


def example(document: Document, message: str, name: str) -> Any:
    """A written example of a message that the server sends."""
    (channel,) = document.channels.values()
    (found,) = (m for m in channel.sends if m.name == message)
    return next(e.payload for e in found.examples if e.name == name)


async def test_a_request_is_answered_by_the_example_of_its_reply_with_its_own_id() -> None:
    expected = example(load_document(STREAM), "subscription_result", "all")
    async with mocked(STREAM) as session, session.connect() as ws:
        request = {
            "action": "subscribe",
            "request_id": "mine",
            "subscriptions": [{"symbol": "BTCUSDT", "timeframes": [{"timeframe": 173}]}],
        }
        assert await ask(ws, request) == {**expected, "request_id": "mine"}
        del request["request_id"]
        assert await ask(ws, request) == expected


async def test_of_several_examples_the_one_that_shares_most_with_the_request_answers() -> None:
    document = load_document(STREAM)
    some = example(document, "subscription_result", "some")
    del some["request_id"]
    async with mocked(STREAM) as session, session.connect() as ws:
        assert await ask(ws, SUBSCRIBE_DOGE) == some
        answer = await ask(ws, {"action": "ping"})
        assert answer == example(document, "pong", "timed")


async def test_a_refusal_answers_a_request_that_is_like_its_example(tmp_path: Path) -> None:
    shutil.copytree(STREAM.parent, tmp_path, dirs_exist_ok=True)
    bounds = tmp_path / "schemas" / "timeframe.yaml"
    bounds.write_text(bounds.read_text().replace("maximum: 525600", "maximum: 600000"))
    async with mocked(tmp_path / STREAM.name) as session, session.connect() as ws:
        timeframes = [{"timeframe": 600000}]
        request = {
            "action": "subscribe",
            "request_id": "long",
            "subscriptions": [{"symbol": "BTCUSDT", "timeframes": timeframes}],
        }
        refused = example(load_document(STREAM), "error", "too_long")
        assert await ask(ws, request) == {**refused, "request_id": "long"}
        timeframes[0]["timeframe"] = 15
        assert (await ask(ws, request))["type"] == "subscription_result"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "INVALID"),
        ({"action": "dance"}, "INVALID"),
        ({"action": "subscribe", "subscriptions": []}, "INVALID_SUBSCRIPTION"),
    ],
)
async def test_a_faulty_message_is_answered_by_an_error_of_the_document(
    message: object, code: str
) -> None:
    async with mocked(STREAM) as session, session.connect() as ws:
        answer = await ask(ws, message)
        assert answer["type"] == "error"
        assert answer["error_code"].startswith(code)
        assert (await ask(ws, {"action": "ping"}))["type"] == "pong", "the connection lives on"


async def test_a_message_is_sent_to_everyone_when_it_is_asked_for() -> None:
    document = load_document(STREAM)
    async with mocked(STREAM) as session, session.connect() as one, session.connect() as two:
        await ask(one, {"action": "ping"})
        await ask(two, {"action": "ping"})
        assert await session.post("heartbeat") == (200, {"connections": 2})
        five = example(document, "heartbeat", "five")
        assert await receive(one) == await receive(two) == five
        own = {**five, "connections_count": 7}
        assert await session.post("heartbeat", own) == (200, {"connections": 2})
        assert await receive(one) == own
        names = ("complete", "loading", "partial", "complete")
        for name in names:
            await session.post("ohlcv_update")
            assert await receive(one) == example(document, "ohlcv_update", name)


async def test_what_the_document_does_not_allow_is_not_sent() -> None:
    async with mocked(STREAM) as session, session.connect() as ws:
        status, answer = await session.post("heartbeat", {"type": "heartbeat", "timestamp": -1})
        assert status == 422
        assert "/timestamp" in answer["error"]
        assert "connections_count" in answer["error"]
        status, answer = await session.post("subscribe")
        assert status == 422
        assert "ohlcv_update" in answer["error"], "names what can be sent"
        assert (await ask(ws, {"action": "ping"}))["type"] == "pong"


async def test_messages_come_by_schedule() -> None:
    async with mocked(STREAM) as session, session.connect() as ws:
        await ask(ws, {"action": "ping"})
        task = asyncio.create_task(session.mock.repeat(0.01, ["heartbeat", "ohlcv_update"]))
        types = [(await receive(ws))["type"] for _ in range(4)]
        task.cancel()
        assert types == ["heartbeat", "ohlcv_update"] * 2


async def test_the_path_of_a_server_stands_before_the_address() -> None:
    async with mocked(KRAKEN, server="publicLocal") as session, session.connect("/kraken") as ws:
        answer = await ask(ws, {"event": "ping", "reqid": 5})
        assert answer == {"event": "pong", "reqid": 5}


def test_a_message_without_an_example_that_fits_gets_one_of_its_schema(tmp_path: Path) -> None:
    document = yaml.safe_load(STREAM.read_text("utf-8"))
    for name in ("error", "heartbeat", "subscription_result"):
        document["components"]["messages"][name]["examples"] = [{"payload": {"type": "nonsense"}}]
    (tmp_path / "schemas").symlink_to(STREAM.parent / "schemas")
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    loaded = load_document(path)
    mock = Mock(loaded)
    (channel,) = Contract.from_document(loaded).channels.values()
    for message in channel.sends:
        for sample in mock._lines["/ws/stream"].samples.of(message.name):
            assert validator(message.schema).is_valid(sample.payload)
            assert isinstance(sample.payload, dict)
            assert sample.payload["type"] == message.name


def test_the_contract_tests_find_nothing_undocumented() -> None:
    async def work() -> Report:
        async with mocked(STREAM) as session:
            url = session.url + session.mock.paths[0]
            rules = Rules(connections=2, errors=frozenset({"error"}))
            return await asyncio.to_thread(
                run_contract_tests, STREAM, url, messages=200, rules=rules
            )

    report = asyncio.run(work())
    assert report.tally.messages >= 200
    assert not report.violations, str(report)


async def test_the_command_serves_and_says_where() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asyncapi_server", "mock", str(STREAM), "--port", "0"),
        *("--every", "0.05", "heartbeat"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        url = line.removeprefix("serves ").strip()
        async with ClientSession() as client, client.ws_connect(url) as ws:
            assert (await receive(ws))["type"] == "heartbeat"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["missing.yaml"], "No such file"),
        ([str(STREAM), "--server", "moon"], "known: local"),
        ([str(STREAM), "--every", "0", "heartbeat"], "seconds"),
        ([str(STREAM), "--every", "nan", "heartbeat"], "seconds"),
        ([str(STREAM), "--every", "1", "subscribe"], "known: subscription_result"),
    ],
)
def test_the_command_says_what_is_wrong(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mock", *options]) == 1
    assert says in capsys.readouterr().err
