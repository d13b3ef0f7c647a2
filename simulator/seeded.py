"""Seeded trades with random access: each is a pure function of (seed, symbol, id).

Ids are contiguous from the genesis. An hour has a fixed number of trades, divided among its minutes
by seeded weights; some minutes are quiet. Within a minute the trades come in groups of eight, each
group in its own time slot, in up to three bursts. So the hour of an id and the id at a time are
computed directly, without preceding trades.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from simulator import noise
from simulator.assets import Asset
from simulator.errors import SimulatorError
from simulator.trades import Ints, Trades, concatenate

GENESIS_US: Final = 1_483_228_800_000_000
"""2017-01-01T00:00Z, the default hour of a market's first trade."""

GROUP: Final = 8
"""Trades in a group."""

RAW_PER_GROUP: Final = 12
"""Raw trades in a group."""

HOUR_US: Final = 3_600_000_000

MAX_RATE: Final = 1_000_000.0
"""The maximum trades per second of one symbol."""

BUSY_RATE: Final = 50.0
"""From this rate on all minutes have equal weight, so that load tests get a constant rate."""

MAX_TOMBSTONES: Final = 1 / GROUP
"""The maximum share of tombstones: at most the last trade of each group."""
QUIET: Final = 0.04
"""The default share of minutes without a trade."""

