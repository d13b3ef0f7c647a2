"""One change of a document: its level, its place, its reason, and whom it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from asyncapi_server.findings import Place


class Level(IntEnum):
    """How much a change affects clients; the highest level decides the version."""

    WORDS = 0
    """Descriptions and examples, which no client depends on."""
    COMPATIBLE = 1
    """An addition or restriction that works with every client of the old document."""
    BREAKING = 2
    """A client that conforms to the old document may fail, or it is not proven that none does."""


class Side(Enum):
    """Those who depend on a value that a document describes."""

    SENDERS = "senders"
    """Those who send requests: what they may send may only widen."""
    READERS = "readers"
    """Those who read answers, and all else that the server sends: it may only narrow."""


EVERYONE = frozenset(Side)


@dataclass(frozen=True, slots=True)
class Change:
    """One change, described for people."""

    level: Level
    where: str
    """The part of the interface: "GET /things 200 application/json/size"."""
    what: str
    why: str
    place: Place
    """Where the new document has it; what is gone has the place that held it."""
    breaks: frozenset[Side] = frozenset()
    """Whom it breaks; nobody unless it is breaking."""

    @property
    def text(self) -> str:
        """The change in one sentence."""
        return f"{self.where}: {self.what}: {self.why}"


def breaking(place: Place, where: str, what: str, why: str, *whom: Side) -> Change:
    """A change that clients have to adapt to: all of them unless `whom` names some."""
    return Change(Level.BREAKING, where, what, why, place, frozenset(whom) or EVERYONE)


def compatible(place: Place, where: str, what: str, why: str) -> Change:
    """A change that clients can ignore."""
    return Change(Level.COMPATIBLE, where, what, why, place)


def words(place: Place, where: str, what: str, why: str) -> Change:
    """A change that no client notices."""
    return Change(Level.WORDS, where, what, why, place)
