"""One symbol's trades as the exchange makes them: the truth that everything is held to."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator

import msgspec

from ingest.core.trade import Trade

ONE = 100_000_000


class Made(msgspec.Struct, gc=False):
    """A trade, and when it was made by the exchange's clock; its own time may be earlier."""

    trade: Trade
    made_ms: int
    is_absent: bool = False
    """Whether the exchange does not have it, though its id was given."""
    was_absent: bool = False
    """Whether it has turned up."""


def decimal(value: int) -> str:
    """A value in units of 1e-8 as the exchange writes it: with eight decimals."""
    return f"{value // ONE}.{value % ONE:08d}"


class Market:
    """The trades of one symbol; the id of each is one higher than that before it."""

    def __init__(self, symbol: str, first_id: int, chance: random.Random) -> None:
        self.symbol = symbol
        self.first_id = first_id
        self.made: list[Made] = []
        self.is_listed = True
        self.late = 0.03
        """The share of trades whose time is before that of the trade before them."""
        self.has_turned_up = False
        """Whether trades that were absent exist after all."""
        self.before_turn_up: list[Callable[[], None]] = []
        """Called before absent trades turn up: what is made of the others changes then."""
        self._chance = chance
        self._price = chance.randint(1, 10**7) * 10**6
        self._raw_id = chance.randint(0, 10**6)
        self._absent: list[tuple[int, int]] = []

    @property
    def next_id(self) -> int:
        """The id that the next trade gets."""
        return self.first_id + len(self.made)

    def lose(self, from_id: int, to_id: int) -> None:
        """Let these ids, which were not given yet, not exist."""
        self._absent.append((from_id, to_id))

    def turn_up(self, from_id: int) -> None:
        """Let all absent ids from this one on exist after all."""
        for hook in self.before_turn_up:
            hook()
        self._absent.clear()
        for item in self.made:
            if item.is_absent and item.trade.aggregate_id >= from_id:
                item.is_absent, item.was_absent = False, True
                self.has_turned_up = True

    def make(self, now_ms: int) -> Made:
        """One more trade, made now."""
        chance, number = self._chance, self.next_id
        roll = chance.random()
        time_ms = now_ms
        if roll < self.late:
            time_ms -= chance.choice((1, 40, 1500, 3000, 70_000 if roll < self.late / 8 else 5))
        is_absent = any(first <= number <= last for first, last in self._absent)
        if 0.5 < roll < 0.51:
            trade = Trade(number, 0, 0, -1, -1, time_ms, False)
        else:
            step = chance.choice((0, 0, 1, -1, 5, -5))
            self._price = max(ONE // 100, self._price + step * (self._price // 10_000 + 1))
            raw = 1 if roll < 0.8 else chance.randint(1, 9)
            self._raw_id += raw
            first, last = self._raw_id - raw, self._raw_id - 1
            quantity = chance.randint(1, 10**10)
            trade = Trade(number, self._price, quantity, first, last, time_ms, roll < 0.6)
        item = Made(trade, now_ms, is_absent)
        self.made.append(item)
        return item

    def existing(self) -> Iterator[Trade]:
        """All trades that the exchange has."""
        return (item.trade for item in self.made if not item.is_absent)

    def newest(self, limit: int) -> list[Made]:
        """The newest trades, oldest first."""
        found: list[Made] = []
        for item in reversed(self.made):
            if not item.is_absent:
                found.append(item)
                if len(found) == limit:
                    break
        return found[::-1]

    def page(self, from_id: int, limit: int) -> list[Made]:
        """The first trades from an id on."""
        found: list[Made] = []
        for item in self.made[max(0, from_id - self.first_id) :]:
            if not item.is_absent:
                found.append(item)
                if len(found) == limit:
                    break
        return found

    def since(self, start_ms: int, end_ms: int, limit: int) -> list[Made]:
        """The first trades with times in [start, end]; times may run against ids."""
        near = bisect_left(self.made, start_ms, key=lambda item: item.made_ms)
        return [
            item
            for item in self.made[near:]
            if start_ms <= item.trade.timestamp <= end_ms and not item.is_absent
        ][:limit]