_MINUTE_US: Final = 60_000_000
_MINUTES: Final = 60
_PIECE: Final = 1 << 16
_PRICE_PERIODS_MS: Final = tuple(64 * 86_400_000 // 4**layer for layer in range(12))


def _raw_patterns() -> Ints:
    """Return 64 ways to divide a group's raw trades among its aggregates, at least one each."""
    extra = noise.below(noise.key("raw trades"), np.arange(64 * 4, dtype=np.int64), GROUP)
    patterns = np.ones((64, GROUP), np.int64)
    np.add.at(patterns, (np.repeat(np.arange(64), 4), extra), 1)
    return patterns


_RAW_PATTERNS = _raw_patterns()


class SeededMarket:
    """The endless trades of one symbol. `rate` is their mean number per second."""

    def __init__(
        self,
        asset: Asset,
        *,
        seed: int = 0,
        rate: float = 5.0,
        tombstones: float = 0.0,
        quiet: float = QUIET,
        genesis_us: int = GENESIS_US,
        end_us: int | None = None,
    ) -> None:
        if not 0 < rate <= MAX_RATE:
            raise SimulatorError(f"rate must be above 0 and at most {MAX_RATE:.0f} trades/s")
        if not 0 <= tombstones <= MAX_TOMBSTONES:
            raise SimulatorError(f"tombstones must be a share from 0 to {MAX_TOMBSTONES}")
        if not 0 <= quiet < 1:
            raise SimulatorError("quiet must be a share of the minutes, from 0 to below 1")
        if genesis_us < 0 or genesis_us % HOUR_US:
            raise SimulatorError("the genesis must be a full hour, not before 1970")
        self._asset = asset
        self._rate = rate
        self._tombstones = tombstones
        self._quiet = quiet
        self._genesis_us = genesis_us
        self._groups_per_hour = max(1, round(rate * 3600 / GROUP))
        self._keys = {
            name: noise.key(seed, asset.symbol, name)
            for name in ("minute", "quiet", "time", "burst", "raw", "price", "side", "size",
                         "scale", "jitter", "tombstone")
        }  # fmt: skip
        self._minutes = lru_cache(maxsize=4096)(self._share_hour)
        self._nothing = self._make(0, 1)[:0]
        self._end_us = end_us
        self._end_id: int | None = None
        if end_us is not None:
            self._end_id = self.last_id(end_us) + 1

    @property
    def first_id(self) -> int:
        """Ids start at 0, like the exchange's."""
        return 0

    @property
    def end_us(self) -> int | None:
        """The end of the market, if it has one."""
        return self._end_us

    def slice(self, from_id: int, limit: int) -> Trades:
        """Generate at most `limit` trades with ids from `from_id` on."""
        start = max(0, from_id)
        stop = start + limit if self._end_id is None else min(start + limit, self._end_id)
        pieces = [
            self._make(at, min(at + _PIECE, stop)) for at in range(start, max(stop, start), _PIECE)
        ]
        return concatenate(pieces) if pieces else self._nothing

    def id_at(self, time_us: int) -> int:
        """Find the first trade at or after a time."""
        found = self._id_at(time_us)
        return found if self._end_id is None else min(found, self._end_id)

    def last_id(self, now_us: int) -> int:
        """Find the last trade at or before a time (-1 if none)."""
        return self.id_at(now_us + 1) - 1

    def _id_at(self, time_us: int) -> int:
        since = time_us - self._genesis_us
        if since <= 0:
            return 0
        hour, within_hour = divmod(since, HOUR_US)
        minute, offset = divmod(within_hour, _MINUTE_US)
        before = self._minutes(hour)
        groups = int(before[minute + 1] - before[minute])
        group = hour * self._groups_per_hour + int(before[minute])
        if not groups:
            return group * GROUP
        slot = offset * groups // _MINUTE_US
        if (slot + 1) * _MINUTE_US // groups <= offset:
            slot += 1  # slot bounds are rounded down
        group += slot
        times = self._times(np.array([group], np.int64))[0]
        return group * GROUP + int(np.searchsorted(times, time_us))

    def _share_hour(self, hour: int) -> Ints:
        """Return the number of the hour's groups before each of its minutes, and in total."""
        minutes = hour * _MINUTES + np.arange(_MINUTES, dtype=np.int64)
        weights = 200 + noise.below(self._keys["minute"], minutes, 1000)
        weights[noise.happens(self._keys["quiet"], minutes, self._quiet)] = 0
        if self._rate >= BUSY_RATE:
            weights[:] = 1
        weights[0] = max(int(weights[0]), 1)
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(weights)])
        return total * self._groups_per_hour // int(total[-1])

    def _times(self, groups: Ints) -> Ints:
        """Return the trade times of whole groups, in microseconds, shape (groups, GROUP)."""
        start = np.empty(len(groups), np.int64)
        width = np.empty(len(groups), np.int64)
        hours = groups // self._groups_per_hour
        for hour in range(int(hours[0]), int(hours[-1]) + 1):
            here = hours == hour
            index = groups[here] - hour * self._groups_per_hour
            before = self._minutes(hour)
            minute = np.searchsorted(before, index, side="right") - 1
            of_minute = before[minute + 1] - before[minute]
            nth = index - before[minute]
            low = nth * _MINUTE_US // of_minute
            start[here] = self._genesis_us + hour * HOUR_US + minute * _MINUTE_US + low
            width[here] = (nth + 1) * _MINUTE_US // of_minute - low
        three = (groups[:, None] * 3 + np.arange(3)).ravel()
        fractions = noise.below(self._keys["time"], three, 1 << 30).reshape(-1, 3)
        bursts = start[:, None] + (np.sort(fractions, axis=1) * width[:, None] >> 30)
        eight = (groups[:, None] * GROUP + np.arange(GROUP)).ravel()
        picks = np.sort(noise.below(self._keys["burst"], eight, 3).reshape(-1, GROUP), axis=1)
        return np.take_along_axis(bursts, picks, axis=1)

    def _make(self, start: int, stop: int) -> Trades:
        asset, keys = self._asset, self._keys
        groups = np.arange(start // GROUP, (stop - 1) // GROUP + 1, dtype=np.int64)
        cut = slice(start - int(groups[0]) * GROUP, stop - int(groups[0]) * GROUP)
        ids = np.arange(start, stop, dtype=np.int64)
        time_us = self._times(groups).ravel()[cut]

        raw = _RAW_PATTERNS[noise.below(keys["raw"], groups, len(_RAW_PATTERNS))]
        void = np.zeros((len(groups), GROUP), np.bool_)
        if self._tombstones:
            void[:, -1] = noise.happens(keys["tombstone"], groups, self._tombstones * GROUP)
            raw[:, -2] += np.where(void[:, -1], raw[:, -1], 0)
            raw[void] = 0
        last = (groups[:, None] * RAW_PER_GROUP + np.cumsum(raw, axis=1) - 1).ravel()[cut]
        first = last - raw.ravel()[cut] + 1
        dead = void.ravel()[cut]

        ticks = asset.price // asset.tick
        wander = noise.layered(keys["price"], time_us // 1000, _PRICE_PERIODS_MS)
        mid = ticks + (ticks * wander >> 21) + noise.below(keys["jitter"], ids, 3)
        buyer_maker = noise.happens(keys["side"], ids, 0.5)
        price = np.maximum(mid + ~buyer_maker, 1) * asset.tick

        exponent = 8 + noise.below(keys["scale"], ids, 12)
        size = noise.words(keys["size"], ids).astype(np.int64) & ((1 << exponent) - 1)
        steps = 1 + (asset.quantity // asset.step * (size + (1 << exponent)) >> 17)
        return Trades(
            ids=ids,
            price=np.where(dead, 0, price),
            quantity=np.where(dead, 0, steps * asset.step),
            first=np.where(dead, -1, first),
            last=np.where(dead, -1, last),
            time_us=time_us,
            buyer_maker=buyer_maker,
            best_match=np.ones(len(ids), np.bool_),
        )
