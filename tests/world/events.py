"""Lets the events of a plan happen: each kind has a function for its beginning or its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tests.world.chance import chance
from tests.world.client import Client, Pair
from tests.world.exchange import Exchange
from tests.world.faults import Faults
from tests.world.plan import Event, Plan
from tests.world.process import Process
from tests.world.truth import TIMEFRAMES
from tests.world.wire import ExchangeSocket


class Stage(Protocol):
    """The world as events act on it."""

    plan: Plan
    faults: Faults
    exchange: Exchange
    clients: Sequence[Client]
    process: Process
    host_off_ms: int
    """How far the clock of the provider's machine is off."""

    def crash(self) -> None:
        """End the process at once; it begins again by itself."""

    def stop(self) -> None:
        """End it in order; it begins again by itself."""

    def backfill(self, event: Event) -> None:
        """Stop the process, fill a span of an event's symbols, and begin again."""

    def damage(self, luck: random.Random) -> None:
        """Let something that was written be unreadable."""

    def trace(self, text: str) -> None:
        """Say what happens."""


def some_pairs(stage: Stage, luck: random.Random, count: int) -> dict[Pair, int]:
    """Pairs to subscribe to, each with the candles of its history."""
    symbols = list(stage.exchange.markets)
    return {
        (luck.choice(symbols), luck.choice(TIMEFRAMES)): luck.choice((0, 1, 20, 1000))
        for _ in range(count)
    }


class Events:
    """The events of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._loop = asyncio.get_running_loop()
        self._sudden: Mapping[str, Callable[[Event], object]] = {
            "cut": lambda _: self._each_socket(lambda socket: socket.end()),
            "shutdown": lambda _: self._each_socket(self._shut_down),
            "crash": lambda _: stage.crash(),
            "restart": lambda _: stage.stop(),
            "backfill": stage.backfill,
            "join": self._join,
            "resubscribe": self._resubscribe,
            "leave": lambda event: self._client(event).leave(),
            "nonsense": lambda event: self._client(event).say('{"action":"subscribe","x":1}'),
        }
        """Those that are over at once."""
        self._begin: Mapping[str, Callable[[Event], object]] = {
            "damage": lambda event: stage.damage(self._luck(event)),
            "crash in store": self._crash_in_store,
            "stall": lambda _: self._stall(is_stalled=True),
            "unreadable": lambda event: stage.exchange.spoil(event, self._luck(event)),
            "skip": lambda event: stage.exchange.skip(event, self._luck(event)),
            "missing": self._lose,
            "delist": lambda event: self._list(event, is_listed=False),
            "host clock": self._set_host_clock,
            "stop reading": self._stop_reading,
        }
        """Further effects of the others when they begin."""
        self._end: Mapping[str, Callable[[Event], object]] = {
            "crash in store": self._crash_no_more,
            "stall": lambda _: self._stall(is_stalled=False),
            "unreadable": stage.exchange.heal,
            "missing": self._turn_up,
            "delist": lambda event: self._list(event, is_listed=True),
            "host clock": self._set_host_clock_right,
            "stop reading": lambda event: self._client(event).read_on(),
        }

    def begin(self, event: Event) -> None:
        """Let an event happen, and end by itself in time."""
        self._stage.trace(f"EVENT {event}")
        if event.kind in self._sudden:
            self._sudden[event.kind](event)
            return
        self._stage.faults.begin(event)
        if event.kind in self._begin:
            self._begin[event.kind](event)
        self._loop.call_later(event.seconds, self.end, event)

    def end(self, event: Event) -> None:
        """Let an event be over, unless it is."""
        if self._stage.faults.end(event):
            self._stage.trace(f"OVER  {event}")
            if event.kind in self._end:
                self._end[event.kind](event)

    def end_all(self) -> None:
        """Let every event be over."""
        for event in self._stage.faults.all:
            self.end(event)

    def _luck(self, event: Event) -> random.Random:
        return chance(self._stage.plan.seed, event.kind, event.number)

    def _client(self, event: Event) -> Client:
        return self._stage.clients[event.number % len(self._stage.clients)]

    def _each_socket(self, action: Callable[[ExchangeSocket], object]) -> None:
        for socket in list(self._stage.process.network.sockets):
            action(socket)

    def _shut_down(self, socket: ExchangeSocket) -> None:
        socket.announce_shutdown()
        self._loop.call_later(5.0, socket.end, 1001)

    def _stall(self, *, is_stalled: bool) -> None:
        for socket in self._stage.process.network.sockets:
            socket.is_stalled = is_stalled

    def _crash_in_store(self, event: Event) -> None:
        self._stage.process.weather.crash_in = int(event.amount * 12)

    def _crash_no_more(self, _: Event) -> None:
        self._stage.process.weather.crash_in = -1

    def _lose(self, event: Event) -> None:
        for symbol in self._stage.exchange.symbols_of(event):
            market = self._stage.exchange.markets[symbol]
            first = market.next_id + int(event.amount * 5)
            market.lose(first, first + int(event.amount * 30))

    def _turn_up(self, event: Event) -> None:
        for symbol in self._stage.exchange.symbols_of(event) if event.amount > 0.7 else ():
            # Those before the first that matters are no business of the provider's.
            known = self._stage.process.provider.feeds[symbol].continuity
            if known is not None:
                self._stage.exchange.markets[symbol].turn_up(known.first_id)

    def _list(self, event: Event, *, is_listed: bool) -> None:
        for symbol in self._stage.exchange.symbols_of(event):
            self._stage.exchange.markets[symbol].is_listed = is_listed

    def _set_host_clock(self, event: Event) -> None:
        self._stage.host_off_ms = int((event.amount - 0.5) * 4 * 3_600_000)

    def _set_host_clock_right(self, _: Event) -> None:
        self._stage.host_off_ms = 0

    def _stop_reading(self, event: Event) -> None:
        self._client(event).reads = False

    def _join(self, event: Event) -> None:
        luck = self._luck(event)
        self._client(event).subscribe(some_pairs(self._stage, luck, luck.randint(1, 2)))

    def _resubscribe(self, event: Event) -> None:
        luck, client = self._luck(event), self._client(event)
        if client.wanted:
            client.unsubscribe(luck.choice(list(client.wanted)))
        client.subscribe(some_pairs(self._stage, luck, 1))
