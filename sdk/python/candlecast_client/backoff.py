"""Pauses between attempts to connect, with jitter so that clients do not reconnect at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: the first about `first`, each twice the one before, none above `most`.

    After a connection that lasted `steady` seconds the pauses start from `first` again.
    """

    first: float = 0.5
    most: float = 30.0
    steady: float = 10.0

    def pause(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """The pause before an attempt, counted from 0: between half of its step and all of it."""
        step = min(self.most, self.first * 2.0 ** min(attempt, 32))
        return step * (0.5 + chance() / 2)
