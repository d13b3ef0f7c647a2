"""The plan of a seed: how its world is set up, and what goes wrong in it, when and for how long.

A plan is data: it can be printed, cut down to the events that matter, and run again.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from tests.world.chance import chance

SYMBOLS: Final = ("AAAUSDT", "BBBUSDT", "CCCBTC")
DAY_MS: Final = 86_400_000
BASE_MS: Final = 1_701_388_800_000 - DAY_MS
"""The last day of a November: a month ends within a day."""

EVERY: Final = -1
"""Stands for every symbol in an event."""

RATES: Final = ("drop", "repeat", "reorder", "delay", "corrupt", "garbage", "symbol", "unknown")
"""Faults of a share of the messages of a stream."""

KINDS: Final = {
    **dict.fromkeys(RATES, 3),
    "cut": 4, "stall": 2, "mute stream": 1, "refuse": 2, "shutdown": 2, "far id": 1,
    "429": 2, "418": 1, "403": 1, "5xx": 2, "body": 2, "cut body": 1, "empty": 2, "short": 2,
    "slow": 2, "unreachable": 3, "foreign weight": 1,
    "time": 3, "newest": 2, "unreadable": 4, "skip": 3, "microseconds": 1, "missing": 3,
    "delist": 1,
    "burst": 3, "quiet": 2,
    "store away": 3, "store slow": 2, "disk full": 3, "damage": 2,
    "host clock": 2,
    "crash": 4, "crash in store": 4, "restart": 3,
    "join": 5, "leave": 2, "stop reading": 2, "resubscribe": 4, "nonsense": 1,
}  # fmt: skip
"""Everything that happens, and how often beside the others."""

BACKFILLS: Final = ("backfill", "backfill", "archive", "5xx", "cut body", "unreadable", "skip")
"""Everything that happens further in a world with backfills."""
BACKFILLED: Final = 0.15
"""The share of worlds with backfills."""

LONGEST_LIE_S: Final = 200.0
"""A server time that is wrong for longer, and that no trade refutes, is believed in the end."""


class Event(NamedTuple):
    """Something that happens in a world."""

    number: int
    """Its place in the whole plan, which names it."""
    at: float
    """Seconds after the beginning."""
    kind: str
    seconds: float
    """How long it goes on."""
    symbol: int
    """Which symbol it is about, or EVERY."""
    amount: float
    """From 0 to 1: how much of it."""

    def __str__(self) -> str:
        of = "all" if self.symbol == EVERY else SYMBOLS[self.symbol]
        return (
            f"{self.number:3} at {self.at:6.1f} s, {self.kind} of {of} for {self.seconds:.1f} s"
            f" ({self.amount:.2f})"
        )


@dataclass(frozen=True)
class Plan:
    """A world's setting and its events in order."""

    seed: int
    events: Sequence[Event]
    seconds: float
    symbols: int
    start_ms: int
    history_minutes: int
    """The history that the provider wants."""
    past_minutes: int
    """The history that the exchange has."""
    trades_a_minute: float
    latency_s: float
    weight_limit: int
    confirm_seconds: float
    keep_days: int
    """0: everything is kept."""
    connection_seconds: float
    """How long the exchange lets a stream live."""
    clients: int

    def only(self, numbers: Collection[int]) -> Plan:
        """The same world with these events alone."""
        return replace(self, events=[e for e in self.events if e.number in numbers])

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {self.symbols} symbols, {self.seconds:.0f} s,"
            f" {self.history_minutes} of {self.past_minutes} minutes of history,"
            f" {self.trades_a_minute:.0f} trades a minute"
        ]
        return "\n".join([*lines, *map(str, self.events)])


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    luck = chance(seed, "plan")
    seconds = luck.choice((40.0, 90.0, 90.0, 150.0, 240.0))
    symbols = luck.choice((1, 1, 2, 3))
    # Some kinds at a time: what happens often together shows what their mixture hides.
    kinds = luck.sample(sorted(KINDS), luck.choice((2, 3, 4, 6, 10, len(KINDS))))
    count = luck.choice((2, 5, 8, 12, 20))
    events = _events(luck, kinds, count, seconds, symbols)
    start_ms = BASE_MS + luck.choice((0, luck.randrange(DAY_MS), DAY_MS - 45_000, DAY_MS - 150_000))
    history_minutes, past_minutes = luck.choice((0, 1, 7, 30)), luck.choice((0, 3, 20, 60))
    backfills = chance(seed, "backfills")
    if backfills.random() < BACKFILLED:
        further = _events(backfills, BACKFILLS, backfills.choice((1, 3, 6)), seconds, symbols, 100)
        events = sorted([*events, *further], key=lambda event: event.at)
        # Mostly soon after a day has ended, whose trades are in the archive alone.
        after = BASE_MS + DAY_MS + backfills.choice((20_000, 600_000, 1_800_000))
        start_ms = backfills.choice((start_ms, after, after))
        history_minutes = backfills.choice((history_minutes, 0, 1))
        past_minutes = backfills.choice((past_minutes, 60))
    return Plan(
        seed,
        events,
        seconds,
        symbols,
        start_ms,
        history_minutes,
        past_minutes,
        trades_a_minute=luck.choice((3.0, 20.0, 20.0, 60.0)),
        latency_s=luck.choice((0.001, 0.03, 0.03, 0.2)),
        weight_limit=luck.choice((6000, 6000, 1200)),
        confirm_seconds=luck.choice((20.0, 120.0)),
        keep_days=luck.choice((0, 0, 0, 1)),
        connection_seconds=luck.choice((86_400.0, 86_400.0, 60.0)),
        clients=luck.choice((1, 2, 3)),
    )


def _events(
    luck: random.Random,
    kinds: Sequence[str],
    count: int,
    seconds: float,
    symbols: int,
    first: int = 0,
) -> list[Event]:
    """Events by time, numbered from `first` on."""
    weights = [KINDS.get(kind, 3) for kind in kinds]
    times = sorted(round(luck.uniform(0, seconds), 2) for _ in range(count))
    return [
        Event(
            number,
            at,
            luck.choices(kinds, weights)[0],
            round(
                min(luck.choice((0.5, 3, 10, 30, 60)) * luck.uniform(0.5, 1.5), LONGEST_LIE_S), 2
            ),
            luck.choice((EVERY, luck.randrange(symbols))),
            round(luck.random(), 2),
        )
        for number, at in enumerate(times, first)
    ]
