"""Verdicts on pairs of schemas, which may contain themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from asyncapi_server.diff.schemas.schema import Key, Schema

_Pair = tuple[Key, Key]


@dataclass(slots=True)
class _Condition:
    """The condition on which a pair holds: that pairs which are examined now do."""

    lowest: int
    """The outermost of these, by its place among those that are examined."""
    least: int
    """The depth from which on the pair holds: in itself it does for what is deeper only."""


@dataclass(slots=True)
class _Open:
    """A pair that is examined."""

    pair: _Pair
    depth: int
    lowest: int
    """The outermost pair that it rests on, itself unless there is another."""
    is_bound: bool = False
    """Whether it rests on one at its own depth."""


class Pairs:
    """A relation of schemas.

    While a pair is examined it is taken to hold for what is deeper in a value, so that what
    contains itself can be examined. When it turns out not to hold, what was found on that condition
    is forgotten.
    """

    def __init__(self) -> None:
        self._verdicts: dict[_Pair, bool] = {}
        self._conditions: dict[_Pair, _Condition] = {}
        self._open: list[_Open] = []
        self._trail: list[_Pair] = []
        """The pairs that have a condition, in the order in which they were taken up."""
        self._kept: list[tuple[Schema, Schema]] = []
        """The schemas, whose keys are theirs as long as they exist."""

    def holds(self, one: Schema, two: Schema, examine: Callable[[], bool], depth: int) -> bool:
        """Whether a pair holds, by `examine` if that is not known.

        `depth` is how deep in a value the schemas apply; it never falls while a pair is examined.
        """
        pair = one.key, two.key
        if pair in self._verdicts:
            return self._verdicts[pair] and self._meets(pair, depth)
        self._kept.append((one, two))
        mark, place = len(self._trail), len(self._open)
        this = _Open(pair, depth, place)
        self._verdicts[pair] = True
        self._conditions[pair] = _Condition(place, depth + 1)
        self._open.append(this)
        self._trail.append(pair)
        holds = examine()
        self._open.pop()
        if not holds:
            self._forget(mark)
            self._verdicts[pair] = False
        elif this.lowest == place:
            self._settle(mark)
        else:
            self._conditions[pair] = _Condition(this.lowest, depth if this.is_bound else 0)
            for condition in self._conditions_from(mark):
                condition.lowest = min(condition.lowest, this.lowest)
            self._open[-1].lowest = min(self._open[-1].lowest, this.lowest)
        return holds

    def _meets(self, pair: _Pair, depth: int) -> bool:
        """Whether a pair that holds may be used at a depth; notes what then rests on it."""
        condition = self._conditions.get(pair)
        if condition is None:
            return True
        if depth < condition.least:
            return False
        self._open[-1].lowest = min(self._open[-1].lowest, condition.lowest)
        if condition.least > 0:
            for each in reversed(self._open):
                if each.depth < depth:
                    break
                each.is_bound = True
        return True

    def _conditions_from(self, mark: int) -> Iterator[_Condition]:
        return (self._conditions[pair] for pair in self._trail[mark:])

    def _forget(self, mark: int) -> None:
        for pair in self._trail[mark:]:
            del self._verdicts[pair], self._conditions[pair]
        del self._trail[mark:]

    def _settle(self, mark: int) -> None:
        for pair in self._trail[mark:]:
            del self._conditions[pair]
        del self._trail[mark:]
