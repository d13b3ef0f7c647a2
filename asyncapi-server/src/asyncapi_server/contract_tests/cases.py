"""Messages to send: valid ones, near misses and garbage, each with its possible answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.contract_tests.near_misses import NearMiss, NearMisses
from asyncapi_server.contract_tests.rules import Rules
from asyncapi_server.contract_tests.values import Json, opaque
from asyncapi_server.document.contract import ChannelContract, MessageContract
from asyncapi_server.document.discriminator import Discriminator
from asyncapi_server.document.refusals import may_refuse, names_error
from asyncapi_server.document.signature import signature
from asyncapi_server.validation import validator

MAX_MESSAGE_BYTES = 60_000
"""No larger message is sent: documents do not state what servers accept."""
MAX_TRIES = 20
"""Near misses of one value that are tried before another value is drawn."""


class Kind(StrEnum):
    """How a message relates to the document."""

    VALID = "valid"
    NEAR_MISS = "near miss"
    ELSEWHERE = "valid elsewhere"
    """Valid, but admitted by other servers only."""
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Case:
    """One message to send. Its data is UTF-8, or a binary message."""

    kind: Kind
    message: str
    """Its name in the document; for garbage, the kind of garbage."""
    data: bytes
    replies: frozenset[str] = frozenset()
    """The messages that may answer it; empty: no answer is required."""
    site: str = ""
    """The constraint that a near miss violates."""
    binary: bool = False
    correlation: object = jsonpointer.MISSING
    """The correlation id that it carries."""
    must_correlate: bool = False
    """Whether the answer has to repeat it."""

    def __str__(self) -> str:
        text = self.data.decode(errors="backslashreplace")
        name = f"{self.kind} {self.message}" + (f" ({self.site.strip()})" if self.site else "")
        return f"{name}{' binary' if self.binary else ''}: {shortened(text)}"


class Cases:
    """The messages that can be sent over one channel of a document."""

    def __init__(
        self,
        channel: ChannelContract,
        *,
        rules: Rules,
        payloads: Mapping[str, SearchStrategy[Json]],
        server: str | None = None,
    ) -> None:
        """`payloads` has those of each message that can be made, `server` is the name of the server
        under test."""
        self._messages = {message.name: message for message in channel.receives}
        self._validators = {m.name: validator(m.schema) for m in channel.receives}
        self._near_misses = {m.name: NearMisses(m.schema) for m in channel.receives}
        self._discriminator = Discriminator({m.name: signature(m.schema) for m in channel.receives})
        self._values = payloads
        self._server = server
        self._sent = {message.name: message for message in channel.sends}
        self._errors = rules.errors or frozenset(filter(names_error, self._sent))
        made = [message for message in channel.receives if message.name in payloads]
        self.valid = st.one_of(*map(self._valid, made))
        self.near_miss = st.one_of(*map(self._near_miss, made))
        self.garbage = self._garbage()
        weighted = (self.valid, self.valid, self.near_miss, self.near_miss, self.garbage)
        self.any = opaque(st.one_of(*weighted))

    def written(self, name: str, payload: Json) -> Case:
        """A valid message with this payload."""
        message = self._messages[name]
        admitted = message.servers is None or self._server in (None, *message.servers)
        kind = Kind.VALID if admitted else Kind.ELSEWHERE
        replies = frozenset(message.replies) if admitted else self._refusals(message)
        return self._case(kind, message, payload, replies)

    def misses(self, name: str, payloads: Iterable[Json]) -> list[Case]:
        """One near miss of valid payloads for each constraint that holds for any of them."""
        found: dict[str, Case] = {}
        for payload in payloads:
            for miss in self._near_misses[name].of(payload):
                if miss.site not in found and (case := self._missed(name, payload, miss)):
                    found[miss.site] = case
        return list(found.values())

    def _valid(self, message: MessageContract) -> SearchStrategy[Case]:
        name = message.name
        found = self._values[name].map(lambda payload: self.written(name, payload))
        return found.filter(lambda case: len(case.data) <= MAX_MESSAGE_BYTES)

    def _near_miss(self, message: MessageContract) -> SearchStrategy[Case]:
        name, payloads = message.name, self._values[message.name]
        near_misses = self._near_misses[name]

        @st.composite
        def draw_one(draw: DrawFn) -> Case | None:
            payload = draw(payloads)
            by_site: dict[str, list[NearMiss]] = {}
            for miss in near_misses.of(payload):
                by_site.setdefault(miss.site, []).append(miss)
            if not by_site:
                return None
            misses = by_site[draw(st.sampled_from(list(by_site)))]
            return self._missed(name, payload, draw(st.sampled_from(misses)))

        return draw_one().filter(lambda case: case is not None).map(_certain)

    def _missed(self, name: str, payload: Json, miss: NearMiss) -> Case | None:
        """The near miss, or None when it violates nothing or is too large."""
        wrong = miss.applied(payload)
        if any(judge.is_valid(wrong) for judge in self._validators.values()):
            return None
        # It may look like another message by now, or like none.
        named = self._discriminator.identify(wrong)
        refusals = [self._refusals(self._messages[each]) for each in {name, *named}]
        if name not in named:
            refusals.append(self._errors)
        replies: frozenset[str] = frozenset().union(*refusals) if all(refusals) else frozenset()
        case = self._case(Kind.NEAR_MISS, self._messages[name], wrong, replies, miss)
        return case if len(case.data) <= MAX_MESSAGE_BYTES else None

    def _refusals(self, message: MessageContract) -> frozenset[str]:
        """The answers that may report the refusal of a message; none where silence is allowed."""
        able = (n for n in message.replies if may_refuse(n, self._sent[n].schema))
        return self._errors & set(message.replies) or frozenset(able)

    def _case(
        self,
        kind: Kind,
        message: MessageContract,
        payload: Json,
        replies: frozenset[str],
        miss: NearMiss | None = None,
    ) -> Case:
        correlation, certain = jsonpointer.MISSING, False
        if message.correlation is not None:
            place = jsonpointer.tokens(message.correlation)
            correlation = jsonpointer.lookup(payload, place)
            missed = None if miss is None else tuple(map(str, miss.path))
            constants = {jsonpointer.tokens(c.pointer) for c in message.constants}
            # A message that is not recognised, or whose id is invalid, need not be correlated.
            recognised = missed is None or not any(c[: len(missed)] == missed for c in constants)
            certain = recognised and missed != place and _plain_id(correlation)
        return Case(
            kind,
            message.name,
            json.dumps(payload, ensure_ascii=False).encode(),
            replies,
            miss.site if miss else "",
            correlation=correlation,
            must_correlate=certain,
        )

    def _garbage(self) -> SearchStrategy[Case]:
        texts = st.one_of(
            st.tuples(st.just("text"), st.text(st.characters(codec="utf-8"), max_size=40)),
            st.tuples(st.just("JSON of no message"), _JSON.map(_dumped)),
            st.sampled_from([("text", text) for text in NOT_JSON]),
            st.tuples(st.just("cut JSON"), self.valid.flatmap(_cut)),
        )
        binaries = st.tuples(st.just("binary"), st.binary(max_size=40)).map(
            lambda pair: self.garbled(*pair, binary=True)
        )
        strays = texts.filter(lambda pair: not self._is_message(pair[1]))
        return st.one_of(strays.map(lambda pair: self.garbled(pair[0], pair[1].encode())), binaries)

    def garbled(self, what: str, data: bytes, *, binary: bool = False) -> Case:
        """A case whose data is no message of the document."""
        return Case(Kind.GARBAGE, what, data, self._errors, binary=binary)

    def _is_message(self, text: str) -> bool:
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError):
            return False
        return any(judge.is_valid(payload) for judge in self._validators.values())


NOT_JSON = (
    "", " ", "{", "}", "[", '"', "nul", "NaN", "Infinity", "-", "1e", "{'a':1}", '{"a":1,}',
    "\ufeff{}", '{"a":"\\ud800"}', '{"a":"\x01"}', "[" * 5000, "{}" * 2, "1" * 5000, "\x00",
    '{"a":' * 100 + "1" + "}" * 100, '{"":{}}', "[[[]]]", "0", "null", "true", '"text"', "[]",
    "{}", "1e400",
)  # fmt: skip
"""Texts that are no message of any document; most are not JSON either."""

_JSON: SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(
        st.characters(codec="utf-8"), max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def _dumped(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(case: Case) -> SearchStrategy[str]:
    text = case.data.decode()
    return st.integers(0, len(text) - 1).map(lambda length: text[:length])


def _certain(case: Case | None) -> Case:
    assert case is not None  # noqa: S101  (filtered just before)
    return case


def _plain_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def shortened(text: str, limit: int = 300) -> str:
    """A text, cut for a transcript."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def vocabulary(examples: Mapping[str, object] | list[object]) -> dict[str, list[Json]]:
    """The scalars in written examples, by the names of their properties."""
    found: dict[str, list[Json]] = {}
    _collect(examples, "", found)
    return found


def _collect(value: object, name: str, found: dict[str, list[Json]]) -> None:
    if isinstance(value, Mapping):
        for key, member in value.items():
            _collect(member, key, found)
    elif isinstance(value, list):
        for element in value:
            _collect(element, name, found)
    elif name and value not in found.setdefault(name, []):
        found[name].append(value)
