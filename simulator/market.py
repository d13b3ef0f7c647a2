"""A symbol of the exchange: its asset, its trades and its missing ids."""

from bisect import bisect_right

import numpy as np

from simulator.assets import Asset
from simulator.errors import SimulatorError
from simulator.spans import Until
from simulator.trades import Source, Trades, concatenate

MAX_HOLES = 10_000
"""The maximum number of ranges of missing ids per symbol."""


class Market:
    """A symbol and its trades; `now_us` separates past trades from future ones."""

    def __init__(self, asset: Asset, source: Source, *, status: str = "TRADING") -> None:
        self.asset = asset
        self.source = source
        self.status = status
        self.ended_us: int | None = None
        """When its trading has ended."""
        self.holes: list[tuple[int, int]] = []
        """Ranges of ids, both ends included, that neither REST nor the stream has."""
        self.revision = 0
        """Changes with them."""

    @property
    def symbol(self) -> str:
        """The symbol in upper case."""
        return self.asset.symbol

    def end(self, now_us: int) -> None:
        """End the trading: there is no later trade, and no later kline."""
        self.source, self.ended_us, self.status = Until(self.source, now_us), now_us, "BREAK"

    def trading(self, now_us: int) -> int:
        """Return the time, or the end of the trading if that is earlier."""
        return now_us if self.ended_us is None else min(now_us, self.ended_us)

    def remove(self, from_id: int, to_id: int) -> None:
        """Remove a range of ids, as an upstream gap."""
        if not 0 <= from_id <= to_id:
            raise SimulatorError("a gap needs 0 <= from_id <= to_id")
        merged = [(from_id, to_id)]
        for low, high in self.holes:
            if high < merged[0][0] - 1 or low > merged[0][1] + 1:
                merged.append((low, high))
            else:
                merged[0] = (min(low, merged[0][0]), max(high, merged[0][1]))
        if len(merged) > MAX_HOLES:
            raise SimulatorError(f"at most {MAX_HOLES} gaps of a symbol")
        self.holes = sorted(merged)
        self.revision += 1

    def restore(self) -> None:
        """Restore every id."""
        self.holes = []
        self.revision += 1

    def slice(self, from_id: int, limit: int) -> Trades:
        """Return at most `limit` existing trades from an id on, future ones included."""
        parts: list[Trades] = []
        wanted, at = limit, max(from_id, self.source.first_id)
        while wanted > 0:
            at, bound = self._stretch(at)
            part = self.source.slice(at, wanted)
            if bound is not None:
                part = part[: int(np.searchsorted(part.ids, bound))]
            parts.append(part)
            wanted -= len(part)
            if bound is None:
                break
            at = bound
        return concatenate(parts) if parts else self.source.slice(from_id, 0)

    def trades(self, from_id: int, limit: int, now_us: int) -> Trades:
        """Return at most `limit` past trades from an id on."""
        made = self.source.last_id(now_us) + 1 - max(from_id, self.source.first_id)
        if made <= 0:
            return self.source.slice(from_id, 0)
        found = self.slice(from_id, min(limit, made))
        return found[: int(np.searchsorted(found.ids, self.source.last_id(now_us), side="right"))]

    def before(self, end_id: int, limit: int) -> Trades:
        """Return the last `limit` trades before an id."""
        reach = limit
        while True:
            start = max(self.source.first_id, end_id - reach)
            found = self.slice(start, end_id - start)
            found = found[: int(np.searchsorted(found.ids, end_id))]
            if len(found) >= limit or start == self.source.first_id:
                return found[max(0, len(found) - limit) :]
            reach *= 8

    def last_trade(self, now_us: int) -> Trades:
        """Return the newest trade that is not a tombstone, in a batch of one (or none)."""
        found = self.before(self.source.last_id(now_us) + 1, 16)
        return found[~found.tombstones][-1:]

    def _stretch(self, at: int) -> tuple[int, int | None]:
        """Move an id out of a hole; also return the start of the next hole."""
        index = bisect_right(self.holes, at, key=lambda hole: hole[0])
        if index and at <= self.holes[index - 1][1]:
            at = self.holes[index - 1][1] + 1
        return at, self.holes[index][0] if index < len(self.holes) else None
