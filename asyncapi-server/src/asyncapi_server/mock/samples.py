"""Answers from a document's examples: the part of the mock that does no I/O.

An example that does not fit its own schema is never used. A message without one that fits gets a
value that is made from its schema, when it is first needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.model import Channel, Identity, Message
from asyncapi_server.document.refusals import may_refuse, names_error, refuses
from asyncapi_server.document.samples import sample as made_of
from asyncapi_server.jsontext import json_type
from asyncapi_server.serving.faults import Fault, FaultKind
from asyncapi_server.validation import Validator, validator

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


class SampleBook:
    """The samples of messages: each is made once, whatever channels have it."""

    def __init__(self) -> None:
        self._samples: dict[Identity, tuple[Sample, ...]] = {}
        self._validators: dict[Identity, Validator] = {}

    def validator(self, message: Message) -> Validator:
        """The validator of a message's payload."""
        if message.identity not in self._validators:
            self._validators[message.identity] = validator(message.schema)
        return self._validators[message.identity]

    def of(self, message: Message) -> tuple[Sample, ...]:
        """The samples of a message, those that refuse nothing first; () when none can be made."""
        if message.identity not in self._samples:
            found = sorted(self._all(message), key=lambda sample: sample.refuses)
            self._samples[message.identity] = tuple(found)
        return self._samples[message.identity]

    def _all(self, message: Message) -> Iterator[Sample]:
        """The examples that fit, and values made of the schema for what they do not show."""
        judge, shown = self.validator(message), set()
        for example in message.examples:
            if judge.is_valid(example.payload):
                is_refusal = refuses(message.name, example.payload)
                shown.add(is_refusal)
                yield Sample(example.name, example.payload, is_refusal, written=True)
        if not shown and not names_error(message.name):
            yield from _made(message, is_refusal=False)
        if True not in shown and may_refuse(message.name, message.schema):
            yield from _made(message, is_refusal=True)


def _made(message: Message, *, is_refusal: bool) -> Iterator[Sample]:
    """A value of the schema that refuses, or refuses nothing; empty when none is found."""
    payload = made_of(message.annotated, lambda v: refuses(message.name, v) is is_refusal)
    if payload is not jsonpointer.MISSING:
        yield Sample(None, payload, is_refusal, written=False)


class Samples:
    """The samples of the messages that the server sends on one channel."""

    def __init__(self, channel: Channel, book: SampleBook) -> None:
        self._book = book
        self._requests = {message.name: message for message in channel.receives}
        self._sent = {message.identity: message for message in channel.sends}
        self._names = {message.name: message for message in channel.sends}
        self.names = tuple(self._names)
        """The messages that the server sends."""

    def of(self, name: str) -> tuple[Sample, ...]:
        """The samples of a sent message, those that refuse nothing first; () when it has none."""
        return self._book.of(self._names[name])

    def faults(self, name: str, payload: object) -> list[str]:
        """The faults that the schema of a sent message finds in a payload."""
        found = self._book.validator(self._names[name]).faults(payload)
        return [f"{jsonpointer.join(fault.path)}: {fault.text}" for fault in found]

    def reply(self, request: str, payload: object) -> object | None:
        """The answer to a valid request: the sample that shares most values with it.

        A refusal has to share more than any other sample. None when the document names no reply,
        or none of which there is a sample.
        """
        answers = list(self._answers(request))
        given = set(_values(_uncorrelated(self._requests[request], payload)))

        def fitness(answer: tuple[Message, Sample]) -> tuple[int, bool]:
            return _shared(given, answer[1].payload), not answer[1].refuses

        if not answers:
            return None
        message, sample = max(answers, key=fitness)
        return self._without_id(message, sample.payload)

    def error(self, fault: Fault) -> object | None:
        """The refusal that fits a fault best; None when the document has none for it."""
        refusals = self._refusals(fault)
        given = set(_values(fault.request))
        words = (*_HINTS.get(fault.kind, ()), *(fault.message or "").lower().split("_"))

        def fitness(answer: tuple[Message, Sample]) -> tuple[int, int, bool]:
            message, sample = answer
            text = " ".join((sample.name or "", *map(str, _values(sample.payload)))).lower()
            hits = sum(bool(word) and word in text for word in words)
            return hits, _shared(given, sample.payload), names_error(message.name)

        if not refusals:
            return None
        message, sample = max(refusals, key=fitness)
        payload = self._without_id(message, sample.payload)
        return payload if sample.written else self._worded(message, payload, fault.text)

    def _refusals(self, fault: Fault) -> list[tuple[Message, Sample]]:
        """The samples that may answer a fault: those of the request's own replies that refuse, else
        those of its replies that can, else errors that are no reply to another request alone."""
        if fault.message:
            own = list(self._answers(fault.message))
            if refusing := [pair for pair in own if pair[1].refuses]:
                # One that was made of a schema says "error" somewhere, and maybe "ok" elsewhere.
                clear = [(m, each) for m, each in refusing if each.written or names_error(m.name)]
                return clear or refusing
            if able := [pair for pair in own if may_refuse(pair[0].name, pair[0].schema)]:
                return able
        sent = [(m, sample) for m in self._sent.values() for sample in self._book.of(m)]
        errors = [pair for pair in sent if names_error(pair[0].name)]
        if errors or fault.message:
            return errors
        return [pair for pair in sent if pair[1].refuses]

    def _answers(self, request: str) -> Iterator[tuple[Message, Sample]]:
        for identity in self._requests[request].responses:
            if (message := self._sent.get(identity)) is not None:
                yield from ((message, sample) for sample in self._book.of(message))

    def _without_id(self, message: Message, payload: object) -> object:
        """A payload without the correlation id that its example was written with."""
        bare = _uncorrelated(message, payload)
        return bare if self._book.validator(message).is_valid(bare) else payload

    def _worded(self, message: Message, payload: object, text: str) -> object:
        """A refusal that was made from a schema, with `text` as its error text."""
        members = payload if isinstance(payload, dict) else {}
        for key, value in members.items():
            if isinstance(value, str) and names_error(key):
                worded = {**members, key: text}
                if self._book.validator(message).is_valid(worded):
                    return worded
        return payload


def _uncorrelated(message: Message, payload: object) -> object:
    """A payload without its correlation id."""
    if message.correlation is None:
        return payload
    return jsonpointer.without(payload, jsonpointer.tokens(message.correlation))


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
