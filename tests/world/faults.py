"""The faults that are in force now, by kind."""

from __future__ import annotations

from tests.world.plan import EVERY, SYMBOLS, Event


class Faults:
    """The events that go on."""

    def __init__(self) -> None:
        self._active: dict[str, list[Event]] = {}

    def begin(self, event: Event) -> None:
        """The event goes on from now."""
        self._active.setdefault(event.kind, []).append(event)

    def end(self, event: Event) -> bool:
        """The event is over; False when it was so before."""
        events = self._active.get(event.kind, [])
        if event not in events:
            return False
        events.remove(event)
        if not events:
            del self._active[event.kind]
        return True

    @property
    def all(self) -> list[Event]:
        """All events that go on."""
        return [event for events in self._active.values() for event in events]

    def of(self, kind: str, symbol: str | None = None) -> Event | None:
        """The latest event of a kind that is in force, of this symbol if one is given."""
        if kind not in self._active:
            return None
        for event in reversed(self._active[kind]):
            if symbol is None or event.symbol == EVERY or SYMBOLS[event.symbol] == symbol:
                return event
        return None

    def any_of(self, kinds: tuple[str, ...]) -> bool:
        """Whether an event of one of these kinds goes on."""
        return not self._active.keys().isdisjoint(kinds)
