"""The data status of a symbol. Every transition stands in the one table below."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from generated.native.facts import DataQuality

LAST_COMPLETE_GIVEN = frozenset({DataQuality.LOADING, DataQuality.PARTIAL})
"""The qualities in which the last complete id is given, as the contract has it."""


class Event(Enum):
    """What happens to a symbol's data."""

    HISTORY_WANTED = "history has to be downloaded"
    GAP_OPENED = "ids are missing between the first that matters and the newest"
    MADE_WHOLE = "nothing is missing, and the candles say so"
    FEED_LOST = "the stream is down: trades may pass unseen"


_TRANSITIONS: dict[tuple[DataQuality, Event], DataQuality] = {
    (DataQuality.UNKNOWN, Event.HISTORY_WANTED): DataQuality.LOADING,
    (DataQuality.UNKNOWN, Event.GAP_OPENED): DataQuality.PARTIAL,
    (DataQuality.UNKNOWN, Event.MADE_WHOLE): DataQuality.COMPLETE,
    (DataQuality.UNKNOWN, Event.FEED_LOST): DataQuality.UNKNOWN,
    (DataQuality.LOADING, Event.HISTORY_WANTED): DataQuality.LOADING,
    (DataQuality.LOADING, Event.GAP_OPENED): DataQuality.LOADING,
    (DataQuality.LOADING, Event.MADE_WHOLE): DataQuality.COMPLETE,
    (DataQuality.LOADING, Event.FEED_LOST): DataQuality.LOADING,
    (DataQuality.PARTIAL, Event.HISTORY_WANTED): DataQuality.LOADING,
    (DataQuality.PARTIAL, Event.GAP_OPENED): DataQuality.PARTIAL,
    (DataQuality.PARTIAL, Event.MADE_WHOLE): DataQuality.COMPLETE,
    (DataQuality.PARTIAL, Event.FEED_LOST): DataQuality.UNKNOWN,
    (DataQuality.COMPLETE, Event.HISTORY_WANTED): DataQuality.LOADING,
    (DataQuality.COMPLETE, Event.GAP_OPENED): DataQuality.PARTIAL,
    (DataQuality.COMPLETE, Event.MADE_WHOLE): DataQuality.COMPLETE,
    (DataQuality.COMPLETE, Event.FEED_LOST): DataQuality.UNKNOWN,
}


def after(quality: DataQuality, event: Event) -> DataQuality:
    """The quality that follows when `event` happens."""
    return _TRANSITIONS[quality, event]


class DataStatus(NamedTuple):
    """What a message says of the data behind it.

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
