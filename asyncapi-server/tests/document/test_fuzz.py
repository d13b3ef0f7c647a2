"""Mutated documents end in findings, and are served as far as they can be: never a traceback.

`FUZZ_ROUNDS=10000 pytest tests/document/test_fuzz.py` runs more rounds than the usual ones.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncapi_server import AsyncApiServerError, Contract, check, load_document
from asyncapi_server.mock.server import Mock
from support.rooms import DOCUMENTS

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "200"))
MAX_SECONDS = 5.0
"""Of processor time for one document; two are the promise, on a machine of today."""
MAX_BYTES = 500 * 2**20
FILES = sorted(path for path in (DOCUMENTS / "suite").glob("*-*") if path.is_file())
WORDS = ("$ref", "address", "allOf", "asyncapi", "channel", "const", "enum", "items", "location",
         "messages", "oneOf", "payload", "pattern", "properties", "reply", "required", "schema",
         "schemaFormat", "security", "servers", "type", "x-response", "bindings")  # fmt: skip

VALUES = ("#", "#/", "#/components", "#/channels", "#/a~2", "other.yaml", "a.yaml#/b", "http://h/x",
          "string", "object", "[", "^(a+)+$", "$message.payload#/id", "$message.header#/id",
          "application/xml", "2.6.0", "3.0.0", "ws")  # fmt: skip
PARTS = (b"\n", b"  ", b": ", b"- ", b"&a ", b"*a", b"{", b"[", b'"', b"'", b"|", b"<<: ", b"? ")


def read(path: Path) -> Any:
    """A document as plain values; None for one that is not even that."""
    try:
        value = yaml.safe_load(path.read_text("utf-8-sig"))
        json.dumps(value)
    except (ValueError, TypeError, RecursionError, yaml.YAMLError):
        return None
    return value


SEEDS = [value for value in map(read, FILES) if isinstance(value, dict)]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(WORDS),
    st.sampled_from(VALUES),
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A document of the suite with some mutations."""
    document = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        found = list(places(document))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        kind = draw(st.sampled_from(["replace", "remove", "move", "name", "wrap", "repeat"]))
        if kind == "replace":
            holder[key] = draw(junk)
        elif kind == "remove":
            del holder[key]
        elif kind == "move":
            other, its_key = draw(st.sampled_from(found))
            if its_key in other if isinstance(other, dict) else its_key < len(other):
                holder[key] = copy.deepcopy(other[its_key])
        elif kind == "name" and isinstance(holder, dict):
            holder[draw(st.sampled_from(WORDS))] = holder.pop(key)
        elif kind == "wrap":
            holder[key] = {draw(st.sampled_from(WORDS)): holder[key]}
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
    return document


def most_memory() -> int:
    """The most bytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="module")
def memory_before() -> int:
    """Other tests may have run in this process."""
    return most_memory()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "document.json"


@settings(
    max_examples=ROUNDS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="FUZZ_ROUNDS" not in os.environ,
)
@given(document=documents(), as_client=st.booleans())
def test_a_mutated_document_ends_in_findings(
    path: Path, memory_before: int, document: Any, as_client: bool
) -> None:
    path.write_text(json.dumps(document), "utf-8")
    began = time.process_time()
    for finding in check(path, as_client=as_client):
        assert str(finding).isprintable()
        assert len(finding.text) < 2_000
    try:
        loaded = load_document(path, as_client=as_client)
        contract = Contract.from_document(loaded)
        assert Contract.from_json(contract.to_json()) == contract
        mock = Mock(loaded)
    except AsyncApiServerError:
        return
    for name in mock.names:
        with suppress(AsyncApiServerError):  # no sample can be made
            mock.send(name)
    assert time.process_time() - began < MAX_SECONDS
    assert most_memory() < memory_before + MAX_BYTES


@settings(max_examples=ROUNDS, deadline=None, derandomize="FUZZ_ROUNDS" not in os.environ,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(file=st.sampled_from(FILES), data=st.data())
def test_mutated_text_ends_in_findings(path: Path, file: Path, data: st.DataObject) -> None:
    text = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 6)))
        text[start:end] = data.draw(st.binary(max_size=6) | st.sampled_from(PARTS))
    target = path.with_suffix(file.suffix)
    target.write_bytes(text)
    began = time.process_time()
    for finding in check(target):
        assert str(finding).isprintable()
    assert time.process_time() - began < MAX_SECONDS
