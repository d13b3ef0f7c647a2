"""Compares what two AsyncAPI documents promise on the wire, not how they are written."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.asyncapi import version2, version3
from asyncapi_server.diff.asyncapi.channels import compare_channels, pairs
from asyncapi_server.diff.asyncapi.model import Channel, Stream
from asyncapi_server.diff.asyncapi.operations import compare_operations
from asyncapi_server.diff.asyncapi.passages import compare_traffic
from asyncapi_server.diff.asyncapi.servers import compare_servers
from asyncapi_server.diff.asyncapi.traffic import Traffic
from asyncapi_server.diff.changes import Change, breaking, compatible
from asyncapi_server.diff.heads import edition, info
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere
from asyncapi_server.diff.unused import unused_components


def compare_asyncapi(old: Part, new: Part) -> Iterator[Change]:
    """The changes between two documents, given by their roots; raises DocumentError."""
    before, after = _read(old), _read(new)
    traffic = Traffic(before), Traffic(after)
    yield from compare_servers(before.servers, after.servers, new.get("servers") or new)
    yield from _addresses(*traffic, new.get("channels") or new)
    yield from compare_traffic(*traffic)
    yield from _channels(before, after)
    holder = new.get("operations") or new
    yield from compare_operations(before.operations, after.operations, traffic, holder)
    yield from compare_objects("", old, new, _DOCUMENT)


def _read(root: Part) -> Stream:
    return version2.read(root) if root.spec.edition < "3" else version3.read(root)


def _addresses(old: Traffic, new: Traffic, holder: Part) -> Iterator[Change]:
    """The addresses that one document lacks."""
    for shape in dict.fromkeys((*old.channels, *new.channels)):
        if shape not in new.channels:
            where, why = old.channels[shape].where, "clients connect to this address"
            yield breaking(holder.place, where, "the channel is gone", why)
        elif shape not in old.channels:
            channel = new.channels[shape]
            what, why = "the channel is new", "nobody has to use it"
            yield compatible(channel.part.place, channel.where, what, why)


def _channels(old: Stream, new: Stream) -> Iterator[Change]:
    """The channel objects; one that only one document has counts where both have its address."""
    paired = pairs(old.channels, new.channels)
    for before, after in paired:
        yield from compare_channels(before, after)
    known = {channel for pair in paired for channel in pair}
    shapes = {c.shape for c in old.channels} & {c.shape for c in new.channels}
    yield from _unpaired(old, known, shapes, is_old=True)
    yield from _unpaired(new, known, shapes, is_old=False)


def _unpaired(
    stream: Stream, known: set[Channel], shapes: set[str], *, is_old: bool
) -> Iterator[Change]:
    for channel in stream.channels:
        if channel not in known and channel.shape in shapes:
            yield from compare_channels(channel if is_old else None, None if is_old else channel)


_DOCUMENT: dict[str, Rule] = {
    "asyncapi": edition,
    "info": info,
    **dict.fromkeys(("tags", "externalDocs"), annotation),
    **dict.fromkeys(("defaultContentType", "servers", "channels", "operations"), elsewhere),
    "components": unused_components,
}
