"""Checks of received messages, and their matching to requests. Pure: no socket, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.contract_tests.cases import Case, Kind, shortened
from asyncapi_server.contract_tests.rules import Rules
from asyncapi_server.contract_tests.violations import (
    MarkedReply,
    NotCorrelated,
    UnexpectedMessage,
    WrongReply,
)
from asyncapi_server.document.contract import ChannelContract, MessageContract
from asyncapi_server.document.details import schema_details
from asyncapi_server.validation import Validator, validator


class Judge:
    """Recognises the messages that a server sends, by the document alone."""

    def __init__(self, channel: ChannelContract, rules: Rules) -> None:
        self.rules = rules
        self._sends = {m.name: (m, validator(m.schema)) for m in channel.sends}
        self._replies = frozenset(name for m in channel.receives for name in m.replies)

    def recognised(self, payload: object) -> frozenset[str]:
        """The names of the messages that this is; raises UnexpectedMessage when there is none."""
        found = frozenset(n for n, (_, judge) in self._sends.items() if judge.is_valid(payload))
        if found:
            return found
        for message, judge in self._sends.values():
            if _meant(message, payload):
                raise UnexpectedMessage(
                    f"{message.name!r} fails its schema: {_why(judge, payload)}"
                )
        raise UnexpectedMessage("the server sent a message that is not in its document")

    def is_reply(self, names: frozenset[str]) -> bool:
        """Whether messages of these names occur only as answers."""
        return names <= self._replies

    def correlation(self, name: str, payload: object) -> object:
        """The correlation id in a sent message; MISSING also when the document declares none."""
        pointer = self._sends[name][0].correlation
        if pointer is None:
            return jsonpointer.MISSING
        found = jsonpointer.lookup(payload, jsonpointer.tokens(pointer))
        return jsonpointer.MISSING if found is None else found

    def correlates(self, name: str) -> bool:
        """Whether a sent message has a place for a correlation id."""
        return self._sends[name][0].correlation is not None

    def needs_id(self, name: str, payload: object) -> bool:
        """Whether a sent message is not valid without its correlation id."""
        message, judge = self._sends[name]
        pointer = jsonpointer.tokens(message.correlation or "")
        return not judge.is_valid(jsonpointer.without(payload, pointer))


@dataclass(frozen=True, slots=True)
class _Answer:
    names: frozenset[str]
    payload: object


class Conversation:
    """The messages that one connection has sent, and the answers that it awaits."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._waiting: list[Case] = []
        self._open_ended: list[Case] = []
        """Answered messages that may get further answers."""
        self._lenient = False
        """Whether a message was sent whose refusal the document does not describe."""

    @property
    def waiting(self) -> tuple[Case, ...]:
        """The messages that have not been answered yet."""
        return tuple(self._waiting)

    def sent(self, case: Case) -> None:
        """Record a message that is sent."""
        if case.replies:
            self._waiting.append(case)
        elif case.kind is not Kind.VALID:
            self._lenient = True

    def received(self, data: str | bytes) -> tuple[str, Case | None]:
        """The name of a received message and the case that it answers, None when unsolicited.

        Raises a ContractViolation.
        """
        if isinstance(data, bytes):
            raise UnexpectedMessage("the server sent a binary message")
        try:
            payload = json.loads(data)
        except ValueError as error:
            raise UnexpectedMessage(f"the server sent text that is not JSON: {error}") from error
        answer = _Answer(self._judge.recognised(payload), payload)
        for marker in self._judge.rules.never:
            if marker.marks(payload):
                raise MarkedReply(f"no message may have {marker}")
        case = self._answered(answer)
        if case is None:
            return min(answer.names), None
        self._waiting.remove(case)
        if case.message in self._judge.rules.several:
            self._open_ended.append(case)
        if case.kind is Kind.VALID:
            for marker in self._judge.rules.only_to_invalid:
                if marker.marks(payload):
                    raise MarkedReply(f"a valid message was answered with {marker}: {case}")
        return min(answer.names & case.replies), case

    def _answered(self, answer: _Answer) -> Case | None:
        """The first waiting case whose answers and correlation id match, None when unsolicited."""
        named = [case for case in self._waiting if answer.names & case.replies]
        for case in named:
            if self._id_fits(case, answer):
                return case
        for case in self._open_ended:
            if answer.names & case.replies and self._id_fits(case, answer):
                return None
        if self._lenient:
            return None
        if named:
            name = min(answer.names & named[0].replies)
            found = self._judge.correlation(name, answer.payload)
            has = "no correlation id" if found is jsonpointer.MISSING else f"the id {found!r}"
            raise NotCorrelated(f"{name!r} came with {has}; waiting: {_listed(self._waiting)}")
        if self._judge.is_reply(answer.names):
            names = " or ".join(sorted(answer.names))
            raise WrongReply(f"{names} answers nothing; waiting: {_listed(self._waiting)}")
        return None

    def _id_fits(self, case: Case, answer: _Answer) -> bool:
        name = min(answer.names & case.replies)
        if case.kind is Kind.GARBAGE or not self._judge.correlates(name):
            return True
        found = self._judge.correlation(name, answer.payload)
        if case.must_correlate:
            return found == case.correlation
        if found is jsonpointer.MISSING or found == case.correlation:
            return True
        # The id of what was not understood is anyone's, where the schema demands one.
        return case.kind is not Kind.VALID and self._judge.needs_id(name, answer.payload)


def _meant(message: MessageContract, payload: object) -> bool:
    return bool(message.constants) and all(
        jsonpointer.lookup(payload, jsonpointer.tokens(c.pointer)) in c.values
        for c in message.constants
    )


def _why(judge: Validator, payload: object) -> str:
    return "; ".join(f"{d.path or '/'}: {d.message}" for d in schema_details(judge, payload))


def _listed(cases: list[Case]) -> str:
    return shortened(", ".join(f"{c.kind} {c.message}" for c in cases)) or "nothing"
