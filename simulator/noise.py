"""Seeded noise with random access: pure integer functions of a key and a position."""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.trades import Ints

Words = npt.NDArray[np.uint64]

NOISE_ONE: Final = 1 << 20
"""Layered noise lies within +-NOISE_ONE."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key(*parts: object) -> np.uint64:
    """Derive a 64-bit key from a seed and names."""
    digest = hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def words(key: np.uint64, positions: Ints) -> Words:
    """Return 64 random bits for each position (splitmix64)."""
    z = positions.astype(np.uint64) * _GOLDEN + key
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def below(key: np.uint64, positions: Ints, bound: int) -> Ints:
    """Return a random integer in [0, bound) for each position; `bound` at most 2^31."""
    return ((words(key, positions) >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)).astype(
        np.int64
    )


def happens(key: np.uint64, positions: Ints, probability: float) -> npt.NDArray[np.bool_]:
    """Return for each position whether an event of a given probability happens."""
    return (words(key, positions) >> np.uint64(32)) < np.uint64(int(probability * 2**32))


def layered(key: np.uint64, positions: Ints, periods: tuple[int, ...]) -> Ints:
    """Return layered value noise: each layer has its period and half the weight of the last.

    The result varies smoothly within +-NOISE_ONE. `positions` must ascend; the periods are below
    2^40.
    """
    total = np.zeros(len(positions), np.int64)
    for layer, period in enumerate(periods):
        cell = positions // period
        within = positions - cell * period
        low = int(cell[0])
        lattice = np.arange(low, int(cell[-1]) + 2, dtype=np.int64)
        values = below(key + np.uint64(layer + 1), lattice, 2 * NOISE_ONE) - NOISE_ONE
        left, right = values[cell - low], values[cell - low + 1]
        total += (left + (right - left) * within // period) >> (layer + 1)
    return total
