"""Trades as rows of `Trades`, and the numbers by which clients ask for those that follow.

Such a number is a time in nanoseconds. As trades have milliseconds only, what is left counts those
of the millisecond that have been given, so that none is given twice or left out.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from handlers.kraken.messages import price
from ingest.core import fixed
from ingest.core.fixed import eight_places
from ingest.core.rows import Rows, array_of
from ingest.core.trade import Trade
from ingest.storage import Form

NS_OF_MS = 1_000_000


class StoredTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A trade as the store writes it."""

    aggregate_id: int
    price: str
    quantity: str
    time_ms: int
    is_buyer_maker: bool


def _text(trade: Trade) -> str:
    return (
        f'[{trade.aggregate_id},"{eight_places(trade.price)}","{eight_places(trade.quantity)}",'
        f"{trade.timestamp},{'true' if trade.is_buyer_maker else 'false'}]"
    )


FORM = Form(
    ("aggregate_id", "price_8", "quantity_8", "timestamp", "is_buyer_maker"), _text, is_array=True
)
_decode = msgspec.json.Decoder(list[StoredTrade]).decode


def decoded(rows: Iterable[Rows]) -> list[StoredTrade]:
    """Rows in this form as trades."""
    return _decode(array_of(each.text for each in rows if len(each)))


def row(trade: StoredTrade, decimals: int) -> list[object]:
    """A trade as clients get it; its price has so many decimals at least."""
    seconds = f"{trade.time_ms // 1000}.{trade.time_ms % 1000:03d}"
    return [
        price(fixed.parse(trade.price), decimals),
        trade.quantity,
        msgspec.Raw(seconds.encode()),
        "s" if trade.is_buyer_maker else "b",
        "m",
        "",
        trade.aggregate_id,
    ]


def following(time_ms: int, given: int) -> str:
    """The number that asks for the trades after the first `given` ones of a millisecond."""
    return str(time_ms * NS_OF_MS + given)


def asked(since: int) -> tuple[int, int]:
    """The millisecond of such a number, and how many of its trades have been given."""
    return divmod(since, NS_OF_MS)
