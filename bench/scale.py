"""The scale of a run: full or quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scale:
    """Full: every benchmark with enough rounds for a stable median. Quick: a short run."""

    quick: bool = False
    minutes: float = 60.0
    """Length of the soak."""

    def pick(self, full: T, quick: T) -> T:
        return quick if self.quick else full
