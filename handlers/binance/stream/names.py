"""Streams by their names, and the forms in which a connection gets their messages."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from generated.binance import facts
from handlers.binance.intervals import interval_of
from handlers.problem import InvalidParameter
from ingest.core.interval import Interval

AGG_TRADE = facts.STREAM_NAME_AGG_TRADE
KLINE = facts.STREAM_NAME_KLINE
SECOND_KLINE = f"{KLINE}_{facts.STREAM_NAME_SECOND}"
MINI_TICKER = facts.STREAM_NAME_MINI_TICKER
DAY_TICKER = facts.STREAM_NAME_DAY_TICKER
BOOK_TICKER = facts.STREAM_NAME_BOOK_TICKER
KINDS = (AGG_TRADE, KLINE, MINI_TICKER, DAY_TICKER, BOOK_TICKER)

MILLISECOND, MICROSECOND = 1, 1000
"""Units of time, as so many parts of a millisecond."""
_FORM = re.compile(facts.STREAM_NAME_FORM)
_NOT_SERVED = {"trade": "single trades", "depth": "order books"}


class Stream(NamedTuple):
    """The messages of one kind about one symbol."""

    name: str
    kind: str
    symbol: str
    interval: Interval | None = None
    """That of a kline, but for one of seconds."""

    @property
    def bucket(self) -> Interval:
        """The interval of such a kline; raises TypeError for any other stream."""
        if self.interval is None:
            raise TypeError(f"{self.name} has no interval")
        return self.interval


class Form(NamedTuple):
    """How a connection gets the messages of its streams."""

    is_combined: bool
    """Whether they come with the name of their stream."""
    unit: int = MILLISECOND
    """The unit of their times."""


FORMS = tuple(Form(is_combined, unit) for is_combined in (False, True) for unit in (1, 1000))


class Topic(NamedTuple):
    """A stream in one of its forms: what a connection is subscribed to."""

    stream: Stream
    form: Form


class NotServed(Exception):
    """A name of a stream that is not served here; the text says why."""


def stream_of(name: str, symbols: Collection[str]) -> Stream:
    """The stream of a name, of one of the followed symbols. Raises NotServed."""
    if name.startswith("!"):
        raise NotServed(f"{name}: all symbols together are not served here: name each symbol")
    for kind, what in _NOT_SERVED.items():
        if name.partition("@")[2].startswith(kind):
            raise NotServed(f"{name}: {what} are not served here")
    match = _FORM.fullmatch(name)
    if match is None or match["kind"] not in KINDS:
        raise NotServed(f"{name}: no stream has such a name; known are {', '.join(KINDS)}")
    kind, symbol, interval = match["kind"], match["symbol"].upper(), match["interval"]
    if symbol not in symbols or match["symbol"] != symbol.lower():
        raise NotServed(f"{name}: the symbol, in lower case, is not one that is followed here")
    if (kind == KLINE) is (interval is None):
        raise NotServed(
            f"{name}: {KLINE} takes an interval, as in kline_173m, and no other kind does"
        )
    if interval is None:
        return Stream(name, kind, symbol)
    if interval == facts.STREAM_NAME_SECOND:
        return Stream(name, SECOND_KLINE, symbol)
    try:
        return Stream(name, kind, symbol, interval_of(interval, match["zone"] or "0"))
    except InvalidParameter as error:
        raise NotServed(f"{name}: {error.message}") from None
