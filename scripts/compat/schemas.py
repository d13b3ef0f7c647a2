"""Two JSON Schemas of one value, compared by the direction in which the value travels.

Whether one schema takes all that another takes is decided for the schemas as a whole, by
jsonschema-rs; what cannot be proven counts as breaking. The walk beside it finds the places and
the words for the differences, and decides on nothing but what validation does not see: `format`,
`default`, and properties that are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import jsonschema_rs
from jsonschema_rs.canonical import Containment

from scripts.compat.changes import Change, Direction, Level
from wsrouter.pointer import lookup, tokens

Object = Mapping[str, object]

_HOLDERS = ("components", "definitions")
"""Where the schemas that references lead to are kept in a self-contained schema."""
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
    ("contains", "additionalItems"),
    ("not", "if", "then", "else"),
)
"""Keywords that mean something only together."""
_CHOICES = ("allOf", "anyOf", "oneOf")


class Effect(Enum):
    """What a difference does to the set of values that a schema takes."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"
    """Neither, or it could not be proven."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema or a part of one, with the document that its references lead into."""

    value: object
    root: Object
    draft: int = 7

    @classmethod
    def whole(cls, value: Object, draft: int = 7) -> Schema:
        """A self-contained schema: what it refers to stands under `definitions`."""
        return cls(value, value, draft)

    def part(self, value: object) -> Schema:
        """A schema inside this one's document."""
        return Schema(value, self.root, self.draft)

    @property
    def reference(self) -> str | None:
        """Where the schema leads to when it is a reference."""
        target = self.value.get("$ref") if isinstance(self.value, Mapping) else None
        return target if isinstance(target, str) else None

    def follow(self) -> Schema:
        """The schema at the end of its references; one that goes in a circle takes anything."""
        schema, met = self, set[str]()
        while (reference := schema.reference) is not None:
            if reference in met:
                return self.part({})
            met.add(reference)
            schema = self.part(lookup(self.root, tokens(reference.removeprefix("#"))))
        return schema

    def plain(self) -> Object:
        """The keywords of the schema, references followed."""
        value = self.follow().value
        if isinstance(value, Mapping):
            return value
        return {"not": {}} if value is False else {}

    def standalone(self) -> dict[str, object]:
        """The schema with all that it may refer to."""
        held = {name: self.root[name] for name in _HOLDERS if name in self.root}
        own = self.plain() if isinstance(self.value, bool) else self.value
        return {"allOf": [own], **held}


def within(one: Schema, other: Schema) -> bool:
    """Whether it is proven that every value of `one` is a value of `other`."""
    if (one.value, one.root) == (other.value, other.root):
        return True
    small, large = (
        jsonschema_rs.canonicalize(schema.standalone(), draft=schema.draft, offline=True)
        for schema in (one, other)
    )
    return large.covers(small) == Containment.YES


def effect(old: Schema, new: Schema) -> Effect:
    """What the step from `old` to `new` does to the set of values."""
    wider, narrower = within(old, new), within(new, old)
    if wider and narrower:
        return Effect.SAME
    if wider:
        return Effect.WIDER
    return Effect.NARROWER if narrower else Effect.OTHER


def compare(old: Schema, new: Schema, direction: Direction, place: str) -> list[Change]:
    """The changes of one schema, each with its place below `place`."""
    allowed = Effect.WIDER if direction is Direction.CLIENT else Effect.NARROWER
    verdict = effect(old, new)
    sound = verdict in (Effect.SAME, allowed)
    found = []
    for each in _Walk().walk(old, new, ""):
        if each.fixed is not None:
            breaks = direction in each.fixed
        else:
            breaks = not (sound and each.proven) and each.effect not in (Effect.SAME, allowed)
        level = Level.BREAKING if breaks else Level.COMPATIBLE
        found.append(Change(level, f"{place}{each.path}", each.what, _why(each, direction, breaks)))
    if not sound and all(change.level is not Level.BREAKING for change in found):
        what = "the schema is another one"
        why = "it could not be proven that clients of the old document get along with it"
        found.append(Change(Level.BREAKING, place, what, why))
    return found


@dataclass(frozen=True, slots=True)
class _Difference:
    path: str
    what: str
    effect: Effect
    proven: bool = True
    """Whether the verdict on the whole schemas covers it."""
    fixed: frozenset[Direction] | None = None
    """The directions in which it breaks whatever the schemas take; None: by its effect."""
    why: str = ""


def _why(each: _Difference, direction: Direction, breaks: bool) -> str:
    if each.why and (breaks or each.fixed is not None):
        return each.why
    if direction is Direction.CLIENT:
        return (
            "some of what clients may send is refused now"
            if breaks
            else "everything that clients may send is still taken"
        )
    return (
        "clients may get what the document has ruled out until now"
        if breaks
        else "clients get nothing that they had not to expect before"
    )


