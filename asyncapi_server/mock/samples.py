"""Answers from a document's examples: the part of the mock that does no I/O.

An example that does not fit its own schema is never used. A message without one that fits gets
the smallest value that its schema allows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.discriminator import json_type, signature
from asyncapi_server.document.model import Channel, Message
from asyncapi_server.document.schemas import Validator, validator
from asyncapi_server.errors import DocumentError, Finding
from asyncapi_server.serving.faults import Fault, FaultKind

MAX_TRIES = 200
"""Values of a schema that are tried before the search for a sample is given up."""

_HINTS = {
    FaultKind.MALFORMED: ("json", "malformed", "parse"),
    FaultKind.BINARY: ("binary", "json", "malformed"),
    FaultKind.UNKNOWN_MESSAGE: ("unknown", "unsupported", "not found"),
    FaultKind.INVALID_MESSAGE: ("invalid", "must be", "malformed"),
    FaultKind.WRONG_SERVER: ("server", "endpoint", "unavailable"),
    FaultKind.TOO_FAST: ("rate", "too many", "limit"),
}
"""Words that match the example of an error to a fault."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A payload that a message may have."""

    name: str | None
    """The example's name; None when it has none."""
    payload: object
    refuses: bool
    """Whether it reports an error."""
    written: bool
    """Whether it is written in the document, not made from the schema."""


class Samples:
    """The samples of the messages that the server sends on one channel."""

    def __init__(self, channel: Channel) -> None:
        """Raises DocumentError when a message has no sample."""
        self._requests = {message.name: message for message in channel.receives}
        self._sent = {message.identity: message for message in channel.sends}
        self._validators = {m.name: validator(m.schema) for m in channel.sends}
        self._samples = {m.name: _written(m, self._validators[m.name]) for m in channel.sends}
        self._make(channel.sends)
        self.names = tuple(self._samples)
        """The messages that the server sends."""

    def of(self, name: str) -> tuple[Sample, ...]:
        """The samples of a sent message, those that refuse nothing first; never empty."""
        return tuple(sorted(self._samples[name], key=lambda sample: sample.refuses))

    def faults(self, name: str, payload: object) -> list[str]:
        """The faults that the schema of a sent message finds in a payload."""
        found = self._validators[name].iter_errors(payload)
        return [f"{jsonpointer.join(error.instance_path)}: {error.message}" for error in found]

    def reply(self, request: str, payload: object) -> object | None:
        """The answer to a valid request: the sample that shares most values with it.

        A refusal has to share more than any other sample. None when the document names no reply.
        """
        answers = list(self._answers(request))
        given = set(_values(_uncorrelated(self._requests[request], payload)))

        def fitness(answer: tuple[Message, Sample]) -> tuple[int, bool]:
            return _shared(given, answer[1].payload), not answer[1].refuses

        if not answers:
            return None
        message, sample = max(answers, key=fitness)
        return self._without_id(message, sample.payload)

    def error(self, fault: Fault) -> dict[str, object] | None:
        """The refusal that fits a fault best; None when the document has none."""
        sent = [(m, sample) for m in self._sent.values() for sample in self._samples[m.name]]
        answers = [*self._answers(fault.message), *sent] if fault.message else sent
        refusals = [pair for pair in answers if pair[1].refuses and _is_object(pair[1].payload)]
        given = set(_values(fault.request))
        words = (*_HINTS.get(fault.kind, ()), *(fault.message or "").lower().split("_"))

        def fitness(answer: tuple[Message, Sample]) -> tuple[int, int, bool]:
            message, sample = answer
            text = " ".join((sample.name or "", *map(str, _values(sample.payload)))).lower()
            hits = sum(bool(word) and word in text for word in words)
            return hits, _shared(given, sample.payload), "error" in message.name.lower()

        if not refusals:
            return None
        message, sample = max(refusals, key=fitness)
        payload = cast("dict[str, object]", self._without_id(message, sample.payload))
        return payload if sample.written else self._worded(message.name, payload, fault.text)

    def _make(self, messages: tuple[Message, ...]) -> None:
        """Make samples for messages without any, and at least one refusal if there can be one."""
        silent = not any(s.refuses for samples in self._samples.values() for s in samples)
        for message in messages:
            written = self._samples[message.name]
            made: list[Sample] = []
            if not written and not _names_error(message.name):
                made += _made(message, refusal=False)
            if (silent or not written) and _may_refuse(message):
                made += _made(message, refusal=True)
            self._samples[message.name] = (*written, *made)
            if not written and not made:
                text = f"no example of {message.name!r} fits, and none could be made: write one"
                raise DocumentError([Finding(message.place, text)])

    def _answers(self, request: str) -> Iterator[tuple[Message, Sample]]:
        for identity in self._requests[request].responses:
            message = self._sent[identity]
            for sample in self._samples[message.name]:
                yield message, sample

    def _without_id(self, message: Message, payload: object) -> object:
        """A payload without the correlation id that its example was written with."""
        bare = _uncorrelated(message, payload)
        return bare if self._validators[message.name].is_valid(bare) else payload

    def _worded(self, name: str, payload: dict[str, object], text: str) -> dict[str, object]:
        """A refusal that was made from a schema, with `text` as its error text."""
        for key, value in payload.items():
            if isinstance(value, str) and _names_error(key):
                worded = {**payload, key: text}
                if self._validators[name].is_valid(worded):
                    return worded
        return payload


