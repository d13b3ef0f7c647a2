"""Messages as arguments of a function, from which their values are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asyncapi_server.generate.naming import Names, variable
from asyncapi_server.generate.python.values import Values
from asyncapi_server.generate.shapes import Member, Object, Shape

_IN_BODY = frozenset({"dict", "object", "str"})
"""What a function's body refers to, so that no argument hides it."""
PAYLOAD = "_payload"
"""The variable of the value; no argument begins with an underscore."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument for a member of an object."""

    member: str
    name: str
    type: str
    is_required: bool
    is_nullable: bool
    """Whether None is a value; else it leaves the member out."""

    @property
    def parameter(self) -> str:
        """Its place in a signature."""
        if self.is_required:
            return f"{self.name}: {self.type}"
        kind = f"{self.type} | {'EllipsisType' if self.is_nullable else 'None'}"
        return f"{self.name}: {kind} = {self.left_out}"

    @property
    def left_out(self) -> str:
        """What is given to leave the member out."""
        return "..." if self.is_nullable else "None"


def arguments(
    members: Collection[Member],
    values: Values,
    *,
    names: Names | None = None,
    given: str | None = None,
) -> dict[str, Argument]:
    """An argument for each member that is no constant, by the member's name.

    `names` has those that are taken. The member `given` is never needed: it is filled in later.
    """
    names = names or Names({"self"})
    return {
        member.name: Argument(
            member.name,
            names.claim(variable(member.name, "field_", _IN_BODY)),
            values.types.of(member.shape),
            member.is_required and member.name != given,
            values.is_nullable(member.shape) and member.name != given,
        )
        for member in members
        if member.constant is None
    }


def written(member: Member, found: Mapping[str, Argument]) -> str:
    """A member of a dictionary, with its constant or its argument."""
    if member.constant is None:
        return f"{member.name!r}: {found[member.name].name}"
    (value,) = member.constant.values
    return f"{member.name!r}: {value!r}"


@dataclass(frozen=True, slots=True)
class Payload:
    """How a message is made of arguments."""

    parameters: str
    """What stands in the signature."""
    statements: tuple[str, ...]
    """Lines that come before the expression."""
    expression: str


def payload(shape: Shape, values: Values, *, given: str | None = None) -> Payload:
    """The making of a message: of its members by their names, or of one value."""
    if not isinstance(shape, Object):
        kind = values.types.of(shape)
        return Payload(f"value: {'object' if kind == 'Any' else kind}", (), "value")
    found = arguments(shape.members, values, given=given)
    always, optional = [], []
    for member in shape.members:
        argument = found.get(member.name)
        if argument is None or argument.is_required:
            always.append(written(member, found))
        else:
            optional += [
                f"if {argument.name} is not {argument.left_out}:",
                f"    {PAYLOAD}[{member.name!r}] = {argument.name}",
            ]
    parameters = ", ".join(argument.parameter for argument in found.values())
    whole = f"{{{', '.join(always)}}}"
    start = f"{PAYLOAD}: dict[str, object] = {whole}"
    return Payload(
        f"*, {parameters}" if parameters else "",
        (start, *optional) if optional else (),
        PAYLOAD if optional else whole,
    )
