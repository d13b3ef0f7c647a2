"""Whether two schemas say the same, through whatever references.

Alternatives may stand in another order. Those that differ only in what they refer to may not: of
these it is not known that they say the same, which costs a comparison, and no soundness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from asyncapi_server.diff.schemas.schema import Key, Schema
from asyncapi_server.diff.schemas.vocabulary import LIST, MAP, ONE, SETS
from asyncapi_server.diff.values import canonical, equal
from asyncapi_server.document.source import Node

_Pair = tuple[Schema, Schema]
_Keys = tuple[Key, Key]


class _Differ(Exception):
    pass


def same(one: Schema, two: Schema) -> bool:
    """Whether two schemas are known to have the same assertions, and the same facts beyond."""
    return _Search(one.context.memory.setdefault(same, {})).is_in_vain(one, two)


class _Search:
    """The search for a difference of two schemas."""

    def __init__(self, memory: dict[_Keys, tuple[bool, _Pair]]) -> None:
        """`memory` says of pairs whether they are the same, and keeps them: their keys are theirs
        as long as they exist."""
        self._memory = memory
        self._met: dict[_Keys, tuple[_Pair, _Keys | None]] = {}
        """The pairs that were met, each with the one that it is a part of."""

    def is_in_vain(self, one: Schema, two: Schema) -> bool:
        """Whether there is no difference."""
        waiting: list[tuple[_Pair, _Keys | None]] = [((one, two), None)]
        while waiting:
            pair, whole = waiting.pop()
            keys = pair[0].key, pair[1].key
            if not _same_facts(*pair) or not self._memory.get(keys, (True, pair))[0]:
                self._note_difference(whole)
                return False
            if keys in self._memory or keys in self._met:
                continue
            self._met[keys] = pair, whole
            parts = _parts(pair[0].target, pair[1].target)
            if parts is None:
                self._note_difference(keys)
                return False
            waiting += ((part, keys) for part in parts)
        self._memory.update((keys, (True, pair)) for keys, (pair, _) in self._met.items())
        return True

    def _note_difference(self, keys: _Keys | None) -> None:
        """Note that a pair differs, and all of which it is a part."""
        while keys is not None:
            pair, whole = self._met[keys]
            self._memory[keys] = False, pair
            keys = whole


def signature(schema: Schema) -> str:
    """A text that two schemas which say the same have in common: all but what they refer to."""
    memory: dict[Key, tuple[str, Schema]] = schema.context.memory.setdefault(signature, {})
    if schema.key not in memory:
        memory[schema.key] = canonical(_outline(schema.target)), schema
    return memory[schema.key][0]


def _same_facts(one: Schema, two: Schema) -> bool:
    """Whether the same stands beside the references of two schemas."""
    one.context.step()
    return equal(one.beside, two.beside) and _equal(one.overlay, two.overlay)


def _parts(one: Schema, two: Schema) -> list[_Pair] | None:
    """The pairs of schemas below that have to be the same; None when all else differs."""
    if one.is_bool or two.is_bool:
        return [] if one.is_bool and two.is_bool and one.end.value is two.end.value else None
    mine, theirs = one.keywords, two.keywords
    if (
        one.is_dynamic
        or mine.asserted.keys() != theirs.asserted.keys()
        or not _equal(mine.others, theirs.others)
    ):
        return None
    try:
        return [pair for keyword in mine.asserted for pair in _parts_of(one, two, keyword)]
    except _Differ:
        return None


def _parts_of(one: Schema, two: Schema, keyword: str) -> Iterator[_Pair]:
    if keyword in MAP:
        mine, theirs = one.named(keyword), two.named(keyword)
        if mine.keys() != theirs.keys():
            raise _Differ
        yield from ((mine[name], theirs[name]) for name in mine)
    elif keyword in LIST:
        ones, twos = one.listed(keyword), two.listed(keyword)
        if len(ones) != len(twos):
            raise _Differ
        if keyword in SETS:
            ones, twos = sorted(ones, key=signature), sorted(twos, key=signature)
        yield from zip(ones, twos, strict=True)
    elif keyword in ONE:
        yield one.one(keyword), two.one(keyword)
    else:
        first, second = (schema.keywords.asserted[keyword].value for schema in (one, two))
        if keyword in SETS and isinstance(first, list) and isinstance(second, list):
            first, second = (sorted(map(canonical, each)) for each in (first, second))
        if not equal(first, second):
            raise _Differ


def _outline(schema: Schema) -> object:
    """The keywords of a schema, without what it refers to."""
    schema.context.step()
    if schema.is_bool:
        return schema.end.value
    return {keyword: _outlined(schema, keyword) for keyword in schema.keywords.asserted}


def _outlined(schema: Schema, keyword: str) -> object:
    if keyword in MAP:
        return {name: _inline(each) for name, each in schema.named(keyword).items()}
    if keyword in ONE:
        return _inline(schema.one(keyword))
    value: object = schema.keywords.asserted[keyword].value
    if keyword in LIST:
        value = [_inline(each) for each in schema.listed(keyword)]
    is_set = keyword in SETS and isinstance(value, list)
    return sorted(map(canonical, cast("list[object]", value))) if is_set else value


def _inline(schema: Schema) -> object:
    return "a reference" if schema.is_reference else _outline(schema)


def _equal(one: Mapping[str, Node], two: Mapping[str, Node]) -> bool:
    return one.keys() == two.keys() and all(equal(one[key].value, two[key].value) for key in one)
