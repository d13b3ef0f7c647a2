"""No change of a document goes unnoticed, whether or not a rule models it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncapi_server import Contract, DocumentError, load_document
from asyncapi_server.diff import Change, Level, Spec, compare
from asyncapi_server.pointer import join, lookup
from diff.mutations import MUTATIONS, Way, add, delete, places, rewritten
from scripts.bundle import Bundle
from scripts.compat.documents import TERMS, judge, read_tree
from tests.running import ROOT

CASES = ROOT.parent / "shared" / "cases" / "compat"
SPECS = ROOT / "specs"
DOCUMENTS = [
    "openapi.yaml",
    "stream.asyncapi.yaml",
    "kraken/rest.openapi.yaml",
    "kraken/public.asyncapi.yaml",
    "kraken/private.asyncapi.yaml",
]
REDUNDANT = {
    "type", "minItems", "maxItems", "additionalItems", "additionalProperties", "minLength",
}  # fmt: skip
"""Keywords that may repeat what others beside them state."""


@cache
def document(name: str) -> Any:
    return json.loads(json.dumps(Bundle(SPECS / name).document))


ANY_TEXT = {"ErrorMessage", "ErrorText"}
"""Schemas of Kraken's errors: any text is one, so the texts that are listed say nothing more."""


@cache
def ways(name: str) -> list[Way]:
    return [way for way in places(document(name)) if way]


def spec(folder: Path, value: Any) -> Spec:
    file = folder / "document.json"
    file.write_text(json.dumps(value), "utf-8")
    return Spec.read(file)


def changes(old: Spec, new: Spec) -> tuple[Change, ...]:
    return compare(old, new, TERMS).changes


def unused(mutate: object, name: str, way: Way) -> bool:
    """Whether a mutation adds an unused part, or one beside a reference, or deletes an empty list
    of security."""
    new_component = len(way) == 2 and way[0] == "components"
    new_message = len(way) == 3 and way[0] == "channels" and way[2] == "messages"
    if mutate is delete and way == ("security",):
        return True
    part = lookup(document(name), way)
    beside = isinstance(part, dict) and "$ref" in part
    return mutate is add and (new_component or new_message or beside)


def is_default(mutate: object, name: str, way: Way) -> bool:
    """Whether a mutation deletes what holds by default too: all servers of a channel, or bindings,
    which have a default method and version here and nothing else."""
    if mutate is not delete or way[0] != "channels":
        return False
    if way[2:3] == ("servers",):
        whole = document(name)
        return len(whole["channels"][way[1]]["servers"]) == len(whole["servers"])
    return way[2:3] == ("bindings",)


def said_twice(way: Way, folder: Path, old: Any, new: Any) -> bool:
    """Whether an operation or the message still lists the replies of a message."""
    place = "x-response" in way or way[0] == "operations"
    return place and bool(traffic(folder, old) == traffic(folder, new))


def traffic(folder: Path, document: Any) -> Any:
    """Who sends which message at which address, and its replies."""
    file = folder / "traffic.json"
    file.write_text(json.dumps(document), "utf-8")
    contract = Contract.from_document(load_document(file))
    return {
        (address, direction, message.name): sorted(message.replies)
        for address, channel in contract.channels.items()
        for direction in ("receives", "sends")
        for message in getattr(channel, direction)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_change_but_of_words_is_passed_over(name: str, folder: Path) -> None:
    old = spec(folder, document(name))

    @given(st.sampled_from(MUTATIONS), st.sampled_from(ways(name)))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def mutated(mutate: Any, way: Way) -> None:
        changed = mutate(document(name), way)
        if changed is None or way in {("openapi",), ("asyncapi",)} or unused(mutate, name, way):
            return
        if is_default(mutate, name, way):
            return
        try:
            new = spec(folder, changed)
            found = changes(old, new)
        except DocumentError:
            return  # the command exits with an error instead of a verdict
        level = max((change.level for change in found), default=None)
        if level in (None, Level.WORDS) and not said_twice(way, folder, document(name), changed):
            named = any(change.where != "document" for change in found)
            where = (mutate.__name__, join(way), found)
            assert named, where
            assert way[-1] in REDUNDANT or ANY_TEXT & {*way}, where

    mutated()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_another_way_of_writing_is_no_change(name: str, folder: Path) -> None:
    old = spec(folder, document(name))

    @given(st.integers(0, 2**32))
    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def written(seed: int) -> None:
        new = spec(folder, rewritten(document(name), Random(seed)))
        assert {change.level for change in changes(old, new)} <= {Level.WORDS}

    written()


def verdicts() -> list[tuple[str, str]]:
    """The documented cases: each folder and its expected verdict."""
    if not CASES.is_dir():
        return []
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (CASES / "README.md").read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    return [(row[0], row[1]) for row in rows if (CASES / row[0]).is_dir()]


ALLOWED = {
    "BREAKING": {Level.BREAKING},
    "BREAKING or compatible, not words": {Level.BREAKING, Level.COMPATIBLE},
    "not breaking": {Level.COMPATIBLE, Level.WORDS},
}


@pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases of {CASES} are not here")
def test_every_documented_case_is_judged_rightly() -> None:
    cases = verdicts()
    assert len(cases) == sum(path.is_dir() for path in CASES.iterdir()) > 0
    wrong = []
    for case, right in cases:
        (verdict,) = judge(read_tree(CASES / case / "old"), read_tree(CASES / case / "new"))
        level = max((change.level for change in verdict.changes), default=None)
        if level not in ALLOWED[right]:
            wrong.append((case, right, verdict.changes))
    assert wrong == []
