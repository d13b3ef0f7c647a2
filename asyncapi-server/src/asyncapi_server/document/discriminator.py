"""Identification of messages by the constants that their schemas demand.

Two messages can be distinguished when their demands exclude each other at some place. Sets of
messages are integers here, with a bit for each: there may be many, and all are compared with all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.signature import Demand, Signature, depth_first, tag


class Discriminator:
    """Identifies the message that a value may be, by as few places as are needed."""

    def __init__(self, signatures: Mapping[str, Signature]) -> None:
        self._signatures = dict(signatures)
        self.names = tuple(self._signatures)
        self._apart = self._disjoint()
        self.pointers = self._choose()
        self._paths = tuple((p, jsonpointer.tokens(p)) for p in self.pointers)
        self._key, self._table = self._fast_table()

    def identify(self, value: object) -> tuple[str, ...]:
        """The messages that `value` may be, in the document's order; () when none.

        Those recognised by a constant stay when a later place excludes all that are left: the
        value is then one of them, with a fault that its schema reports.
        """
        if self._table is not None and isinstance(value, dict):
            constant = value.get(self._key)
            if isinstance(constant, str):
                return self._table.get(constant, ())
        names = self.names
        recognised: set[str] = set()
        for pointer, path in self._paths:
            found = jsonpointer.lookup(value, path)
            left = []
            for name in names:
                demand = self._signatures[name].get(pointer)
                if demand is None or demand.met_by(found):
                    left.append(name)
                    if demand is not None and demand.values is not None and demand.required:
                        recognised.add(name)
            if not left:
                return tuple(name for name in names if name in recognised)
            names = tuple(left)
        return names

    def constants(self, name: str) -> dict[str, Demand]:
        """The demands that identify this message, by JSON pointer."""
        own = self._signatures[name]
        return {pointer: own[pointer] for pointer in self.pointers if pointer in own}

    def overlaps(self) -> Iterator[tuple[str, str]]:
        """The pairs of messages that some value may both be."""
        required = {
            pointer: sum(
                1 << number
                for number in sets
                if self._signatures[self.names[number]][pointer].required
            )
            for pointer, sets in self._apart.items()
        }
        for number, one in enumerate(self.names):
            excluded = (2 << number) - 1  # it and those before
            for pointer, sets in self._apart.items():
                others = sets.get(number, 0)
                # A place excludes when either of the two always has it.
                excluded |= (
                    others if required[pointer] >> number & 1 else others & required[pointer]
                )
            for other in _numbers((1 << len(self.names)) - 1 & ~excluded):
                yield one, self.names[other]

    def optional(self, one: str, two: str) -> str | None:
        """A place that would distinguish two messages if it were required; None without one."""
        mine, theirs = self._signatures[one], self._signatures[two]
        places = (p for p in mine if p in theirs and mine[p].disjoint(theirs[p]))
        return next(places, None)

    def _disjoint(self) -> dict[str, dict[int, int]]:
        """The messages with a demand at a place, each with those that no value there also is."""
        demands: dict[str, dict[int, Demand]] = defaultdict(dict)
        for number, name in enumerate(self.names):
            for pointer, demand in self._signatures[name].items():
                demands[pointer][number] = demand
        found = {pointer: _disjoint_sets(each) for pointer, each in demands.items()}
        return {pointer: sets for pointer, sets in found.items() if any(sets.values())}

    def _choose(self) -> tuple[str, ...]:
        """The places that distinguish all pairs, chosen greedily: most pairs, then shallowest."""
        open_sets: dict[int, int] = defaultdict(int)
        for sets in self._apart.values():
            for number, others in sets.items():
                open_sets[number] |= others
        chosen: list[str] = []
        while any(open_sets.values()):
            best = min(
                self._apart,
                key=lambda place: (-_common(self._apart[place], open_sets), *depth_first(place)),
            )
            chosen.append(best)
            for number, others in self._apart[best].items():
                open_sets[number] &= ~others
        if not chosen:
            # There is nothing to distinguish, but a wrong constant still is an unknown message.
            constants = (
                pointer
                for sig in self._signatures.values()
                for pointer, demand in sig.items()
                if demand.values is not None and demand.required
            )
            chosen = sorted(set(constants), key=depth_first)[:1]
        return tuple(chosen)

    def _fast_table(self) -> tuple[str, dict[str, tuple[str, ...]] | None]:
        """A plain lookup for the usual case: one required text constant of the root object."""
        if len(self.pointers) != 1 or len(path := jsonpointer.tokens(self.pointers[0])) != 1:
            return "", None
        table: dict[str, tuple[str, ...]] = {}
        for name, sig in self._signatures.items():
            demand = sig.get(self.pointers[0])
            if demand is None or demand.values is None or not demand.required:
                return "", None
            for value in demand.values:
                if not isinstance(value, str):
                    return "", None
                table[value] = (*table.get(value, ()), name)
        return path[0], table


def _disjoint_sets(demands: Mapping[int, Demand]) -> dict[int, int]:
    """Those of the messages with demands at one place that no value there may be besides each."""
    present = 0
    typed: dict[str, int] = defaultdict(int)
    of_any_value: dict[str, int] = defaultdict(int)
    valued: dict[object, int] = defaultdict(int)
    for number, demand in demands.items():
        present |= 1 << number
        for kind in demand.types:
            typed[kind] |= 1 << number
            if demand.values is None:
                of_any_value[kind] |= 1 << number
        for value in demand.values or ():
            valued[tag(value)] |= 1 << number
    found = {}
    for number, demand in demands.items():
        together = 1 << number
        for kind in demand.types:
            together |= (typed if demand.values is None else of_any_value)[kind]
        for value in demand.values or ():
            together |= valued[tag(value)]
        found[number] = present & ~together
    return found


def _common(one: Mapping[int, int], two: Mapping[int, int]) -> int:
    """How many pairs are in both."""
    return sum((others & two[number]).bit_count() for number, others in one.items())


def _numbers(messages: int) -> Iterator[int]:
    """The numbers of the messages in a set."""
    while messages:
        lowest = messages & -messages
        yield lowest.bit_length() - 1
        messages ^= lowest
