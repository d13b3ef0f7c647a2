"""The scripts of a page: linked as one, and of the same mind as the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from asyncapi_server import load_document
from asyncapi_server.contract_tests.near_misses import NearMisses
from asyncapi_server.docs import describe
from asyncapi_server.docs.consoledata import console_data
from asyncapi_server.docs.modules import linked
from asyncapi_server.docs.outline import outline
from asyncapi_server.document.model import Document, Message
from asyncapi_server.validation.reference import ReferenceValidator
from support import node
from support.rendered import EXPECTED, READ, SUITE

SCRIPTS = Path(__file__).parent / "scripts"
STATIC = Path(str(resources.files("asyncapi_server.docs") / "static"))
MODULES = str(STATIC / "js")
NEEDS_NODE = pytest.mark.skipif(node.NODE is None, reason="needs Node.js")
MAX_NEAR_MISSES = 60
SAFE = 2**53 - 1


def documents() -> Iterator[tuple[str, Document]]:
    for name in READ:
        yield name, load_document(SUITE / name, as_client=EXPECTED[name].get("as") == "client")


def reference(message: Message) -> ReferenceValidator | None:
    """The validator of a message's schema; None when jsonschema cannot read it."""
    try:
        return ReferenceValidator(message.schema)
    except ValueError:  # a pattern that Python has no words for
        return None


def is_rough(value: Any) -> bool:
    """Whether a value has an integer that JavaScript reads as another one."""
    if isinstance(value, dict | list):
        return any(map(is_rough, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) > SAFE


@NEEDS_NODE
def test_the_page_gives_the_verdicts_of_the_reference() -> None:
    cases: dict[str, tuple[ReferenceValidator, list[Any]]] = {}
    for _, document in documents():
        for channel in document.channels.values():
            for message in (*channel.receives, *channel.sends):
                judge = reference(message)
                if judge is None:
                    continue
                values = cases.setdefault(json.dumps(message.schema), (judge, []))[1]
                for example in message.examples:
                    values.append(example.payload)
                    if judge.is_valid(example.payload):
                        missed = NearMisses(message.schema).of(example.payload)
                        values += [each.applied(example.payload) for each in missed][
                            :MAX_NEAR_MISSES
                        ]
    given = [[schema, [*map(json.dumps, values)]] for schema, (_, values) in cases.items()]
    found = node.run(SCRIPTS / "verdicts.mjs", MODULES, given=given)
    compared = rough = 0
    for (judge, values), verdicts in zip(cases.values(), found, strict=True):
        for value, (is_valid, faults) in zip(values, verdicts, strict=True):
            assert bool(faults) is not is_valid, value
            compared += 1
            if judge.is_valid(value) is not is_valid:
                assert is_rough(value), (value, faults)
                rough += 1
    assert compared > 8_000
    assert rough < 10


@NEEDS_NODE
def test_the_page_recognises_the_messages_that_the_server_sends() -> None:
    channels: list[Any] = []
    texts: list[list[str]] = []
    expected: list[list[str | None]] = []
    for name, document in documents():
        described = describe(SUITE / name, as_client=EXPECTED[name].get("as") == "client")
        channels += json.loads(console_data(outline(described)))["channels"]
        for channel in document.channels.values():
            judges = {message.name: reference(message) for message in channel.sends}
            values = [example.payload for message in channel.sends for example in message.examples]
            if None in judges.values() or any(map(is_rough, values)):
                values = []
            texts.append([json.dumps(value) for value in values])
            expected.append([first_valid(judges, value) for value in values])
    found = node.run(SCRIPTS / "messages.mjs", MODULES, given=[{"channels": channels}, texts])
    assert sum(map(len, expected)) > 150
    for names, recognised in zip(expected, found, strict=True):
        for wanted, message in zip(names, recognised, strict=True):
            assert message == [wanted, 0] if wanted else message is None or message[1] > 0


def first_valid(judges: dict[str, ReferenceValidator | None], value: Any) -> str | None:
    """The first message in the document's order that admits a value."""
    valid = (name for name, judge in judges.items() if judge is not None and judge.is_valid(value))
    return next(valid, None)


@NEEDS_NODE
def test_the_modules_do_what_they_say() -> None:
    assert node.run(SCRIPTS / "modules.mjs", MODULES) == []


def test_modules_become_one_script_in_the_order_of_their_use(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        "import { b, c as d } from './x/b.js';\nexport const a = b + d;\n", "utf-8"
    )
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "b.js").write_text(
        "export function b() {}\nexport const c = 1;\n//# sourceMappingURL=b.js.map\n", "utf-8"
    )
    assert linked(tmp_path, "a.js") == (
        "(() => {\n'use strict';\n"
        "// x/b.js\nconst module0 = (() => {\nfunction b() {}\nconst c = 1;\n"
        "return { b, c };\n})();\n"
        "// a.js\nconst module1 = (() => {\nconst { b, c: d } = module0;\nconst a = b + d;\n"
        "return { a };\n})();\n"
        "})();\n"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import x from './b.js';\n", "cannot be linked"),
        ("export default 1;\n", "cannot be linked"),
        ("export { x };\n", "cannot be linked"),
        ("import { a } from './a.js';\n", "import each other"),
    ],
)
def test_a_module_of_another_kind_is_refused(source: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(source, "utf-8")
    with pytest.raises(ValueError, match=message):
        linked(tmp_path, "a.js")


def test_what_is_vendored_is_what_was_published() -> None:
    """The README of the folder has the sums of the files."""
    import hashlib

    folder = STATIC / "vendor" / "cfworker-json-schema"
    table = (folder / "README.md").read_text("utf-8")
    for path in sorted(folder.glob("*.js")):
        if path.name != "format.js":
            assert f"| {path.name} | {hashlib.sha256(path.read_bytes()).hexdigest()} |" in table
    assert "MIT License" in (folder / "LICENSE").read_text("utf-8")
