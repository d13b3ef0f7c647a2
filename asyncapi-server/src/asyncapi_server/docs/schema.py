"""A schema as lines of a table, one row for each place in a matching value.

What depends on something is indented below a heading: the alternatives of a choice, what is
excluded, what holds under a condition. Texts are Markdown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from asyncapi_server.docs import wording
from asyncapi_server.docs.lines import Heading, Kind, Line, Row
from asyncapi_server.docs.shapes import ANY, Choice, Shape
from asyncapi_server.document.source import DanglingReference, Node

MAX_DEPTH = 12
"""The depth below its root to which a schema is described."""
MAX_LINES = 1_000
"""Lines of one table."""
MAX_REPEATED_LINES = 8
"""A schema with more lines is described once in a table, then referred to."""
MAX_EXAMPLES = 3

_TELLING = frozenset(
    {"contains", "default", "deprecated", "description", "else", "examples", "if", "not", "pattern",
     "patternProperties", "title"}
)  # fmt: skip
"""Keywords of a schema that takes more than a few words."""

Identity = tuple[str, str]


def rows(schema: Node) -> list[Line]:
    """The lines of a schema; the first is for the root itself when it has something to show."""
    table = _Table()
    found = list(table.value([schema], _Place("")))
    if len(found) > 1:
        found = _without_plain_root(found)
    if table.is_full:
        text = f"The table ends here: it has over {MAX_LINES} lines."
        found.append(Heading(Kind.END, text, 0))
    return found


def summary(schema: Node) -> Row:
    """The row of a schema's root."""
    return next(line for line in _Table().value([schema], _Place("")) if isinstance(line, Row))


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a value while the table is made."""

    path: str
    required: bool = True
    depth: int = 0
    levels: int = MAX_DEPTH
    inside: tuple[tuple[Identity, Row], ...] = ()
    """The schemas that it is in."""

    def member(self, name: str, required: bool) -> _Place:
        path = f"{self.path}.{name}" if self.path else name
        return replace(self, path=path, required=required, levels=self.levels - 1)

    def element(self, index: str, required: bool) -> _Place:
        path = f"{self.path}[{index}]"
        return replace(self, path=path, required=required, levels=self.levels - 1)

    def below(self) -> _Place:
        """The same place, below one more heading."""
        return replace(self, depth=self.depth + 1, levels=self.levels - 1)


class _Table:
    """The lines so far, and the schemas that they describe."""

    def __init__(self) -> None:
        self._count = 0
        self._anchors: Counter[str] = Counter()
        self._described: dict[Identity, tuple[Row, int]] = {}
        """Each schema that was referred to: its row, and the number of its lines."""
        self._phrases: dict[Identity, str | None] = {}

    @property
    def is_full(self) -> bool:
        return self._count >= MAX_LINES

    def value(self, nodes: Sequence[Node], place: _Place) -> Iterator[Line]:
        """The lines of schemas that all hold for one value, its own row first."""
        if self.is_full:
            return
        try:
            shape = Shape.of(nodes)
            single = [c for c in shape.choices if len(c.alternatives) == 1]
            for choice in single:
                shape = shape.and_also(choice.alternatives[0])
            row, choices = self._row(shape, place, [c for c in shape.choices if c not in single])
        except DanglingReference as error:
            yield self._counted(
                Row(path=place.path, anchor=self._anchor(place.path), type=ANY,
                    required=place.required, limits=(wording.code(str(error)),),
                    depth=place.depth)
            )  # fmt: skip
            return
        like = self._like(nodes, shape, place)
        if like is not None or place.levels == 0:
            yield self._counted(replace(row, like=like))
            return
        yield self._counted(row)
        start = self._count
        inside = (*place.inside, *((node.identity, row) for node in shape.nodes))
        yield from self._below(shape, choices, replace(place, inside=inside))
        if len(nodes) == 1 and nodes[0].reference is not None:
            self._described[shape.nodes[0].identity] = row, self._count - start

    def _like(self, nodes: Sequence[Node], shape: Shape, place: _Place) -> Row | None:
        """The row that already describes this schema: around this place, or at length before."""
        own = {node.identity for node in shape.nodes}
        for identity, row in place.inside:
            if identity in own:
                return row
        if len(nodes) == 1 and nodes[0].reference is not None:
            described = self._described.get(shape.nodes[0].identity)
            if described is not None and described[1] > MAX_REPEATED_LINES:
                return described[0]
        return None

    def _below(self, shape: Shape, choices: list[Choice], place: _Place) -> Iterator[Line]:
        yield from self._members(shape, place)
        for choice in choices:
            yield from self._choice(choice, place)
        for node in shape.below("not"):
            if wording.excluded(node.value) is None:
                yield from self._branch(Kind.EXCLUDED, f"{_at(place)}not like this", node, place)
        for part in shape.nodes:
            yield from self._conditions(part, place)
        for node in shape.below("contains"):
            if self._phrase(node) is None:
                inside = replace(place, path=f"{place.path}[]")
                text = "at least one element is like this"
                yield from self._branch(Kind.CONDITION, text, node, inside)

    def _members(self, shape: Shape, place: _Place) -> Iterator[Line]:
        for name, nodes in shape.properties.items():
            yield from self.value(nodes, place.member(name, name in shape.required))
        for pattern, node in shape.patterned:
            yield from self.value([node], place.member(f"/{pattern}/", required=False))
        if shape.others:
            yield from self.value(shape.others, place.member("*", required=False))
        least = max((wording.number(s, "minItems") or 0 for s in shape.schemas), default=0)
        for index, node in enumerate(shape.places):
            yield from self.value([node], place.element(str(index), required=index < least))
        if shape.element:
            rest = f"{len(shape.places)}…" if shape.places else ""
            lines = list(self.value(shape.element, place.element(rest, required=True)))
            # The array's row already names an element that is only a type.
            yield from lines if rest else _without_plain_root(lines)

    def _choice(self, choice: Choice, place: _Place) -> Iterator[Line]:
        how = "exactly one" if choice.exclusive else "one or more"
        text = f"{_at(place)}{how} of these {len(choice.alternatives)}"
        yield from self._heading(Kind.CHOICE, text, place)
        labels = [_label(node) for node in choice.alternatives]
        for number, (node, label) in enumerate(zip(choice.alternatives, labels, strict=True), 1):
            phrase = _only_needs(node) or self._phrase(node)
            if phrase is not None and node.reference is None:
                yield from self._heading(Kind.ALTERNATIVE, phrase, place.below())
                continue
            if labels.count(label) > 1 or not label:
                label = f"alternative {number}"
            yield from self._branch(Kind.ALTERNATIVE, label, node, place.below(), is_titled=True)

    def _conditions(self, part: Node, place: _Place) -> Iterator[Line]:
        condition, then, otherwise = (part.raw(keyword) for keyword in ("if", "then", "else"))
        if condition is not None:
            said = wording.condition(condition.value)
            start = f"{_at(place)}if {said or 'it is like this'}"
            if said is None:
                yield from self._branch(Kind.CONDITION, start, condition, place)
                start = f"{_at(place)}then"
            if then is not None:
                yield from self._branch(Kind.CONDITION, start, then, place)
            elif said is not None and otherwise is not None:
                yield from self._heading(Kind.CONDITION, f"{start}: nothing more", place)
            if otherwise is not None:
                yield from self._branch(Kind.CONDITION, f"{_at(place)}otherwise", otherwise, place)
        for keyword in ("dependencies", "dependentSchemas"):
            for name, node in part.items_of(keyword):
                if isinstance(node.value, dict):
                    text = f"{_at(place)}if {wording.code(name)} is there"
                    yield from self._branch(Kind.CONDITION, text, node, place)

    def _branch(
        self, kind: Kind, text: str, node: Node, place: _Place, *, is_titled: bool = False
    ) -> Iterator[Line]:
        """A heading, and the lines of a schema below it; `is_titled` when it has its title."""
        only = _only_needs(node)
        yield from self._heading(kind, f"{text}: {only}" if only else text, place)
        if only:
            return
        lines = list(self.value([node], place.below()))
        if is_titled and lines and isinstance(lines[0], Row):
            lines[0] = replace(lines[0], title="")
        if lines[1:] or (lines and isinstance(lines[0], Row) and lines[0].type in (ANY, "object")):
            lines = _without_plain_root(lines)
        yield from lines

    def _heading(self, kind: Kind, text: str, place: _Place) -> Iterator[Heading]:
        if not self.is_full:
            self._count += 1
            yield Heading(kind, text, place.depth)

    def _row(self, shape: Shape, place: _Place, choices: list[Choice]) -> tuple[Row, list[Choice]]:
        """The row of a value, and the choices that it does not say in words."""
        kind = shape.type
        said: list[str] = []
        left: list[Choice] = []
        for choice in choices:
            phrases = [self._phrase(node) for node in choice.alternatives]
            known = [phrase for phrase in phrases if phrase is not None]
            if len(known) < len(phrases):
                left.append(choice)
                continue
            words = wording.listed(dict.fromkeys(known), "or")
            if choice.exclusive and len({phrase.split(" (")[0] for phrase in known}) < len(known):
                words += ", and only one of them"
            if kind.startswith(ANY):
                kind = f"{words} or null" if shape.nullable else words
            elif words not in kind:
                said.append(words)
        if kind == ANY and left:
            kind = shape.kinds
        row = Row(
            path=place.path,
            anchor=self._anchor(place.path),
            type=kind,
            required=place.required,
            title="" if shape.text("description") else shape.text("title"),
            limits=tuple(dict.fromkeys((*said, *self._limits(shape)))),
            constants=tuple(map(wording.as_json, shape.constants)),
            patterns=tuple(dict.fromkeys(filter(None, (n.text("pattern") for n in shape.nodes)))),
            default=shape.default,
            examples=tuple(_examples(shape)),
            description=shape.text("description"),
            deprecated=shape.has("deprecated"),
            depth=place.depth,
        )
        return row, left

    def _limits(self, shape: Shape) -> Iterator[str]:
        for schema in shape.schemas:
            yield from wording.limits(schema)
        if shape.needed:
            yield f"with {wording.codes(shape.needed)}"
        for node in shape.below("not"):
            said = wording.excluded(node.value)
            if said is not None:
                yield said
        for node in shape.below("contains"):
            phrase = self._phrase(node)
            if phrase is not None:
                yield f"with an element that is {phrase}"

    def _phrase(self, node: Node) -> str | None:
        """A schema in a few words: "integer (not negative)"; None when it takes a table."""
        try:
            target = node.follow()
            if target.identity not in self._phrases:
                self._phrases[target.identity] = _phrase(Shape.of([target]))
        except DanglingReference:
            return None
        return self._phrases[target.identity]

    def _anchor(self, path: str) -> str:
        self._anchors[path] += 1
        number = self._anchors[path]
        return path if number == 1 else f"{path}~{number}"

    def _counted(self, row: Row) -> Row:
        self._count += 1
        return row


def _without_plain_root(lines: list[Line]) -> list[Line]:
    """The lines of a value without its own row, where that says only its type."""
    first = lines[0] if lines else None
    if not isinstance(first, Row) or first.says:
        return lines
    referred = {line.like.anchor for line in lines if isinstance(line, Row) and line.like}
    return lines if first.anchor and first.anchor in referred else lines[1:]


def _phrase(shape: Shape) -> str | None:
    """A schema in a few words; None when it takes a table."""
    if shape.properties or shape.element or shape.places or shape.choices or shape.needed:
        return None
    if any(keyword in _TELLING for schema in shape.schemas for keyword in schema):
        return None
    if shape.constants:
        return wording.codes(map(wording.as_json, shape.constants), "or")
    limits = [text for schema in shape.schemas for text in wording.limits(schema)]
    if shape.type == ANY and limits:
        return ", ".join(limits)
    return f"{shape.type} ({', '.join(limits)})" if limits else shape.type


def _at(place: _Place) -> str:
    """The place that a heading is about, when it is not the whole value."""
    return f"{wording.code(place.path)}: " if place.path else ""


def _label(node: Node) -> str:
    """The name of an alternative: its title, its key, or the constant that it is known by."""
    try:
        target = node.follow()
    except DanglingReference:
        return ""
    title = target.text("title") or (target.key if node.reference is not None else "")
    if title:
        return wording.escaped(title)
    for name, member in target.items_of("properties"):
        constants = wording.constants_of(member.value)
        if len(constants) == 1:
            return f"{wording.code(name)} is {wording.code(wording.as_json(constants[0]))}"
    return ""


def _only_needs(node: Node) -> str | None:
    """The members that a schema requires, in words, when it says nothing else."""
    schema = node.value
    if not isinstance(schema, dict) or not schema.keys() <= {"required", "title", "type"}:
        return None
    names = wording.needed(schema)
    return f"with {wording.codes(names)}" if names else None


def _examples(shape: Shape) -> Iterable[str]:
    for schema in shape.schemas:
        found = schema.get("examples")
        if isinstance(found, list):
            return [wording.as_json(value) for value in found[:MAX_EXAMPLES]]
        if "example" in schema:
            return [wording.as_json(schema["example"])]
    return []
