"""One change of a document: how much it asks of clients, where it is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Level(IntEnum):
    """How much a change asks of clients; the highest one decides the version."""

    WORDS = 0
    """Descriptions and examples: nothing that a client does."""
    COMPATIBLE = 1
    """More or stricter, with which every client of the old document gets along."""
    BREAKING = 2
    """A client that kept to the old document may fail."""


class Direction(Enum):
    """Who writes the value that a schema describes."""

    CLIENT = "client"
    """What clients send: it may only widen."""
    SERVER = "server"
    """What clients get: it may only narrow."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change, for people."""

    level: Level
    place: str
    what: str
    why: str


def breaking(place: str, what: str, why: str) -> Change:
    """A change that clients have to follow."""
    return Change(Level.BREAKING, place, what, why)


def compatible(place: str, what: str, why: str) -> Change:
    """A change that clients need not know of."""
    return Change(Level.COMPATIBLE, place, what, why)
