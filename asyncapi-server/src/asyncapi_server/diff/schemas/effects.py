"""The effect of a step from one schema to another on the values that are accepted."""

from __future__ import annotations

from enum import Enum

from asyncapi_server.diff.changes import Side
from asyncapi_server.diff.schemas.containment import within
from asyncapi_server.diff.schemas.schema import Schema


class Effect(Enum):
    """The effect of a difference on the set of values that a schema accepts."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"
    """Neither, or it could not be proven."""


ALLOWED = {Side.SENDERS: Effect.WIDER, Side.READERS: Effect.NARROWER}
"""The effect that breaks nobody of a side."""


def effect(old: Schema, new: Schema) -> Effect:
    """The effect of the step from `old` to `new`."""
    wider, narrower = within(old, new), within(new, old)
    if wider and narrower:
        return Effect.SAME
    if wider:
        return Effect.WIDER
    return Effect.NARROWER if narrower else Effect.OTHER
