"""Types of plain values, as messages are made of them: typed dictionaries and aliases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asyncapi_server.generate.naming import TYPES, Names, variable
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.python.types import PythonTypes
from asyncapi_server.generate.shapes import Definition, Object, Shape, is_nullable, reachable
from asyncapi_server.generate.texts import docstring

IMPORTS = (
    "from collections.abc import Sequence\n"
    "from decimal import Decimal\n"
    "from types import EllipsisType\n"
    "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict\n"
)
_IN_TYPES = frozenset(
    {"Any", "Decimal", "Literal", "NotRequired", "Sequence", "bool", "dict", "float", "int", "str",
     "tuple"}
)  # fmt: skip


class Values:
    """The types of the definitions that some shapes need, which are not defined themselves."""

    def __init__(
        self, shapes: Iterable[Shape], definitions: Mapping[str, Definition], number: str = "float"
    ) -> None:
        self._definitions = definitions
        self._needed = reachable(shapes, definitions)
        names = Names(TYPES)
        self._names = {
            each.name: names.claim(f"{each.name}Dict" if _is_object(each) else each.name)
            for each in self._needed
        }
        self.types = PythonTypes(
            named=self._names.__getitem__, arrays="Sequence", number=number, open_tuples=True
        )
        """The types of shapes, where those of `imports` are imported."""
        self._hidden = {*_IN_TYPES, *self._names.values()}

    def is_nullable(self, shape: Shape) -> bool:
        """Whether null is one of the values of a shape."""
        return is_nullable(shape, self._definitions)

    @property
    def names(self) -> list[str]:
        """The names of all types."""
        return list(self._names.values())

    def imports(self, module: str) -> str:
        """The import of all types from their module; "" when there are none."""
        return f"from {module} import {', '.join(self.names)}\n" if self.names else ""

    def source(self) -> str:
        """The module of the types."""
        return (
            f'"""Plain values that messages are made of."""\n{FUTURE}{IMPORTS}\n\n'
            + "\n\n".join(map(self._definition, self._needed))
        )

    def _definition(self, definition: Definition) -> str:
        name, shape = self._names[definition.name], definition.shape
        if not isinstance(shape, Object):
            return f"{name}: TypeAlias = {self.types.of(shape)!r}\n"
        members = {
            member.name: self.types.of(member.shape)
            if member.is_required
            else f"NotRequired[{self.types.of(member.shape)}]"
            for member in shape.members
        }
        if all(member == variable(member, "_", self._hidden) for member in members):
            lines = "".join(f"    {member}: {kind}\n" for member, kind in members.items())
            text = docstring(definition.description or f"An object of {name}.")
            return f"class {name}(TypedDict):\n{text}\n{lines}"
        listed = ", ".join(f"{member!r}: {kind!r}" for member, kind in members.items())
        return f"{name} = TypedDict({name!r}, {{{listed}}})\n"


def _is_object(definition: Definition) -> bool:
    return isinstance(definition.shape, Object)
