"""Compares channel objects: their parameters and bindings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from asyncapi_server.diff.asyncapi.model import Channel
from asyncapi_server.diff.changes import Change, Side, words
from asyncapi_server.diff.parts import Part, made
from asyncapi_server.diff.rules import (
    Rule,
    annotation,
    compare_objects,
    elsewhere,
    inside,
    references,
    unmodelled,
)
from asyncapi_server.diff.schemas.compare import compare
from asyncapi_server.diff.schemas.schema import Schema

_TEXT = {"type": "string"}


def pairs(old: Sequence[Channel], new: Sequence[Channel]) -> list[tuple[Channel, Channel]]:
    """The channels of both documents in pairs: by key, else by their order at an address."""
    mine = {channel.key: channel for channel in old}
    theirs = {channel.key: channel for channel in new}
    found = [(mine.pop(key), theirs.pop(key)) for key in list(mine) if key in theirs]
    for channel in mine.values():
        twin = next((key for key, c in theirs.items() if c.shape == channel.shape), None)
        if twin is not None and channel.address is not None:
            found.append((channel, theirs.pop(twin)))
    return found


def compare_channels(old: Channel | None, new: Channel | None) -> Iterator[Change]:
    """The changes of a channel object; one that is missing counts as empty.

    Its messages are compared elsewhere, with those of other channels at its address.
    """
    there = new or old
    if there is None:
        return
    before = old.part if old is not None else there.part.with_members({})
    after = new.part if new is not None else there.part.with_members({})
    yield from compare_objects(there.where, before, after, _CHANNEL)
    if old is not None and new is not None:
        yield from _parameters(old, new)


def _parameters(old: Channel, new: Channel) -> Iterator[Change]:
    mine, theirs = _described(old), _described(new)
    for name in dict.fromkeys((*mine, *theirs)):
        where = f"{new.where} parameter {name}"
        before, after = mine.get(name), theirs.get(name)
        if name in _positions(new).values() or (before is not None and after is not None):
            one, two = (_schema(part, c) for part, c in ((before, old), (after, new)))
            yield from compare(one, two, Side.SENDERS, where)
            empty = new.part.with_members({})
            yield from compare_objects(where, before or empty, after or empty, _PARAMETER)
        else:
            yield from unmodelled(before, after, new.part)


def _described(channel: Channel) -> dict[str, Part]:
    """The parameters that are described: those of the address by position, others by name."""
    positions = _positions(channel)
    found = channel.part.members("parameters")
    return {positions.get(name, name): part for name, part in found.items()}


def _positions(channel: Channel) -> dict[str, str]:
    """The position of each parameter in the address: "1" for the first."""
    names = re.findall(r"\{([^{}]*)\}", channel.address or "")
    return {name: str(position) for position, name in enumerate(names, 1)}


def _schema(parameter: Part | None, channel: Channel) -> Schema:
    """The schema of a parameter, a text: of 2.x its own, of 3.x by its `enum`."""
    holder = channel.part if parameter is None else parameter
    if parameter is not None and "schema" in parameter:
        return Schema.of(parameter, "schema")
    fields = {} if parameter is None else parameter.fields
    known: Mapping[str, object] = {key: fields[key] for key in ("enum", "default") if key in fields}
    node = made(holder.node, {**_TEXT, **known})
    return Schema(node, holder.spec.dialect, holder.spec, holder.context)


def _handshake(key: str) -> Rule:
    """The rule for a schema of the request that opens a connection."""

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        before, after = (Schema.of(part, key) for part in (old, new))
        yield from compare(before, after, Side.SENDERS, f"{where} {key}")

    return rule


def _with_default(key: str, default: str) -> Rule:
    """The rule for a key that is not modelled, and has a default."""

    def rule(where: str, old: Part, new: Part) -> Iterator[Change]:
        if old.literal(key, default) != new.literal(key, default):
            yield from unmodelled(old.get(key), new.get(key), new)
        elif (key in old) is not (key in new):
            step, why = f"{key} {default} is spelled out or left out", "it is the default"
            yield words(new.place, where, step, why)

    return rule


_WEBSOCKET: dict[str, Rule] = {
    "bindingVersion": _with_default("bindingVersion", "0.1.0"),
    "method": _with_default("method", "GET"),
    **{key: _handshake(key) for key in ("query", "headers")},
}
_BINDINGS: dict[str, Rule] = {key: inside(key, _WEBSOCKET) for key in ("ws", "websockets")}
_CHANNEL: dict[str, Rule] = {
    **dict.fromkeys(("title", "summary", "description", "tags", "externalDocs"), annotation),
    **dict.fromkeys(("address", "messages", "parameters", "publish", "subscribe"), elsewhere),
    "servers": references("servers"),
    "bindings": inside("bindings", _BINDINGS),
}
_PARAMETER: dict[str, Rule] = {
    **dict.fromkeys(("description", "examples"), annotation),
    **dict.fromkeys(("schema", "enum", "default"), elsewhere),
}
