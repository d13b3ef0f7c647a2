"""Messages as arguments of a method, from which their values are made."""

from __future__ import annotations

from collections.abc import Iterable

from asyncapi_server.generate.interface import MessageType
from asyncapi_server.generate.shapes import Object
from asyncapi_server.generate.texts import literal
from asyncapi_server.generate.typescript.types import members_of


def argument(message: MessageType) -> tuple[str, str]:
    """The parameter of a message, and the expression of its value.

    Constants are filled in, and a correlation id may be.
    """
    shape = message.shape
    if not isinstance(shape, Object):
        return f"value: {message.type if message.is_typed else 'unknown'}", "value"
    fixed = [member for member in shape.members if member.constant is not None]
    others = [member for member in shape.members if member.constant is None]
    constants = members_of(
        {each.name: each.constant.values[0] for each in fixed if each.constant is not None}
    )
    if not others:
        return "", f"{{ {constants} }}" if constants else "{}"
    kind = message.type
    made_up = message.made_up
    needed = [member for member in others if member.is_required and member.name != made_up]
    left_out = [member.name for member in fixed]
    if made_up is not None and any(m.name == made_up and m.is_required for m in others):
        left_out.append(made_up)
        kind = f"{_omit(kind, left_out)} & Partial<Pick<{kind}, {literal(made_up)}>>"
    else:
        kind = _omit(kind, left_out)
    default = "" if needed else " = {}"
    whole = f"{{ ...message, {constants} }}" if constants else "message"
    return f"message: {kind}{default}", whole


def _omit(kind: str, names: Iterable[str]) -> str:
    listed = " | ".join(map(literal, names))
    return f"Omit<{kind}, {listed}>" if listed else kind
