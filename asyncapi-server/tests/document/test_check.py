"""`check` reports every fault of a document with its place, and none in a good one."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from asyncapi_server import Rule, check
from asyncapi_server.__main__ import USAGE, main
from support.rooms import DOCUMENTS

GOOD = [
    "pingpong_2.6.yaml",
    "pingpong_3.1.yaml",
    "rooms_3.1.yaml",
    "market_2.6.yaml",
    "market_3.1.yaml",
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_has_no_findings(name: str) -> None:
    assert check(DOCUMENTS / name) == []


def test_the_faults_of_the_articles_kraken_document_are_all_named() -> None:
    found = check(DOCUMENTS / "kraken_article_2.0.yaml")
    messages, example = "/components/messages", "does not validate"
    reported = {
        (f.place.line, f.place.pointer.removeprefix(messages), f.text, f.rule) for f in found
    }

    def failing(name: str, what: str) -> str:
        return f"this example of {name!r} {example}: {what}"

    status = ' is not one of "online", "maintenance" or 3 other candidates'
    first, second = (
        "/subscriptionStatus/examples/0/payload",
        "/subscriptionStatus/examples/1/payload",
    )
    assert reported == {
        (71, "/ping", "'ping' has no example", Rule.UNILLUSTRATED),
        (71, "/ping", "no reply to 'ping' can report an error: there is only 'pong'", Rule.ANSWER),
        (78, "/heartbeat", "'heartbeat' has no example", Rule.UNILLUSTRATED),
        (78, "/heartbeat", apart("pong", "heartbeat"), Rule.AMBIGUOUS),
        (82, "/pong", "'pong' has no example", Rule.UNILLUSTRATED),
        (87, "/systemStatus", apart("heartbeat", "systemStatus"), Rule.AMBIGUOUS),
        (87, "/systemStatus", apart("pong", "systemStatus"), Rule.AMBIGUOUS),
        (116, "/unsubscribe", "the payload of 'unsubscribe' is that of 'subscribe', so they cannot "
         "be distinguished: give each a constant", Rule.TWIN),
        (143, f"{first}/pair", failing("subscriptionStatus", '"XBT/EUR" is not of type "array"'),
         Rule.EXAMPLE),
        (145, f"{first}/status", failing("subscriptionStatus", f'"unsubscribed"{status}'),
         Rule.EXAMPLE),
        (152, f"{second}/pair", failing("subscriptionStatus", '"XBT/USD" is not of type "array"'),
         Rule.EXAMPLE),
        (153, f"{second}/status", failing("subscriptionStatus", f'"error"{status}'), Rule.EXAMPLE),
        (155, f"{second}/subscription/depth",
         failing("subscriptionStatus", "42 is not one of 10, 25 or 3 other candidates"),
         Rule.EXAMPLE),
        (234, "/components/schemas/unsubscribe",
         "'unsubscribe' of components.schemas is used by nothing", Rule.UNUSED),
    }  # fmt: skip


def apart(one: str, two: str) -> str:
    why = "their /event differs, but neither requires it"
    return f"{one!r} and {two!r} are distinguished by what validates first: {why}"


def edited(tmp_path: Path, name: str, path: list[Any], value: Any) -> list[str]:
    """The report on a good document with one value replaced (or removed, for None)."""
    document = yaml.safe_load((DOCUMENTS / name).read_text())
    at = document
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(document))
    return [f"{finding.place.pointer} {finding.text}" for finding in check(file)]


MESSAGES = ["components", "messages"]
PING = [*MESSAGES, "ping"]


@pytest.mark.parametrize(
    ("name", "path", "value", "finding"),
    [
        ("pingpong_3.1.yaml", ["info", "version"], None, "/info"),
        ("pingpong_2.6.yaml", ["channels", "/", "publish", "massage"], {}, "/channels/~1/publish"),
        ("pingpong_3.1.yaml", [*PING, "payload"], {"$ref": "#/nowhere"}, "leads nowhere"),
        ("pingpong_3.1.yaml", [*PING, "payload"], {"$ref": "none.yaml#/a"}, "No such file"),
        ("pingpong_3.1.yaml", [*PING, "payload"], {"$ref": "http://x.test/a"}, "is remote"),
        ("pingpong_3.1.yaml", [*PING, "payload"], {"$ref": "#/components/messages/ping/payload"},
         "go round in a circle"),
        ("pingpong_3.1.yaml", [*PING, "x-response"], {"$ref": "#/none"}, "'#/none' leads nowhere"),
        ("pingpong_3.1.yaml", [*PING, "x-response"], None, ""),
        ("pingpong_3.1.yaml", [*PING, "x-response"], {"oneOf": []}, "x-response/oneOf [] has less"),
        ("pingpong_3.1.yaml", [*PING, "x-response"], {"$ref": "#/components/messages/pong"},
         "reply names /components/messages/error, x-response does not"),
        ("pingpong_3.1.yaml", [*PING, "x-response", "oneOf", 0, "$ref"],
         "#/components/messages/ping", "which is no message that the server sends"),
        ("pingpong_3.1.yaml", [*PING, "examples", 0, "payload", "id"], "one",
         "/examples/0/payload/id this example"),
        ("pingpong_3.1.yaml", [*PING, "examples"], None, "'ping' has no example"),
        ("pingpong_3.1.yaml", [*PING, "payload", "properties", "id"], {"type": "int"}, "int"),
        ("pingpong_3.1.yaml", [*PING, "payload", "properties", "id"], {"pattern": "("}, "ping"),
        ("pingpong_3.1.yaml", [*PING, "payload"],
         {"schemaFormat": "application/vnd.apache.avro;version=1.9.0",
          "schema": {"type": "string"}}, "cannot be validated"),
        ("pingpong_3.1.yaml", [*MESSAGES, "error", "payload", "properties", "event"],
         {"const": "pong"}, "'pong' and 'error' are distinguished by what validates first"),
        ("pingpong_3.1.yaml", ["operations", "answer", "messages", 0, "$ref"],
         "#/components/messages/ping", "'ping' is not a message of the channel 'root': refer to"),
        ("pingpong_3.1.yaml", ["channels", "root", "address"], None, "'root' has no address"),
        ("pingpong_3.1.yaml", ["channels", "root", "address"], "/{room}", "describe it"),
        ("pingpong_3.1.yaml", ["components", "correlationIds", "id", "location"],
         "$message.header#/id", ""),
        ("pingpong_3.1.yaml", ["components", "schemas"], {"lost": {}}, "is used by nothing"),
        ("market_2.6.yaml", [*MESSAGES, "orders", "x-servers"], ["elsewhere"], "no server"),
        ("market_2.6.yaml", [*MESSAGES, "orders", "x-servers"], "private", "x-servers"),
    ],
)  # fmt: skip
def test_one_fault_is_reported_at_its_place(
    tmp_path: Path, name: str, path: list[Any], value: Any, finding: str
) -> None:
    found = edited(tmp_path, name, path, value)
    if finding:
        assert any(finding in text for text in found), found
    else:
        assert found == []


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


@pytest.mark.parametrize("name", [*GOOD, "kraken_article_2.0.yaml"])
def test_a_broken_document_is_reported_and_never_raises(tmp_path: Path, name: str) -> None:
    """Every value of a document in turn is replaced by something of another type."""
    chance = random.Random(7)
    original = yaml.safe_load((DOCUMENTS / name).read_text())
    for part in DOCUMENTS.glob("*_schemas.yaml"):
        (tmp_path / part.name).write_text(part.read_text())
    file = tmp_path / "broken.json"
    all_places = places(original)[1:]
    for path in chance.sample(all_places, min(30, len(all_places))):
        broken = copy.deepcopy(original)
        at = broken
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = chance.choice(
            [None, 7, "text", [], {}, [[]], {"$ref": 5}, {"$ref": "#"}, True]
        )
        file.write_text(json.dumps(broken))
        assert isinstance(check(file), list)


def test_the_command_names_faults_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(DOCUMENTS / "pingpong_2.6.yaml")]) == 0
    assert main(["check", str(DOCUMENTS / "kraken_article_2.0.yaml")]) == 1
    good, bad = capsys.readouterr().out.split("valid\n", 1)
    assert good == ""
    assert "kraken_article_2.0.yaml:145 #/components/messages/subscriptionStatus" in bad
    assert bad.endswith("5 errors, 1 part cannot be served (8 pieces of advice: see --strict)\n")


def test_a_wrong_command_line_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == USAGE
