"""One change of a document: its level, its place and the reason for the level."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Level(IntEnum):
    """How much a change affects clients; the highest level decides the version."""

    WORDS = 0
    """Descriptions and examples, which no client depends on."""
    COMPATIBLE = 1
    """An addition or restriction that works with every client of the old document."""
    BREAKING = 2
    """A client that conforms to the old document may fail."""


class Direction(Enum):
    """Who writes the value that a schema describes."""

    CLIENT = "client"
    """Values that clients send; their schema may only widen."""
    SERVER = "server"
    """Values that clients get; their schema may only narrow."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change, described for people."""

    level: Level
    place: str
    what: str
    why: str


def breaking(place: str, what: str, why: str) -> Change:
    """A change that clients must adapt to."""
    return Change(Level.BREAKING, place, what, why)


def compatible(place: str, what: str, why: str) -> Change:
    """A change that clients can ignore."""
    return Change(Level.COMPATIBLE, place, what, why)
