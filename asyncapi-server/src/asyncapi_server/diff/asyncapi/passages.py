"""Compares the messages that pass at an address in one direction.

Clients ignore messages of a kind that they do not know only if the terms say so. A reply of a new
kind breaks even then, since a client that asks waits for one that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from asyncapi_server.diff.asyncapi.credentials import credentials
from asyncapi_server.diff.asyncapi.messages import compare_messages, described
from asyncapi_server.diff.asyncapi.model import Operation
from asyncapi_server.diff.asyncapi.traffic import Label, Passage, Traffic, Way
from asyncapi_server.diff.changes import Change, Side, breaking, compatible, words
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import unmodelled
from asyncapi_server.diff.schemas.equality import signature
from asyncapi_server.diff.schemas.schema import Schema
from asyncapi_server.diff.security import holds
from asyncapi_server.diff.values import canonical
from asyncapi_server.document.dialects import dialect_of

Passages = Mapping[str, Passage]
_Key = Callable[[Passage], object]


def compare_traffic(old: Traffic, new: Traffic) -> Iterator[Change]:
    """The changes of the messages of two documents."""
    ways = dict.fromkeys((*old.ways, *new.ways))
    known = [way for way in ways if way[0] in old.channels and way[0] in new.channels]
    renamed = {
        (way[0], one.message.name): two.message.name
        for way in known
        for one, two in pairs(old.passages(way), new.passages(way))
    }
    for way in known:
        yield from _compare_way(way, old, new, renamed)


def pairs(old: Passages, new: Passages) -> list[tuple[Passage, Passage]]:
    """The passages in pairs: by name, else by the `name` of the message.

    Where one has no name they are paired by their payloads, else by their places.
    """
    mine, theirs = dict(old), dict(new)
    found: list[tuple[Passage, Passage]] = []
    for key in (_own_key, _own_name, _payload, _place, _any):
        one, two = _by(key, mine), _by(key, theirs)
        for value in one.keys() & two.keys() - {None}:
            if len(one[value]) == len(two[value]) == 1:
                pair = one[value][0], two[value][0]
                if key in (_own_key, _own_name) or not _are_named(*pair):
                    found.append((mine.pop(pair[0].name), theirs.pop(pair[1].name)))
    order = {name: number for number, name in enumerate(new)}
    return sorted(found, key=lambda pair: order[pair[1].name])


def _by(key: _Key, passages: Passages) -> dict[object, list[Passage]]:
    """The passages by a key; None for those that have none."""
    found: dict[object, list[Passage]] = {}
    for passage in passages.values():
        found.setdefault(key(passage), []).append(passage)
    return found


def _are_named(one: Passage, two: Passage) -> bool:
    return one.message.is_named and two.message.is_named


def _own_key(passage: Passage) -> object:
    return passage.name if passage.message.is_named else None


def _own_name(passage: Passage) -> object:
    name = passage.message.part.literal("name")
    return None if name is None else str(name)


def _payload(passage: Passage) -> object:
    part = passage.message.part
    (holder, key), schema_format = described(part, "payload")
    dialect = dialect_of(schema_format)
    if dialect is None:
        return canonical(part.fields.get("payload"))
    return signature(Schema.of(holder, key, dialect))


def _place(passage: Passage) -> object:
    return passage.name


def _any(_passage: Passage) -> object:
    return True


def _compare_way(
    way: Way, old: Traffic, new: Traffic, renamed: Mapping[Label, str]
) -> Iterator[Change]:
    shape, side = way
    mine, theirs = old.passages(way), new.passages(way)
    channel = new.channels[shape]
    paired = pairs(mine, theirs)
    before, after = {one.name for one, _ in paired}, {two.name for _, two in paired}
    for name in mine:
        if name not in before:
            yield _gone(f"{channel.where} {name}", channel.part, side)
    for name, passage in theirs.items():
        if name not in after:
            yield _new(f"{channel.where} {name}", passage, side)
    for one, two in paired:
        where = f"{channel.where} {two.name}"
        if one.name != two.name:
            step, why = f"the key {one.name} becomes {two.name}", "it is the same message"
            yield words(two.message.part.place, where, step, why)
        yield from compare_messages(where, one.message, two.message, side)
        yield from _admitted(where, one, two)
        if side is not None:
            yield from _replies(where, one, two, side, renamed)


def _gone(where: str, holder: Part, side: Side | None) -> Change:
    why = "clients that send it are refused"
    if side is not Side.SENDERS:
        why = "clients that wait for it never get it"
    whom = () if side is None else (side,)
    return breaking(holder.place, where, "the message is gone", why, *whom)


def _new(where: str, passage: Passage, side: Side | None) -> Change:
    part = passage.message.part
    if side is Side.SENDERS:
        return compatible(part.place, where, "clients may send this message", "nobody has to")
    if side is None:
        return compatible(part.place, where, "the message is new", "no operation has it")
    what = "the server may send this message"
    if part.context.terms.open_messages:
        why = "clients ignore messages that they do not know, as these terms ask them to"
        return compatible(part.place, where, what, why)
    why = "nothing says that clients ignore messages that they do not know"
    return breaking(part.place, where, what, why, side)


def _admitted(where: str, old: Passage, new: Passage) -> Iterator[Change]:
    """The servers that admit a message, of those that both documents have."""
    before, after = old.servers & new.known, new.servers & old.known
    if before == after:
        return
    step = f"on {_listed(before)} becomes on {_listed(after)}"
    place = new.message.part.place
    if before <= after:
        yield compatible(place, where, step, "where it was admitted it still is")
    else:
        why = "on a server that admitted it, it is not admitted now"
        yield breaking(place, where, step, why)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "no server"


def _replies(
    where: str, old: Passage, new: Passage, side: Side, renamed: Mapping[Label, str]
) -> Iterator[Change]:
    before = {(shape, renamed.get((shape, name), name)) for shape, name in old.replies}
    after = set(new.replies)
    for _, name in sorted(after - before):
        yield _new_reply(where, name, new, side, is_first=not before)
    for _, name in sorted(before - after):
        place = new.message.part.place
        if side is Side.SENDERS:
            step = f"it is not answered by {name} any more"
            why = "a client that waits for it never gets it"
            yield breaking(place, where, step, why, Side.READERS)
        else:
            step = f"clients may not answer it by {name} any more"
            yield breaking(place, where, step, "what they answer is refused", Side.SENDERS)


def _new_reply(where: str, name: str, request: Passage, side: Side, *, is_first: bool) -> Change:
    place = request.message.part.place
    if side is Side.READERS:
        return compatible(place, where, f"clients may answer it by {name} now", "nobody has to")
    step = f"it may be answered by {name} now"
    if is_first:
        why = "no client that asks waits for a reply"
        return compatible(place, where, step, why)
    why = "a client that asks waits for the replies that it knows"
    return breaking(place, where, step, why, Side.READERS)


def moved(
    old: Operation, new: Operation | None, way: Way, before: Traffic, after: Traffic
) -> Iterator[str]:
    """The names of messages that an operation has no more, and others have that ask for more."""
    for one, two in pairs(before.passages(way), after.passages(way)):
        if old not in one.operations or new in two.operations:
            continue
        if not any(_is_open_to(old.part, other.part) for other in two.operations):
            yield two.name


def _is_open_to(old: Part, new: Part) -> bool:
    """Whether what one operation asks for is enough for another one."""
    bindings = old.get("bindings"), new.get("bindings")
    is_bound_alike = next(iter(unmodelled(*bindings, new)), None) is None
    return is_bound_alike and holds(credentials(old), credentials(new))
