"""Compares operations of AsyncAPI, by their names, which are those of generated code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncapi_server.diff.asyncapi.credentials import security
from asyncapi_server.diff.asyncapi.model import Operation
from asyncapi_server.diff.asyncapi.passages import moved
from asyncapi_server.diff.asyncapi.traffic import Traffic
from asyncapi_server.diff.changes import Change, Side, breaking, compatible
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import (
    Rule,
    annotation,
    compare_objects,
    elsewhere,
    inside,
    references,
)


def compare_operations(
    old: Sequence[Operation],
    new: Sequence[Operation],
    traffic: tuple[Traffic, Traffic],
    holder: Part,
) -> Iterator[Change]:
    """The changes of the operations of two documents, which have the traffic."""
    paired = _pairs(old, new)
    theirs = set(paired.values())
    for operation in old:
        where = f"operation {operation.name}"
        after = paired.get(operation)
        if after is not None:
            yield from _compare(where, operation, after)
        elif operation.is_named:
            why = "generated clients call it by its name"
            yield breaking(holder.place, where, "the operation is gone", why)
        yield from _moved(where, operation, after, traffic, holder)
    for operation in new:
        if operation not in theirs and operation.is_named:
            where = f"operation {operation.name}"
            place = operation.part.place
            yield compatible(place, where, "the operation is new", "nobody has to call it")


def _pairs(old: Sequence[Operation], new: Sequence[Operation]) -> dict[Operation, Operation]:
    """The operations in pairs: by name, else by channel and action where one has no name."""
    known = {operation.name: operation for operation in new}
    found = {each: known[each.name] for each in old if each.name in known}
    left = [each for each in new if each not in found.values()]
    for operation in old:
        twins = [each for each in left if _fit(operation, each)]
        if operation not in found and len(twins) == 1:
            found[operation] = twins[0]
            left.remove(twins[0])
    return found


def _fit(old: Operation, new: Operation) -> bool:
    return (
        not (old.is_named and new.is_named)
        and old.is_received is new.is_received
        and old.channel.shape == new.channel.shape
    )


def _compare(where: str, old: Operation, new: Operation) -> Iterator[Change]:
    if old.is_named and not new.is_named:
        why = "generated clients call it by its name"
        yield breaking(new.part.place, where, "its name is gone", why)
    if old.is_received is not new.is_received:
        actions = ("send", "receive")
        step = f"action {actions[old.is_received]} becomes {actions[new.is_received]}"
        yield breaking(new.part.place, where, step, "its messages go the other way")
    yield from compare_objects(where, old.part, new.part, _OPERATION)


def _moved(
    where: str,
    old: Operation,
    new: Operation | None,
    traffic: tuple[Traffic, Traffic],
    holder: Part,
) -> Iterator[Change]:
    """The messages that an operation has no more, where no other one has them on its terms."""
    side = Side.SENDERS if old.is_received else Side.READERS
    for name in moved(old, new, (old.channel.shape, side), *traffic):
        why = "what has it now asks for other credentials, or is bound in another way"
        place = holder.place if new is None else new.part.place
        yield breaking(place, where, f"it has {name} no more", why, side)


_REPLY: dict[str, Rule] = {
    "description": annotation,
    **{key: references(key) for key in ("channel", "messages")},
}
_OPERATION: dict[str, Rule] = {
    **dict.fromkeys(("title", "summary", "description", "tags", "externalDocs"), annotation),
    **dict.fromkeys(("action", "operationId"), elsewhere),
    **{key: references(key) for key in ("channel", "message", "messages")},
    "security": security,
    "reply": inside("reply", _REPLY),
}
