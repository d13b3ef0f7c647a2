"""Rounds, in which each contestant runs once, so that ratios compare runs of one round."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def interleave(
    contestants: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Run A B C, C B A, ...; returns each contestant's values by round, without the warm-up.

    Odd rounds run in reverse, so that no contestant always follows the same one.
    """
    names = list(contestants)
    if warm_up:
        for name in names:
            contestants[name]()
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            values[name].append(contestants[name]())
    return values
