"""Compares what two AsyncAPI 3 documents promise on the wire, not how they are written.

The compiled contracts are compared for who sends which message where, the bundled documents for all
else. The documents promise nothing about new values, such as error codes: they break. Channels of
AsyncAPI 2 are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from asyncapi_server import ChannelContract, Contract, MessageContract
from scripts.compat.changes import Change, Direction, Level, breaking, compatible
from scripts.compat.heads import info, specification
from scripts.compat.parts import (
    ANNOTATIONS,
    NOT_MODELLED,
    Object,
    Part,
    Rule,
    annotation,
    canonical,
    compare_objects,
    elsewhere,
    extensions,
    short,
    unmodelled,
)
from scripts.compat.schema_changes import compare
from scripts.compat.schemas import Dialect, Schema
from scripts.compat.traffic import compare_traffic
from scripts.compat.unused import unused_components


@dataclass(frozen=True, slots=True)
class Stream:
    """A document and its compiled contract."""

    bundle: Object
    contract: Contract

    def directions(self, message: str) -> frozenset[Direction]:
        """The directions in which a message, given by its key, is sent."""
        channels = self.contract.channels.values()
        received = any(m.name == message for channel in channels for m in channel.receives)
        sent = any(m.name == message for channel in channels for m in channel.sends)
        writers = ((Direction.CLIENT, received), (Direction.SERVER, sent))
        return frozenset(direction for direction, found in writers if found)


def compare_streams(old: Stream, new: Stream) -> list[Change]:
    """The changes between two documents."""
    return [*_Comparison(old, new).changes()]


class _Comparison:
    def __init__(self, old: Stream, new: Stream) -> None:
        self._old, self._new = old, new
        self._before, self._after = Part.at(old.bundle), Part.at(new.bundle)
        self._channels = _paired(self._before, self._after)
        self._renamed = {
            one: two
            for before, after in self._channels
            for one, two in _renamed(before.members("messages"), after.members("messages"))
        }

    def changes(self) -> Iterator[Change]:
        yield from compare_traffic(self._with_new_keys(self._old.contract), self._new.contract)
        for one, two in self._renamed.items():
            step = f"the key {one} becomes {two}"
            yield Change(Level.WORDS, "channels", step, "the message has the same name")
        for before, after in self._channels:
            yield from compare_objects(_address(after), before, after, _CHANNEL)
            yield from self._messages(_address(after), before, after)
        yield from self._unpaired()
        yield from compare_objects("", self._before, self._after, _DOCUMENT)

    def _messages(self, place: str, old: Part, new: Part) -> Iterator[Change]:
        theirs = new.members("messages")
        for key, before in old.members("messages").items():
            key = self._renamed.get(key, key)
            after = theirs.get(key)
            if after is None:
                continue  # compared in the contracts
            where = f"{place} {key}"
            yield from _content_type(where, before, after)
            yield from compare_objects(where, before, after, _MESSAGE)
            directions = self._new.directions(key)
            for direction in directions:
                one, two = (
                    Schema.of(part, "payload", Dialect.JSON_SCHEMA) for part in (before, after)
                )
                yield from compare(one, two, direction, where)
            if not directions:
                yield from unmodelled(before.get("payload"), after.get("payload"))

    def _unpaired(self) -> Iterator[Change]:
        """The channels that one document lacks, unless the contracts cover them by address."""
        paired = {part.pointer for pair in self._channels for part in pair}
        addresses = self._old.contract.channels.keys() & self._new.contract.channels.keys()
        for document in (self._before, self._after):
            for channel in document.members("channels").values():
                known = _address(channel) in addresses or channel.literal("address") is None
                if channel.pointer not in paired and known:
                    old = channel if document is self._before else None
                    yield from unmodelled(old, None if old else channel)

    def _with_new_keys(self, contract: Contract) -> Contract:
        """The old contract, with the keys of its messages in the new one."""

        def message(found: MessageContract, taken: set[str]) -> MessageContract:
            names = {n: self._renamed.get(n, n) for n in (found.name, *found.replies)}
            names.update((n, n) for n in names if n in taken)
            replies = tuple(names[name] for name in found.replies)
            return msgspec.structs.replace(found, name=names[found.name], replies=replies)

        channels = {}
        for address, channel in contract.channels.items():
            now = self._new.contract.channels.get(address, channel)
            taken = {found.name for found in (*now.receives, *now.sends)}
            channels[address] = ChannelContract(
                tuple(message(found, taken) for found in channel.receives),
                tuple(message(found, taken) for found in channel.sends),
            )
        return msgspec.structs.replace(contract, channels=channels)


def _paired(old: Part, new: Part) -> list[tuple[Part, Part]]:
    """The channels of both documents in pairs: by key, else by a unique address."""
    mine, theirs = old.members("channels"), new.members("channels")
    pairs = [(mine.pop(key), theirs.pop(key)) for key in list(mine) if key in theirs]
    for channel in mine.values():
        twins = [other for other in theirs.values() if _address(other) == _address(channel)]
        alone = [c for c in mine.values() if _address(c) == _address(channel)] == [channel]
        if len(twins) == 1 and alone and channel.literal("address") is not None:
            pairs.append((channel, twins[0]))
    return pairs


def _renamed(old: Mapping[str, Part], new: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    """The messages whose key changed while their `name` did not."""
    for key, message in old.items():
        name = message.literal("name")
        twins = [k for k, m in new.items() if k not in old and m.literal("name") == name]
        if key not in new and name is not None and len(twins) == 1:
            yield key, twins[0]


def _address(channel: Part) -> str:
    return str(channel.literal("address"))


def _references(key: str) -> Rule:
    """The rule for references: the contracts compare their targets, and keys beside them break."""

    def rule(_place: str, old: Part, new: Part) -> Iterator[Change]:
        before, after = (sorted(_beside(part.fields.get(key))) for part in (old, new))
        if before != after:
            step = f"{short(before)} becomes {short(after)} beside $ref"
            yield breaking(f"#{new.pointer}/{key}", step, NOT_MODELLED)
        one, two = (canonical(part.fields.get(key)) for part in (old, new))
        if one != two and old.fields:
            why = "what it means to clients is compared message by message"
            yield Change(Level.WORDS, f"#{new.pointer}/{key}", "its references change", why)

    return rule


def _beside(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _beside(element)
    elif isinstance(value, Mapping):
        known = {"$ref", *ANNOTATIONS} if "$ref" in value else {"oneOf"}
        yield from (f"{k}: {canonical(v)}" for k, v in value.items() if k not in known)
        yield from _beside(value.get("oneOf"))


def _content_type(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = (
        str(part.literal("contentType", part.document.get("defaultContentType", "none"))).lower()
        for part in (old, new)
    )
    if before != after:
        step = f"content type {before} becomes {after}"
        yield breaking(place, step, "clients read and write the old one")


def _servers(_place: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = old.members("servers"), new.members("servers")
    for name in extensions(old, new, "servers"):
        yield from unmodelled(mine.get(name), theirs.get(name))
    for name in mine.keys() & theirs.keys():
        yield from compare_objects(f"server {name}", mine[name], theirs[name], _SERVER)


def _operations(_place: str, old: Part, new: Part) -> Iterator[Change]:
    mine, theirs = old.members("operations"), new.members("operations")
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"operation {name}"
        before, after = mine.get(name), theirs.get(name)
        if after is None:
            yield breaking(where, "the operation is gone", "generated clients call it by its name")
        else:
            if before is None:
                yield compatible(where, "the operation is new", "nobody has to call it")
            yield from compare_objects(where, before or after.without_value(), after, _OPERATION)


def _action(place: str, old: Part, new: Part) -> Iterator[Change]:
    before, after = old.literal("action", "none"), new.literal("action", "none")
    if before != after and old.fields:
        step = f"action {before} becomes {after}"
        yield breaking(place, step, "its messages go the other way")


def _inside(key: str, rules: dict[str, Rule]) -> Rule:
    """The rule for an optional object; a missing one counts as empty."""

    def rule(place: str, old: Part, new: Part) -> Iterator[Change]:
        before, after = old.get(key), new.get(key)
        there = after or before
        if there is not None:
            one, two = (part or there.without_value() for part in (before, after))
            yield from compare_objects(place, one, two, rules)

    return rule


_WORDS: dict[str, Rule] = dict.fromkeys(
    ("title", "summary", "description", "tags", "externalDocs"), annotation
)
_DOCUMENT: dict[str, Rule] = {
    "asyncapi": specification("asyncapi"),
    "info": info,
    "defaultContentType": elsewhere,
    "servers": _servers,
    "channels": elsewhere,
    "operations": _operations,
    "components": unused_components,
}
_SERVER: dict[str, Rule] = {**_WORDS, **dict.fromkeys(("host", "pathname", "protocol"), elsewhere)}
_CHANNEL: dict[str, Rule] = {
    **_WORDS,
    **dict.fromkeys(("address", "messages"), elsewhere),
    "servers": _references("servers"),
}
_REPLY: dict[str, Rule] = {key: _references(key) for key in ("channel", "messages")}
_CORRELATION: dict[str, Rule] = {"description": annotation, "location": elsewhere}
_MESSAGE: dict[str, Rule] = {
    **_WORDS,
    "examples": annotation,
    "x-several-replies": annotation,
    "contentType": elsewhere,
    "correlationId": _inside("correlationId", _CORRELATION),
    "payload": elsewhere,
    **{key: _references(key) for key in ("x-response", "x-servers")},
}
_OPERATION: dict[str, Rule] = {
    **_WORDS,
    **{key: _references(key) for key in ("channel", "messages")},
    "action": _action,
    "reply": _inside("reply", _REPLY),
}
