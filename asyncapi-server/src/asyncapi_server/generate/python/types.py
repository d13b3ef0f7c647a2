"""Types of Python for shapes, as source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asyncapi_server.generate.shapes import (
    Array,
    Choice,
    Constants,
    Dictionary,
    Kind,
    Named,
    Scalar,
    Shape,
    Tuple,
)

_SCALARS: Mapping[Kind, str] = {
    "string": "str", "integer": "int", "number": "float", "decimal": "Decimal",
    "boolean": "bool", "null": "None",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PythonTypes:
    """How shapes are written as types."""

    named: Callable[[str], str]
    """The type of a definition."""
    arrays: str = "list"
    integer: str = "int"
    number: str = "float"
    open_tuples: bool = False
    """Whether tuples may end in any number of elements."""

    def of(self, shape: Shape) -> str:
        """The type of values of a shape; Any where no type says what they are."""
        match shape:
            case Scalar("integer"):
                return self.integer
            case Scalar("number"):
                return self.number
            case Scalar(kind):
                return _SCALARS[kind]
            case Constants(values):
                return f"Literal[{', '.join(map(repr, values))}]"
            case Named(name):
                return self.named(name)
            case Array(items):
                return f"{self.arrays}[{self.of(items)}]"
            case Tuple():
                return self._tuple(shape)
            case Dictionary(values):
                return f"dict[str, {self.of(values)}]"
            case Choice(parts):
                return " | ".join(dict.fromkeys(map(self.of, parts)))
        return "Any"

    def _tuple(self, shape: Tuple) -> str:
        parts = [self.of(part) for part in shape.items]
        if shape.rest is not None and self.open_tuples and shape.least == len(parts):
            parts.append(f"*tuple[{self.of(shape.rest)}, ...]")
        elif not shape.is_fixed or not parts:
            return f"{self.arrays}[Any]"
        return f"tuple[{', '.join(parts)}]"
