"""The data status of a symbol: one state machine.

    from        ids missing, doubted, late    completed    feed lost    history wanted
    unknown     partial                       complete     unknown      loading
    loading     loading                       complete     loading      loading
    partial     partial                       complete     unknown      loading
    complete    partial                       complete     unknown      loading

`completed` happens only to a symbol that is open, whose stream is up, of which no id is missing, no
doubt is left, and no late trade waits to be published.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from generated.native.facts import DataQuality

LAST_COMPLETE_GIVEN = frozenset({DataQuality.LOADING, DataQuality.PARTIAL})
"""The qualities in which the last complete id is given, as the contract has it."""


class Event(Enum):
    """Something that happens to a symbol's data."""

    HISTORY_WANTED = "history has to be downloaded"
    IDS_MISSING = "ids are missing between the first that matters and the newest"
    DOUBTED = "a trade may be missing behind the newest one"
    LATE_TRADE = "a trade of a minute that is over: its candles are not published yet"
    COMPLETED = "nothing is missing, and the candles say so"
    FEED_LOST = "the stream is down: trades may pass unseen"


_LOADING = {DataQuality.LOADING: DataQuality.LOADING}
_INCOMPLETE = dict.fromkeys(DataQuality, DataQuality.PARTIAL) | _LOADING
_LOST = dict.fromkeys(DataQuality, DataQuality.UNKNOWN) | _LOADING
_TRANSITIONS: dict[Event, dict[DataQuality, DataQuality]] = {
    Event.HISTORY_WANTED: dict.fromkeys(DataQuality, DataQuality.LOADING),
    Event.IDS_MISSING: _INCOMPLETE,
    Event.DOUBTED: _INCOMPLETE,
    Event.LATE_TRADE: _INCOMPLETE,
    Event.COMPLETED: dict.fromkeys(DataQuality, DataQuality.COMPLETE),
    Event.FEED_LOST: _LOST,
}


class State:
    """The state of one symbol's data. Times are milliseconds of the exchange's clock."""

    def __init__(self) -> None:
        self.quality = DataQuality.UNKNOWN
        self.is_open = False
        """Whether trades are taken in."""
        self.is_connected = False
        """Whether the stream is up."""
        self.is_ended = False
        """Whether the exchange has the symbol no longer: no trade is expected any more."""
        self.is_verified = False
        """Whether no trade can be missing behind the newest known one."""
        self.doubts = 0
        """How many doubts there were: an answer of the exchange may be older than the last."""
        self.doubted_ms = 0
        """The time of the last doubt."""
        self.late_from_ms: int | None = None
        """The earliest minute of which a late trade is not published yet."""

    def happen(self, event: Event) -> None:
        """Change the quality as the event demands."""
        self.quality = _TRANSITIONS[event][self.quality]

    def open(self) -> None:
        """Trades are taken in from now on."""
        self.is_open = True
        self.is_ended = False

    def end(self) -> None:
        """The exchange has the symbol no longer: what is here is all that there will be."""
        self.is_ended = True
        self.settle()

    def close(self) -> None:
        """No trades are taken in until it is opened anew."""
        self.is_open = self.is_verified = False
        self.doubts += 1
        self.happen(Event.FEED_LOST)

    def connect(self, now_ms: int) -> None:
        """The stream is up; what passed before is not known yet."""
        self.is_connected = True
        self._doubt(now_ms)

    def disconnect(self) -> None:
        """The stream is down."""
        self.is_connected = self.is_verified = False
        self.happen(Event.FEED_LOST)

    def doubt(self, now_ms: int) -> None:
        """A trade may be missing behind the newest one.

        An answer of the exchange settles that, and so does a trade made after the doubt: the
        trades before it have lower ids. One that is older may only have come late.
        """
        self._doubt(now_ms)
        self.happen(Event.DOUBTED)

    def settle(self) -> None:
        """There is no doubt left, as far as the stream is up."""
        self.is_verified = self.is_connected

    def late(self, minute_ms: int | None) -> None:
        """A trade of this minute, if any, came after its end."""
        if minute_ms is None:
            return
        self.publish_from(minute_ms)
        self.happen(Event.LATE_TRADE)

    def publish_from(self, minute_ms: int) -> None:
        """Candles from this minute on are to be published again, with those that wait for it."""
        if self.late_from_ms is None or minute_ms < self.late_from_ms:
            self.late_from_ms = minute_ms

    def take_late(self) -> int | None:
        """The earliest late minute, which is to be published now."""
        late, self.late_from_ms = self.late_from_ms, None
        return late

    def complete(self) -> bool:
        """Complete the data of which no id is missing; whether it was not complete before."""
        is_ready = self.is_open and self.is_verified and self.late_from_ms is None
        if self.quality is DataQuality.COMPLETE or not is_ready:
            return False
        self.happen(Event.COMPLETED)
        return True

    def _doubt(self, now_ms: int) -> None:
        self.is_verified = False
        self.doubts += 1
        self.doubted_ms = now_ms


class DataStatus(NamedTuple):
    """The status that goes with data to clients.

    `last_complete_id` is the highest aggregate id up to which nothing is missing; it is given
    while loading or partial, unless that id is unknown too.
    """

    quality: DataQuality
    last_complete_id: int | None = None

    @property
    def historical_loading(self) -> bool:
        """Whether history is being downloaded."""
        return self.quality is DataQuality.LOADING

    @property
    def gap_recovery(self) -> bool:
        """Whether a gap is being filled."""
        return self.quality is DataQuality.PARTIAL
