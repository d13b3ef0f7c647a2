"""The changes between two JSON Schemas of a value, by the side that depends on it.

The proofs decide for the schemas as a whole whether clients still work. The walk finds the places
and describes them, and decides on keywords that validation ignores: `format`, `default`,
`readOnly`, removed properties, and every keyword that is not modelled, which breaks.
"""

from __future__ import annotations

from asyncapi_server.diff.changes import Change, Level, Side
from asyncapi_server.diff.schemas.differences import Difference
from asyncapi_server.diff.schemas.effects import ALLOWED, Effect, effect
from asyncapi_server.diff.schemas.equality import same
from asyncapi_server.diff.schemas.schema import Key, Schema
from asyncapi_server.diff.schemas.walk import Walk

_Memory = dict[tuple[Key, Key], tuple[Schema, Schema, Effect, list[Difference]]]


def compare(old: Schema, new: Schema, side: Side, where: str) -> list[Change]:
    """The changes of one schema, each with its place below `where`."""
    old, new = old.written_by(side), new.written_by(side)
    if same(old, new):
        return []
    verdict, differences = _differences(old, new)
    sound = verdict in (Effect.SAME, ALLOWED[side])
    found = [_change(each, new, side, where, sound=sound) for each in differences]
    if not sound and all(change.level is not Level.BREAKING for change in found):
        what = "the schema is another one"
        why = "it could not be proven that clients of the old document still work"
        place = new.end.place
        found.append(Change(Level.BREAKING, where, what, why, place, frozenset({side})))
    return found


def _differences(old: Schema, new: Schema) -> tuple[Effect, list[Difference]]:
    """The effect of the whole step, and the differences, each pair of schemas once."""
    if old.beside or new.beside or old.overlay or new.overlay:
        return effect(old, new), list(Walk().walk(old, new, ""))
    memory: _Memory = new.context.memory.setdefault(compare, {})
    key = old.key, new.key
    if key not in memory:
        # The keys are theirs as long as the schemas exist, so they are kept.
        memory[key] = old, new, effect(old, new), list(Walk().walk(old, new, ""))
    return memory[key][2:]


def _change(each: Difference, new: Schema, side: Side, where: str, *, sound: bool) -> Change:
    if each.fixed is not None:
        breaks = side in each.fixed
    else:
        breaks = not (sound and each.proven) and each.effect not in (Effect.SAME, ALLOWED[side])
    level = Level.BREAKING if breaks else each.otherwise
    at = f"{where}{each.path}" if each.is_modelled else new.spec.name(each.node)
    whom = frozenset({side}) if breaks else frozenset()
    return Change(level, at, each.what, _why(each, side, breaks=breaks), each.node.place, whom)


def _why(each: Difference, side: Side, *, breaks: bool) -> str:
    if each.why and (breaks or each.fixed is not None):
        return each.why
    if each.otherwise is Level.WORDS and not breaks:
        return "it takes the same values as before"
    if side is Side.SENDERS:
        return (
            "some of what clients may send is refused now"
            if breaks
            else "everything that clients may send is still taken"
        )
    return (
        "clients may get values that the document ruled out before"
        if breaks
        else "clients get only values that they had to expect before"
    )
