"""Rows of exact values, as clients have them in several forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

Row = tuple[Decimal, ...]
Rows = dict[int, Row]
"""Rows by the time of a candle or the id of a trade."""

CANDLE: Final = ("open", "high", "low", "close", "volume", "trades_count", "taker_buy_volume")
"""The fields of a candle's row; some clients have only the first of them."""
COUNT: Final = CANDLE.index("trades_count")
TRADE: Final = (
    *("price", "quantity", "timestamp", "is_buyer_maker", "first_trade_id", "last_trade_id"),
)
"""The fields of a trade's row; some clients have only the first of them."""
MINUTE_MS: Final = 60_000
UNITS: Final = {"d": 1440, "h": 60, "m": 1}
"""The minutes of the units of intervals."""


def exact(value: Any) -> Decimal:
    """A number of a client as the decimal that it shows, never rounded; a truth is 1 or 0."""
    return Decimal(value if isinstance(value, bool | Decimal) else str(value))


def row(*values: Any) -> Row:
    """The exact values of a row."""
    return tuple(map(exact, values))


def fields(names: Iterable[str], values: Mapping[str, Any]) -> Row:
    """A row of some fields."""
    return row(*(values[name] for name in names))


def kline(columns: list[Any]) -> Row:
    """The candle of a kline of twelve columns."""
    return row(*columns[1:6], columns[8], columns[9])


def event_kline(event: Mapping[str, Any]) -> Row:
    """The candle of the `k` of a kline event."""
    return fields("ohlcvnV", event)


def event_trade(event: Mapping[str, Any]) -> Row:
    """The trade of an aggregate trade, of REST or of a stream."""
    return fields("pqTmfl", event)


def minutes(interval: str) -> int:
    """The length of an interval in minutes, as in `173m`, `4h` or `1d`."""
    return int(interval[:-1]) * UNITS[interval[-1]]


def interval(minutes: int) -> str:
    """The interval of a number of minutes."""
    unit = next(name for name, width in UNITS.items() if minutes % width == 0)
    return f"{minutes // UNITS[unit]}{unit}"
