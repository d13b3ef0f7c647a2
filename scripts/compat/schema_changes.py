"""The changes between two JSON Schemas of a value, by the direction in which the value travels.

`schemas` decides for the schemas as a whole whether clients still work. The walk here finds the
places and describes them, and decides on keywords that validation ignores: `format`, `default`,
`readOnly`, removed properties, and every keyword that is not modelled, which breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from scripts.compat.changes import Change, Direction, Level
from scripts.compat.differences import BOTH, Difference, unmodelled_keyword, unvalidated
from scripts.compat.parts import NOT_MODELLED, Object, equal, short
from scripts.compat.schemas import PROPERTY, Effect, Schema, effect, within

_GROUPS = (
    ("type", "enum", "const"),
    ("minimum", "exclusiveMinimum"),
    ("maximum", "exclusiveMaximum"),
    ("multipleOf",),
    ("minLength",),
    ("maxLength",),
    ("pattern",),
    ("required",),
    ("minProperties",),
    ("maxProperties",),
    ("patternProperties", "propertyNames", "dependencies"),
    ("minItems",),
    ("maxItems",),
    ("uniqueItems",),
    ("contains",),
    ("not", "if", "then", "else"),
)
"""Keywords that have a meaning only together."""
_CHOICES = ("allOf", "anyOf", "oneOf")


def compare(old: Schema, new: Schema, direction: Direction, place: str) -> list[Change]:
    """The changes of one schema, each with its place below `place`."""
    old, new = (replace(schema, direction=direction) for schema in (old, new))
    allowed = Effect.WIDER if direction is Direction.CLIENT else Effect.NARROWER
    verdict = effect(old, new)
    sound = verdict in (Effect.SAME, allowed)
    found = []
    for each in _Walk().walk(old, new, ""):
        if each.fixed is not None:
            breaks = direction in each.fixed
        else:
            breaks = not (sound and each.proven) and each.effect not in (Effect.SAME, allowed)
        level = Level.BREAKING if breaks else each.otherwise
        where = f"#{each.pointer}" if each.pointer else f"{place}{each.path}"
        found.append(Change(level, where, each.what, _why(each, direction, breaks)))
    if not sound and all(change.level is not Level.BREAKING for change in found):
        what = "the schema is another one"
        why = "it could not be proven that clients of the old document still work"
        found.append(Change(Level.BREAKING, place, what, why))
    return found


def _why(each: Difference, direction: Direction, breaks: bool) -> str:
    if each.why and (breaks or each.fixed is not None):
        return each.why
    if each.otherwise is Level.WORDS and not breaks:
        return "it takes the same values as before"
    if direction is Direction.CLIENT:
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


class _Walk:
    """The differences of two schemas, place by place."""

    def __init__(self) -> None:
        self._seen: set[tuple[str | None, str | None]] = set()

    def walk(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        if old.same_as(new):
            return
        if not equal(old.beside, new.beside):
            yield unmodelled_keyword(new, path, "what stands beside $ref", old.beside, new.beside)
        references = old.reference, new.reference
        if None not in references:
            if references in self._seen:
                return
            self._seen.add(references)
        before, after = old.plain(), new.plain()
        plain = not isinstance(old.value, bool) and not isinstance(new.value, bool)
        if not plain or _choices(before) != _choices(after):
            yield from _whole(old, new, path)
            return
        for keyword in _CHOICES:
            for number, (one, two) in enumerate(_paired(old, new, keyword), 1):
                below = path if keyword == "allOf" else f"{path} ({keyword} {number})"
                yield from self.walk(one, two, below)
        for group in _GROUPS:
            mine, theirs = (_only(keywords, group, old) for keywords in (before, after))
            yield from _group(old.part(mine), new.part(theirs), path)
        yield from self._properties(old, new, path)
        yield from self._items(old, new, path)
        yield from unvalidated(old, new, path)

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        mine, theirs = (_map(schema.plain(), "properties") for schema in (old, new))
        one, two = (schema.member("additionalProperties") for schema in (old, new))
        for name in dict.fromkeys((*mine, *theirs)):
            where = f"{path}/{name}"
            if name not in theirs:
                yield Difference(
                    where,
                    "the property is gone",
                    Effect.OTHER,
                    fixed=BOTH,
                    why="clients that send it are refused or passed over, "
                    "clients that read it do not find it",
                )
            elif name not in mine:
                found = effect(one, new.member("properties", name))
                yield Difference(where, "the property is new", found)
            else:
                below, now = (schema.member("properties", name) for schema in (old, new))
                yield from self.walk(below, now, where)
        yield from self.walk(one, two, f"{path}/*")

    def _items(self, old: Schema, new: Schema, path: str) -> Iterator[Difference]:
        mine, theirs = (schema.member("items") for schema in (old, new))
        if not isinstance(mine.value, list) and not isinstance(theirs.value, list):
            yield from self.walk(mine, theirs, f"{path}/[]")
            return
        lengths = [len(_list(schema.plain(), "items")) for schema in (old, new)]
        if lengths[0] != lengths[1]:
            group = ("items", "additionalItems")
            one, two = (schema.part(_only(schema.plain(), group, old)) for schema in (old, new))
            yield from _group(one, two, path)
            return
        for index in range(lengths[0]):
            one, two = (schema.member("items", index) for schema in (old, new))
            yield from self.walk(one, two, f"{path}/[{index}]")
        one, two = (schema.member("additionalItems") for schema in (old, new))
        yield from self.walk(one, two, f"{path}/[*]")


def _only(keywords: Object, group: tuple[str, ...], schema: Schema) -> Object:
    known = schema.dialect.assertions
    return {
        keyword: keywords[keyword] for keyword in group if keyword in keywords and keyword in known
    }


def _group(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    """The differences of keywords that belong together."""
    if old.same_as(new):
        return
    before, after = old.plain(), new.plain()
    found = effect(old, new)
    # The documents ask clients to ignore unknown fields and types, never values.
    surprise = "clients may get a value that they do not know" if "enum" in before else ""
    yield Difference(
        path,
        _step(before, after),
        found,
        why=surprise * (found is Effect.WIDER),
        otherwise=Level.WORDS if found is Effect.SAME else Level.COMPATIBLE,
    )
    yield from _beyond(old, new, found, path)


def _whole(old: Schema, new: Schema, path: str) -> Iterator[Difference]:
    """The differences of two schemas of different form, such as a choice and a plain schema."""
    if equal(old.value, new.value) and isinstance(old.value, bool):
        return
    found = effect(old, new)
    bare = isinstance(old.value, bool) or isinstance(new.value, bool)
    null = old.part({"enum": [None]})
    before, after = within(null, old), within(null, new)
    if before != after and not bare:
        what = "it may be null now" if after else "it is never null now"
    else:
        what = f"{_name(old)} becomes {_name(new)}"
    level = Level.WORDS if found is Effect.SAME else Level.COMPATIBLE
    yield Difference(path, what, found, otherwise=level)
    if not bare or found is Effect.SAME:
        yield from _beyond(old, new, found, path)


def _beyond(old: Schema, new: Schema, found: Effect, path: str) -> Iterator[Difference]:
    """Differences of two whole schemas beyond the values that they accept.

    Formats and fields of an alternative may come when the schema widens and go when it narrows.
    """
    before, after = old.facts(regrouped=True), new.facts(regrouped=True)
    for sign, those, free in (
        ("is gone", before - after, found is Effect.NARROWER),
        ("is new", after - before, found is Effect.WIDER),
    ):
        for where, keyword, value in sorted(those):
            field = keyword == PROPERTY
            if (free and (field or keyword == "format")) or (field and sign == "is new"):
                continue
            yield Difference(
                f"{path}{where}",
                f"{keyword} {value} {sign}".replace("  ", " "),
                Effect.OTHER,
                fixed=BOTH,
                why=NOT_MODELLED,
                pointer=new.follow().pointer,
            )


def _paired(old: Schema, new: Schema, keyword: str) -> Iterator[tuple[Schema, Schema]]:
    """The alternatives of two choices in pairs: equal ones first, the others in order."""
    mine, theirs = (
        [schema.member(keyword, i) for i in range(len(_list(schema.plain(), keyword)))]
        for schema in (old, new)
    )
    for one in list(mine):
        twin = next((two for two in theirs if one.same_as(two)), None)
        if twin is not None:
            mine.remove(one)
            theirs.remove(twin)
            yield one, twin
    yield from zip(mine, theirs, strict=True)


def _step(before: Object, after: Object) -> str:
    """The change of some keywords, without those that are equal."""
    names = [n for n in dict.fromkeys((*before, *after)) if before.get(n) != after.get(n)]
    before, after = ({n: each[n] for n in names if n in each} for each in (before, after))
    one, two = (_list(keywords, names[0]) if names else [] for keywords in (before, after))
    if len(names) == 1 and one and two:
        steps = (("gains", two, one), ("loses", one, two))
        parts = [(verb, [v for v in here if v not in there]) for verb, here, there in steps]
        changed = [f"{verb} {short(values)}" for verb, values in parts if values]
        return f"{names[0]} {' and '.join(changed) or 'changes its order'}"
    return f"{_words(before)} becomes {_words(after)}"


def _words(keywords: Object) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in keywords.items()) or "no bound"


def _name(schema: Schema) -> str:
    if isinstance(schema.value, bool):
        return "anything" if schema.value else "nothing"
    choice = next((keyword for keyword in _CHOICES if keyword in schema.plain()), None)
    return f"a schema with {choice}" if choice else "a plain schema"


def _choices(schema: Object) -> list[int]:
    """How many alternatives each kind of choice has."""
    return [len(_list(schema, keyword)) for keyword in _CHOICES]


def _list(schema: Object, keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _map(schema: Object, keyword: str) -> Object:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}
