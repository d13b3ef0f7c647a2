"""Every kind of violation is found; a server that keeps to its document passes."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from asyncapi_server import EndpointSettings
from asyncapi_server.__main__ import main
from asyncapi_server.contract_tests import ContractViolation, Marker, Report, Rules, run
from asyncapi_server.contract_tests.violations import (
    ConnectionClosed,
    MarkedReply,
    NoReply,
    NotAlive,
    NotCorrelated,
    UnexpectedMessage,
    WrongReply,
)
from support.campaigns import ONE_LOOP, beside
from support.echo import DOCUMENT, Dict, Echo, serving
from support.rooms import DOCUMENTS, rooms_app

pytestmark = ONE_LOOP

QUICK = Rules(reply_seconds=0.3, listen_seconds=0.0)
LENIENT = Rules(reply_seconds=20.0, listen_seconds=0.0)


async def report_of(
    service: type[Echo], rules: Rules = QUICK, *, messages: int = 120, autoping: bool = True
) -> Report:
    async with serving(service, autoping=autoping) as url:
        return await beside(run, DOCUMENT, url, messages=messages, rules=rules)


async def test_a_server_that_keeps_to_its_document_passes() -> None:
    report = await report_of(Echo, LENIENT, messages=400)
    assert report.violations == ()
    tally = report.tally
    assert tally.messages >= 400
    assert {kind for kind, _ in tally.sent} == {"valid", "near miss", "garbage"}
    assert tally.sent.total() == tally.answers.total()
    assert {reply for kind, _, reply in tally.answers if kind == "valid"} == {"said", "counted"}
    assert {reply for kind, _, reply in tally.answers if kind != "valid"} == {"error"}


async def test_every_constraint_of_a_request_is_violated() -> None:
    tally = (await report_of(Echo, LENIENT, messages=1)).tally
    assert tally.connections == LENIENT.connections
    sites = tally.sites
    for keyword in ("minLength", "maxLength", "pattern", "type (integer)"):
        assert sites[f"say/text {keyword}"]
    for keyword in ("minimum", "maximum", "type (fraction)", "type (string)"):
        assert sites[f"say/times {keyword}"]
    for site in ("required do", "required text", "additionalProperties", "type (array)"):
        assert sites[f"say {site}"]
    assert sites["say/do enum"]


class Mute(Echo):
    async def answer(self, answer: Dict) -> None:
        if answer["is"] != "counted":
            await super().answer(answer)


class Lax(Echo):
    """Takes any text, whatever its length."""

    def takes(self, name: str, judge: Any, request: Any) -> bool:
        lax = isinstance(request, dict) and request.get("do") == name == "say"
        text = request.get("text") if isinstance(request, dict) else None
        if lax and isinstance(text, str) and text.isascii() and text.islower():
            return super().takes(name, judge, {**request, "text": text[:8] or "x"})
        return super().takes(name, judge, request)


class Vague(Echo):
    def reply(self, name: str, request: Dict) -> Dict:
        return {**super().reply(name, request), "is": "something"}


class Sloppy(Echo):
    def reply(self, name: str, request: Dict) -> Dict:
        answer = super().reply(name, request)
        return {**answer, "number": str(answer["number"])} if "number" in answer else answer


class Confused(Echo):
    def reply(self, name: str, request: Dict) -> Dict:
        return {"is": "said", "text": "what?"}


class Forgetful(Echo):
    def correlated(self, request: Any, answer: Dict) -> Dict:
        return answer


class Mistaken(Echo):
    def correlated(self, request: Any, answer: Dict) -> Dict:
        return {**answer, "id": 1}


class Rude(Echo):
    async def message(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            await self.ws.close(code=1003)
        else:
            await super().message(data)


class Talkative(Echo):
    async def answer(self, answer: Dict) -> None:
        await super().answer(answer)
        if answer["is"] == "said":
            await super().answer(answer)


class Binary(Echo):
    async def answer(self, answer: Dict) -> None:
        await self.ws.send_bytes(b"{}")


class Broken(Echo):
    def reply(self, name: str, request: Dict) -> Dict:
        return {"is": "error", "code": "CRASH"}


@pytest.mark.parametrize(
    ("service", "violation"),
    [
        (Mute, NoReply),
        (Lax, WrongReply),
        (Vague, UnexpectedMessage),
        (Sloppy, UnexpectedMessage),
        (Confused, WrongReply),
        (Forgetful, NotCorrelated),
        (Mistaken, NotCorrelated),
        (Rude, ConnectionClosed),
        (Talkative, WrongReply),
        (Binary, UnexpectedMessage),
    ],
)
async def test_a_broken_promise_is_found(
    service: type[Echo], violation: type[ContractViolation]
) -> None:
    report = await report_of(service, QUICK if service is Mute else LENIENT)
    assert violation in {type(found) for found in report.violations}
    assert all(found.transcript for found in report.violations)


async def test_an_answer_that_the_rules_rule_out_is_found() -> None:
    marker = Marker("/code", "CRASH")
    assert not (await report_of(Broken, LENIENT)).violations
    report = await report_of(Broken, replace(LENIENT, never=(marker,)))
    assert {type(found) for found in report.violations} == {MarkedReply}
    report = await report_of(Broken, replace(LENIENT, only_to_invalid=(marker,)))
    assert {type(found) for found in report.violations} == {MarkedReply}


async def test_a_request_may_be_answered_several_times_when_the_rules_say_so() -> None:
    rules = replace(LENIENT, several=frozenset({"say"}))
    assert (await report_of(Talkative, rules, messages=300)).violations == ()


async def test_a_connection_that_does_not_answer_pings_is_found() -> None:
    report = await report_of(Echo, replace(QUICK, reply_seconds=0.1), autoping=False)
    assert NotAlive in {type(found) for found in report.violations}


async def test_a_server_that_is_not_there_is_found() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}/echo"
        report = await beside(run, DOCUMENT, url, rules=QUICK)
    assert {type(found) for found in report.violations} == {ConnectionClosed}


class Tired(Echo):
    """Fails at the third text in a row, which no single message shows."""

    in_a_row = 0

    def reply(self, name: str, request: Dict) -> Dict:
        self.in_a_row = self.in_a_row + 1 if name == "say" else 0
        if self.in_a_row >= 3:
            return {"is": "tired"}
        return super().reply(name, request)

    def error(self, request: Any) -> Dict:
        self.in_a_row = 0
        return super().error(request)


async def test_what_only_a_sequence_shows_is_found_and_shortened() -> None:
    report = await report_of(Tired, LENIENT, messages=3000)
    (found,) = report.violations
    assert type(found) is UnexpectedMessage
    sent = [line for line in found.transcript if line.startswith(">")]
    assert len(sent) == 3
    assert all(line.startswith("> valid say: ") for line in sent)


async def test_the_same_seed_sends_the_same_messages() -> None:
    async def tally(seed: int) -> Any:
        async with serving(Echo) as url:
            report = await beside(run, DOCUMENT, url, messages=300, random_seed=seed, rules=LENIENT)
        return report.tally.sent, report.tally.sites

    assert await tally(1) == await tally(1)
    assert await tally(1) != await tally(2)


@pytest.mark.asyncio  # on both event loops
async def test_what_the_router_serves_passes() -> None:
    settings = EndpointSettings(messages_per_second=1e6, message_burst=1_000_000)
    rules = replace(LENIENT, never=(Marker("/code", "HANDLER_FAILED"),))
    async with rooms_app(settings) as app:
        url = app.url.replace("http", "ws", 1)
        document = DOCUMENTS / "rooms_3.1.yaml"
        report = await beside(run, document, url, messages=400, rules=rules)
    assert report.violations == ()
    assert report.tally.answers["valid", "join", "joined"]


async def test_the_command_reports_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--messages", "100", "--reply-seconds", "5"]
    async with serving(Echo) as url:
        good = await beside(main, ["test", str(DOCUMENT), "--url", url, *options])
    output = capsys.readouterr().out
    assert good == 0
    assert "say" in output
    assert "0 violations" in output
    async with serving(Vague) as url:
        bad = await beside(main, ["test", str(DOCUMENT), "--url", url, *options])
    output = capsys.readouterr().out
    assert bad == 1
    assert "UnexpectedMessage" in output
    assert '> valid count: {"do": "count"}' in output


async def test_the_command_says_when_there_is_nothing_to_test(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["none.yaml"], [str(DOCUMENT), "--address", "/none"]):
        code = await beside(main, ["test", *arguments, "--url", "ws://127.0.0.1:1/"])
        assert code == 2
        assert capsys.readouterr().err


async def test_a_report_for_ci_has_the_shortest_sequence(tmp_path: Path) -> None:
    found: dict[str, str] = {}
    async with serving(Vague) as url:
        for form in ("json", "junit"):
            file = tmp_path / form
            words = ["test", str(DOCUMENT), "--url", url, "--messages", "50", "--format", form]
            code = await beside(main, [*words, "--report", str(file)])
            assert code == 1
            found[form] = file.read_text("utf-8")
    (channel,) = json.loads(found["json"])["channels"]
    violations = channel["violations"]
    assert {violation["kind"] for violation in violations} == {"UnexpectedMessage"}
    sent = '> valid count: {"do": "count"}'
    assert any(sent in violation["transcript"] for violation in violations)
    (suite,) = ElementTree.fromstring(found["junit"])
    failures = [failure.text or "" for failure in suite.iter("failure")]
    assert len(failures) == int(suite.attrib["failures"]) == len(violations)
    assert any(sent in text for text in failures)