class _Walk:
    """The differences of two schemas, place by place."""

    def __init__(self) -> None:
        self._seen: set[tuple[str | None, str | None]] = set()

    def walk(self, old: Schema, new: Schema, path: str) -> Iterator[_Difference]:
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
            pairs = zip(_list(before, keyword), _list(after, keyword), strict=True)
            for number, (one, two) in enumerate(pairs, 1):
                below = path if keyword == "allOf" else f"{path} ({keyword} {number})"
                yield from self.walk(old.part(one), new.part(two), below)
        for group in _GROUPS:
            yield from _group(old, new, group, path)
        yield from _format(before, after, path)
        yield from _default(before, after, path)
        yield from self._properties(old, new, path)
        yield from self._items(old, new, path)

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[_Difference]:
        before, after = old.plain(), new.plain()
        mine, theirs = _map(before, "properties"), _map(after, "properties")
        one, two = (s.part(s.plain().get("additionalProperties", True)) for s in (old, new))
        for name in dict.fromkeys((*mine, *theirs)):
            where = f"{path}/{name}"
            if name not in theirs:
                yield _Difference(
                    where,
                    "the property is gone",
                    Effect.OTHER,
                    fixed=frozenset(Direction),
                    why="clients that send it are refused or passed over, "
                    "clients that read it do not find it",
                )
            elif name not in mine:
                found = effect(one, new.part(theirs[name]))
                yield _Difference(where, "the property is new", found)
            else:
                yield from self.walk(old.part(mine[name]), new.part(theirs[name]), where)
        yield from self.walk(one, two, f"{path}/*")

    def _items(self, old: Schema, new: Schema, path: str) -> Iterator[_Difference]:
        mine, theirs = (schema.plain().get("items", True) for schema in (old, new))
        if isinstance(mine, list) or isinstance(theirs, list):
            yield from _group(old, new, ("items", "additionalItems"), path)
        else:
            yield from self.walk(old.part(mine), new.part(theirs), f"{path}/[]")


def _group(old: Schema, new: Schema, keywords: tuple[str, ...], path: str) -> Iterator[_Difference]:
    """The difference of keywords that belong together."""
    before, after = (
        {k: schema.plain()[k] for k in keywords if k in schema.plain()} for schema in (old, new)
    )
    if before == after:
        return
    found = effect(old.part(before), new.part(after))
    if found is not Effect.SAME:
        # The documents ask clients to pass over unknown fields and types, never values.
        why = "clients may get a value that they do not know" if "enum" in before else ""
        yield _Difference(path, _step(before, after), found, why=why * (found is Effect.WIDER))


def _whole(old: Schema, new: Schema, path: str) -> Iterator[_Difference]:
    """The difference of two schemas that have no parts in common, as of a choice and no choice."""
    found = effect(old, new)
    if found is Effect.SAME:
        return
    null = old.part({"enum": [None]})
    before, after = within(null, old), within(null, new)
    if before != after and not isinstance(old.value, bool) and not isinstance(new.value, bool):
        what = "it may be null now" if after else "it is never null now"
    else:
        what = f"{_name(old)} becomes {_name(new)}"
    yield _Difference(path, what, found)


def _format(before: Object, after: Object, path: str) -> Iterator[_Difference]:
    """Validators pass `format` over, but generated code does not."""
    one, two = before.get("format"), after.get("format")
    if one == two:
        return
    found = Effect.OTHER
    if one is None:
        found = Effect.NARROWER
    elif two is None:
        found = Effect.WIDER
    why = "code that was written for the old format may not understand the new one"
    what = f"format {one or 'none'} becomes {two or 'none'}"
    yield _Difference(path, what, found, proven=False, why=why)


def _default(before: Object, after: Object, path: str) -> Iterator[_Difference]:
    one, two = before.get("default"), after.get("default")
    if one != two:
        yield _Difference(
            path,
            f"default {_short(one)} becomes {_short(two)}",
            Effect.OTHER,
            fixed=frozenset({Direction.CLIENT}),
            why="a request that leaves it out means something else now",
        )


def _step(before: Object, after: Object) -> str:
    """What became of keywords: only what differs."""
    names = [n for n in dict.fromkeys((*before, *after)) if before.get(n) != after.get(n)]
    before, after = ({n: each[n] for n in names if n in each} for each in (before, after))
    one, two = (_list(keywords, names[0]) for keywords in (before, after))
    if len(names) == 1 and one and two:
        steps = (("gains", two, one), ("loses", one, two))
        parts = [(verb, [v for v in here if v not in there]) for verb, here, there in steps]
        return f"{names[0]} " + " and ".join(f"{verb} {_short(v)}" for verb, v in parts if v)
    return f"{_words(before)} becomes {_words(after)}"


def _words(keywords: Object) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in keywords.items()) or "no bound"


def _name(schema: Schema) -> str:
    if isinstance(schema.value, bool):
        return "anything" if schema.value else "nothing"
    choice = next((keyword for keyword in _CHOICES if keyword in schema.plain()), None)
    return f"a schema with {choice}" if choice else "a plain schema"


def _choices(schema: Object) -> list[int]:
    """How many alternatives each kind of choice has."""
    return [len(_list(schema, keyword)) for keyword in _CHOICES]


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _list(schema: Object, keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _map(schema: Object, keyword: str) -> Object:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}
