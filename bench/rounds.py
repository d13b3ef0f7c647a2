"""Rounds: each contestant once, then all again, so that ratios are paired within a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def interleave(
    contestants: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Run A B C, A B C, ...; each contestant's value of each round, the warm-up left out.

    Odd rounds go backwards, so that nobody always follows the same neighbour.
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
