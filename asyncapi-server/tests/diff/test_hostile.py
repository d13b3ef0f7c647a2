"""Hostile documents end in a verdict or in one clear finding: soon, and without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncapi_server import DocumentError
from asyncapi_server.diff import Level, context, deep, proofs
from diff.documents import Document, changes, level

ASYNCAPI = "asyncapi: 3.0.0\ninfo: {title: T, version: 1.0.0}\n"
OPENAPI = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\n"
COMMAND = """
import argparse, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from asyncapi_server.diff import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args()))
"""


def laughs(folder: Path) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


def deep_yaml(folder: Path) -> str:
    return "x: " + "[" * 10_000 + "]" * 10_000


def circle(folder: Path) -> str:
    parts = "{a: {$ref: '#/components/x/b'}, b: {$ref: '#/components/x/a'}}"
    return f"servers: {{$ref: '#/components/x/a'}}\ncomponents: {{x: {parts}}}"


def long_chain(folder: Path) -> str:
    links = "\n".join(f"  c{n}: {{$ref: '#/c/c{n + 1}'}}" for n in range(5_000))
    return f"servers: {{$ref: '#/c/c0'}}\nc:\n{links}\n  c5000: {{}}"


def endless(folder: Path) -> str:
    return "servers: {$ref: '/dev/zero'}"


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe.yaml")
    return "servers: {$ref: 'pipe.yaml'}"


def remote(folder: Path) -> str:
    return "servers: {$ref: 'http://127.0.0.1:9/a.yaml'}"


def outside(folder: Path) -> str:
    return "servers: {$ref: '../../../../etc/passwd'}"


def binary(folder: Path) -> str:
    return "x: \x00\x01"


@pytest.mark.parametrize("start", [ASYNCAPI, OPENAPI], ids=["asyncapi", "openapi"])
@pytest.mark.parametrize(
    "make",
    [laughs, deep_yaml, circle, long_chain, endless, pipe, remote, outside, binary],
    ids=lambda make: make.__name__,
)
def test_a_hostile_file_is_one_clear_finding(
    make: Callable[[Path], str], start: str, tmp_path: Path
) -> None:
    good, hostile = tmp_path / "good.yaml", tmp_path / "hostile.yaml"
    good.write_text(start, "utf-8")
    hostile.write_text(start + make(tmp_path), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, good, hostile],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (2, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith(str(tmp_path / "hostile.yaml"))
    assert " error: " in line


def document(payload: Any, **schemas: Any) -> Document:
    """A document whose clients send a payload, and get another one of the same schema."""
    channel = {"$ref": "#/channels/a"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "T", "version": "1.0.0"},
        "channels": {
            "a": {"address": "/", "messages": {n: {"payload": payload} for n in ("sent", "got")}}
        },
        "operations": {
            name: {
                "action": action,
                "channel": channel,
                "messages": [{"$ref": f"#/channels/a/messages/{name}"}],
            }
            for name, action in (("sent", "receive"), ("got", "send"))
        },
        "components": {"schemas": schemas},
    }


def ref(name: object) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/S{name}"}


def linked(count: int, part: Callable[[int], Any], most: int) -> Document:
    """A document with schemas that refer to one another, and a bound in the last one."""
    schemas = {f"S{number}": part(number) for number in range(count)}
    return document(ref(0), **schemas, **{f"S{count}": {"maximum": most}})


def wide(most: int) -> Document:
    members = {f"p{number}": ref(0) for number in range(200)}
    return document(ref(0), S0={"properties": {**members, "last": {"maximum": most}}})


def shared(most: int) -> Document:
    return linked(200, lambda n: {"properties": {"a": ref(n + 1), "b": ref(n + 1)}}, most)


def chained(most: int) -> Document:
    return linked(300, lambda n: {"properties": {"a": ref(n + 1)}}, most)


def circular(most: int) -> Document:
    return linked(200, lambda n: {"properties": {"a": ref(n + 1), "up": ref(0)}}, most)


def meshed(most: int) -> Document:
    def part(number: int) -> Any:
        members = {f"p{n}": ref((number * 7 + n * 13) % 100) for n in range(10)}
        return {"properties": {**members, **({} if number else {"last": ref(100)})}}

    return linked(100, part, most)


def nested(most: int) -> Document:
    schema: Any = {"maximum": most}
    for _ in range(90):
        schema = {"properties": {"a": schema}}
    return document(schema)


def alternatives(most: int) -> Document:
    each = [{"properties": {f"a{n}": {"maximum": most + n}}} for n in range(40)]
    return document({"anyOf": each})


def large_enum(most: int) -> Document:
    return document({"enum": [*range(5_000), *(["more"] if most > 1 else [])]})


@pytest.mark.parametrize(
    "make",
    [wide, shared, chained, circular, meshed, nested, alternatives, large_enum],
    ids=lambda make: make.__name__,
)
def test_schemas_that_refer_to_much_are_compared(make: Callable[[int], Document]) -> None:
    started = time.monotonic()
    found = changes(make(1), make(2))
    assert time.monotonic() - started < 60
    assert {change.level for change in found if "sent" in change.where} == {Level.COMPATIBLE}
    assert level(tuple(each for each in found if "got" in each.where)) is Level.BREAKING


def combined(most: int) -> Document:
    """A schema on which the engine would work for minutes."""
    ways = [
        {
            "oneOf": [
                {"properties": {f"a{n}": {"const": most}}, "required": [f"a{n}"]},
                {"properties": {f"b{n}": {"const": 1}}, "required": [f"b{n}"]},
                {"required": [f"c{n}"]},
            ]
        }
        for n in range(10)
    ]
    return document({"allOf": ways})


def test_what_takes_too_long_to_prove_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MAX_SECONDS", 1.0)
    started = time.monotonic()
    assert level(changes(combined(1), combined(2))) is Level.BREAKING
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("make", [chained, meshed])
def test_too_much_work_is_no_verdict(
    make: Callable[[int], Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "MAX_STEPS", 10_000)
    with pytest.raises(DocumentError, match="too much work"):
        changes(make(1), make(2))


def test_too_deep_a_recursion_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "MAX_FRAMES", 1_000)
    with pytest.raises(DocumentError, match="too much work"):
        changes(chained(1), chained(2))


def test_the_limit_of_recursion_is_as_before() -> None:
    before = sys.getrecursionlimit()
    changes(chained(1), chained(2))
    assert sys.getrecursionlimit() == before


LOOP = {"$ref": "#/$defs/0"}
CRASHING = json.dumps(
    {
        "$defs": {
            "0": {
                "if": {},
                "then": {"properties": {"x": {"allOf": [LOOP], "unevaluatedProperties": False}}},
            }
        },
        "allOf": [{"properties": {"x": {"then": {"properties": {"x": {"allOf": [LOOP]}}}}}}],
    }
)
"""A schema that ends the process of jsonschema-rs 0.60.3 and 0.61.2."""


def test_an_engine_that_ends_is_started_anew() -> None:
    found = proofs.Proofs()
    bounds = [json.dumps({"maximum": most}) for most in range(5)]
    assert found.within(bounds[1], bounds[2])
    assert not found.within(CRASHING, bounds[2])
    assert found.within(bounds[2], bounds[3])
    process = proofs._engine()._process
    assert process is not None
    process.kill()
    assert not found.within(bounds[3], bounds[4])  # it was not there to answer
    assert proofs.Proofs().within(bounds[3], bounds[4])


@pytest.mark.parametrize(
    "payload",
    [
        {"type": 5}, {"minimum": "x"}, {"pattern": "("}, {"maximum": float("inf")},
        {"maximum": 10**399}, {"multipleOf": 0}, {"multipleOf": 1e-320}, {"enum": {}},
        {"required": "a"}, {"prefixItems": []}, {"minLength": -1}, {"enum": ["\ud800"]},
        {"properties": {"\ud800": {}}}, {"patternProperties": {"(": {}}}, {"const": float("nan")},
        {"minItems": 10**30, "uniqueItems": True}, {"$ref": 5}, {"dependencies": {"a": 5}},
        {"if": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_faulty_schema_is_never_compatible(payload: Any) -> None:
    good, faulty = document({"type": "integer"}), document(payload)
    for old, new in ((good, faulty), (faulty, good)):
        try:
            assert level(changes(old, new)) is Level.BREAKING
        except DocumentError:
            continue  # one that is no schema at all
