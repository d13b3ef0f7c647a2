"""Shapes of values: what of a schema a type in Python or TypeScript can say.

An object always has a name, so that both languages have a type for it; what else is named is an
alias. A name refers to itself only by way of an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["string", "integer", "number", "decimal", "boolean", "null"]
Constant = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, or one that no type can describe."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts."""

    kind: Kind
    bounds: Mapping[str, int | float] = field(default_factory=dict, hash=False)
    """Keywords of JSON Schema with their limits: `minimum`, `maxLength`."""
    is_long: bool = False
    """Whether it is an integer that a double may round."""


@dataclass(frozen=True, slots=True)
class Constants:
    """One of a few values."""

    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of elements of one shape."""

    items: Shape


@dataclass(frozen=True, slots=True)
class Tuple:
    """Elements that each have a shape of their own."""

    items: tuple[Shape, ...]
    least: int
    """How many there are at least."""
    rest: Shape | None
    """The shape of those behind them; None when there are none."""

    @property
    def is_fixed(self) -> bool:
        """Whether all elements are always there, and no others."""
        return self.rest is None and self.least == len(self.items)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """An object whose members may have any names."""

    values: Shape


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object."""

    name: str
    shape: Shape
    is_required: bool
    description: str = ""

    @property
    def constant(self) -> Constants | None:
        """Its value, when it is always there and has only one."""
        if not self.is_required or not isinstance(self.shape, Constants):
            return None
        return self.shape if len(self.shape.values) == 1 else None


@dataclass(frozen=True, slots=True)
class Object:
    """An object with named members."""

    members: tuple[Member, ...]
    is_closed: bool = False
    """Whether it has no other members."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of one of several shapes."""

    parts: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The shape of a definition."""

    name: str


Shape = Anything | Scalar | Constants | Array | Tuple | Dictionary | Object | Choice | Named

ANYTHING = Anything()
NULL = Scalar("null")


@dataclass(frozen=True, slots=True)
class Definition:
    """A named shape."""

    name: str
    shape: Shape
    description: str = ""


def choice(parts: Iterable[Shape]) -> Shape:
    """One shape for values of any of the parts."""
    found: dict[str, Shape] = {}  # by text: true equals 1 in Python, and is another constant
    constants: dict[str, Constant] = {}
    for part in parts:
        for each in part.parts if isinstance(part, Choice) else (part,):
            if isinstance(each, Constants):
                constants |= {repr(value): value for value in each.values}
                each = Constants(())  # keeps their place
            found[repr(each)] = each
    whole = tuple(
        Constants(tuple(constants.values())) if isinstance(each, Constants) else each
        for each in found.values()
    )
    if not whole or ANYTHING in whole:
        return ANYTHING
    return whole[0] if len(whole) == 1 else Choice(whole)


def is_nullable(shape: Shape, definitions: Mapping[str, Definition]) -> bool:
    """Whether null is one of the values of a shape."""
    match shape:
        case Named(name):
            return is_nullable(definitions[name].shape, definitions)
        case Choice(parts):
            return any(is_nullable(part, definitions) for part in parts)
        case Constants(values):
            return None in values
    return shape in (NULL, ANYTHING)


def parts_of(shape: Shape) -> tuple[Shape, ...]:
    """The shapes that a shape is made of."""
    match shape:
        case Array(items):
            return (items,)
        case Tuple(items, _, rest):
            return items if rest is None else (*items, rest)
        case Dictionary(values):
            return (values,)
        case Object(members):
            return tuple(member.shape for member in members)
        case Choice(parts):
            return parts
    return ()


def names_in(shape: Shape) -> Iterator[str]:
    """The definitions that a shape refers to, those within them not counted."""
    if isinstance(shape, Named):
        yield shape.name
    for part in parts_of(shape):
        yield from names_in(part)


def reachable(shapes: Iterable[Shape], definitions: Mapping[str, Definition]) -> list[Definition]:
    """The definitions that shapes need, in the order of all definitions."""
    found: set[str] = set()
    waiting = list(shapes)
    while waiting:
        for name in names_in(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(definitions[name].shape)
    return [definition for name, definition in definitions.items() if name in found]
