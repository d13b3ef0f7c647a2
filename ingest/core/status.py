"""The data status of a symbol. Every transition stands in the one table below."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Quality(Enum):
    """What can be said of a symbol's data; the values are the contract's."""

    LOADING = "loading"
    PARTIAL = "partial"
    COMPLETE = "complete"
    UNKNOWN = "unknown"


LAST_COMPLETE_GIVEN = frozenset({Quality.LOADING, Quality.PARTIAL})
"""The qualities in which the last complete id is given, as the contract has it."""


class Event(Enum):
    """What happens to a symbol's data."""

    HISTORY_WANTED = "history has to be downloaded"
    GAP_OPENED = "ids are missing between the first that matters and the newest"
    MADE_WHOLE = "nothing is missing, and the candles say so"
    FEED_LOST = "the stream is down: trades may pass unseen"


_TRANSITIONS: dict[tuple[Quality, Event], Quality] = {
    (Quality.UNKNOWN, Event.HISTORY_WANTED): Quality.LOADING,
    (Quality.UNKNOWN, Event.GAP_OPENED): Quality.PARTIAL,
    (Quality.UNKNOWN, Event.MADE_WHOLE): Quality.COMPLETE,
    (Quality.UNKNOWN, Event.FEED_LOST): Quality.UNKNOWN,
    (Quality.LOADING, Event.HISTORY_WANTED): Quality.LOADING,
    (Quality.LOADING, Event.GAP_OPENED): Quality.LOADING,
    (Quality.LOADING, Event.MADE_WHOLE): Quality.COMPLETE,
    (Quality.LOADING, Event.FEED_LOST): Quality.LOADING,
    (Quality.PARTIAL, Event.HISTORY_WANTED): Quality.LOADING,
    (Quality.PARTIAL, Event.GAP_OPENED): Quality.PARTIAL,
    (Quality.PARTIAL, Event.MADE_WHOLE): Quality.COMPLETE,
    (Quality.PARTIAL, Event.FEED_LOST): Quality.UNKNOWN,
    (Quality.COMPLETE, Event.HISTORY_WANTED): Quality.LOADING,
    (Quality.COMPLETE, Event.GAP_OPENED): Quality.PARTIAL,
    (Quality.COMPLETE, Event.MADE_WHOLE): Quality.COMPLETE,
    (Quality.COMPLETE, Event.FEED_LOST): Quality.UNKNOWN,
}


def after(quality: Quality, event: Event) -> Quality:
    """The quality that follows when `event` happens."""
    return _TRANSITIONS[quality, event]


class DataStatus(NamedTuple):
    """What a message says of the data behind it.

    `last_complete_id` is the highest aggregate id up to which nothing is missing; it is given
    while loading or partial, unless that id is unknown too.
    """

    quality: Quality
    last_complete_id: int | None = None

    @property
    def historical_loading(self) -> bool:
        """Whether history is being downloaded."""
        return self.quality is Quality.LOADING

    @property
    def gap_recovery(self) -> bool:
        """Whether a gap is being filled."""
        return self.quality is Quality.PARTIAL