def refuses(message: Message, payload: object) -> bool:
    """Whether a payload reports an error: by its message's name, a member or a constant."""
    if _names_error(message.name):
        return True
    members = payload.items() if isinstance(payload, dict) else ()
    return any((_names_error(key) and bool(value)) or value == "error" for key, value in members)


def _written(message: Message, judge: Validator) -> tuple[Sample, ...]:
    """The examples that fit their schema."""
    return tuple(
        Sample(example.name, example.payload, refuses(message, example.payload), written=True)
        for example in message.examples
        if judge.is_valid(example.payload)
    )


def _made(message: Message, *, refusal: bool) -> Iterator[Sample]:
    """The smallest payload that refuses, or refuses nothing; empty when none is found."""
    made = smallest(message.schema, lambda value: refuses(message, value) is refusal)
    if made is not jsonpointer.MISSING:
        yield Sample(None, made, refusal, written=False)


def _may_refuse(message: Message) -> bool:
    return _names_error(message.name) or _error_members(message.schema)


def smallest(schema: dict[str, object], wanted: Callable[[object], bool]) -> object:
    """The smallest value of a schema that is wanted and has its identifying constants.

    MISSING when none is found. Needs `hypothesis`.
    """
    from hypothesis import HealthCheck, find, settings
    from hypothesis.errors import NoSuchExample

    from asyncapi_server.contract_tests.values import values

    constants = [
        jsonpointer.tokens(pointer)
        for pointer, demand in signature(schema).items()
        if demand.values is not None and len(demand.values) == 1 and pointer.count("/") == 1
    ]

    def fits(value: object) -> bool:
        found = all(jsonpointer.lookup(value, at) is not jsonpointer.MISSING for at in constants)
        return found and wanted(value)

    limits = settings(
        max_examples=MAX_TRIES,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(values(cast("dict[str, object]", _narrow(schema))), fits, settings=limits)
    except NoSuchExample:
        return jsonpointer.MISSING


def _narrow(schema: object) -> object:
    """The same schema with only the shortest arrays, which makes the search much faster."""
    if isinstance(schema, list):
        return [_narrow(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    narrow = {keyword: _narrow(part) for keyword, part in schema.items()}
    if schema.get("type") == "array":
        narrow["maxItems"] = schema.get("minItems", 0)
    return narrow


def _uncorrelated(message: Message, payload: object) -> object:
    """A copy of a payload without its correlation id."""
    result = copy.deepcopy(payload)
    if message.correlation is not None:
        *way, last = jsonpointer.tokens(message.correlation)
        holder = jsonpointer.lookup(result, way)
        if isinstance(holder, dict):
            holder.pop(last, None)
    return result


def _error_members(schema: object, root: object = None, depth: int = 8) -> bool:
    """Whether the values of a schema may have a member that is named for an error."""
    if not isinstance(schema, dict) or not depth:
        return False
    root = schema if root is None else root
    if isinstance(reference := schema.get("$ref"), str):
        target = jsonpointer.lookup(root, jsonpointer.tokens(reference.lstrip("#")))
        return _error_members(target, root, depth - 1)
    if any(map(_names_error, schema.get("properties", {}))):
        return True
    parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
    return any(_error_members(part, root, depth - 1) for part in parts)


def _names_error(name: str) -> bool:
    return "error" in name.lower()


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _shared(given: set[str], payload: object) -> int:
    return len(given & {*_values(payload), *_keys(payload)})


def _values(value: object) -> Iterator[str]:
    """The texts and numbers anywhere in a value."""
    kind = json_type(value)
    if kind in ("string", "number"):
        yield str(value)
    for member in _below(value):
        yield from _values(member)


def _keys(value: object) -> Iterator[str]:
    """The names of members anywhere in a value: they may be symbols."""
    if isinstance(value, dict):
        yield from value
    for member in _below(value):
        yield from _keys(member)


def _below(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
