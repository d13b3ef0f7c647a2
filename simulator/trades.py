"""Aggregate trades in columns, and the interface of their sources."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt

E8 = 100_000_000
"""Prices and quantities are integers in units of 1e-8."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trades:
    """Aggregate trades of one symbol, ids ascending, one numpy array per field.

    `price` and `quantity` are in units of 1e-8, `time_us` is in microseconds. A tombstone (an
    invalid duplicate) has price and quantity 0 and raw trade ids -1.
    """

    ids: Ints
    price: Ints
    quantity: Ints
    first: Ints
    last: Ints
    time_us: Ints
    buyer_maker: Bools
    best_match: Bools

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, which: slice | Bools) -> "Trades":
        return Trades(*(getattr(self, field.name)[which] for field in fields(self)))

    @property
    def time_ms(self) -> Ints:
        """Trade times in milliseconds, as in the exchange's JSON."""
        return self.time_us // 1000

    @property
    def tombstones(self) -> Bools:
        """A mask of the tombstones."""
        return self.first < 0


def concatenate(parts: list[Trades]) -> Trades:
    """Concatenate consecutive slices; at least one is required."""
    if len(parts) == 1:
        return parts[0]
    return Trades(
        *(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Trades))
    )


@dataclass(frozen=True, slots=True)
class RawTrade:
    """One of the trades that an aggregate stands for, in units of 1e-8 and microseconds."""

    id: int
    price: int
    quantity: int
    time_us: int
    buyer_maker: bool
    best_match: bool


def raw_trades(trades: Trades) -> Iterator[RawTrade]:
    """Generate the raw trades of aggregates: equal parts of a quantity, the last has the rest."""
    columns = (getattr(trades, field.name).tolist() for field in fields(Trades))
    for _, price, quantity, first, last, time_us, buyer_maker, best_match in zip(
        *columns, strict=True
    ):
        if first >= 0:
            part = quantity // (last - first + 1)
            for number in range(first, last + 1):
                rest = quantity - part * (last - first) if number == last else part
                yield RawTrade(number, price, rest, time_us, buyer_maker, best_match)


class Source(Protocol):
    """All trades of one symbol, past and future, by id and by time.

    Trade times do not decrease with the id, except for single records of a recording, where a
    trade is past only once every earlier id is.
    """

    @property
    def first_id(self) -> int:
        """The lowest id that exists."""

    @property
    def end_us(self) -> int | None:
        """The time of the last trade, or None for a source without an end."""

    def slice(self, from_id: int, limit: int) -> Trades:
        """Return at most `limit` trades with ids from `from_id` on, future ones included."""

    def id_at(self, time_us: int) -> int:
        """Find the id of the first trade at or after a time (one past the last id if none)."""

    def last_id(self, now_us: int) -> int:
        """Find the id of the last trade at or before a time (`first_id - 1` if none)."""
