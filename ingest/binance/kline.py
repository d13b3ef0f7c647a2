"""Klines: the candles that the exchange itself makes, to compare ours with."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from ingest.core import fixed
from ingest.core.errors import ExchangeUnavailable

from .parse import excerpt


class Kline(NamedTuple):
    """One candle of the exchange. Times in milliseconds, all decimals in units of 1e-8.

    The quote volumes too: the exchange truncates them to 8 decimals at every raw trade.
    """

    open_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    close_time: int
    quote_volume: int
    trades_count: int
    taker_buy_volume: int
    taker_buy_quote_volume: int


_VOLUME: Final = re.compile(r"[0-9]{1,24}(?:\.[0-9]{1,8})?", re.ASCII)
_Columns = tuple[int, str, str, str, str, str, int, str, int, str, str, str]
_decode = msgspec.json.Decoder(list[_Columns]).decode


def klines(body: bytes) -> list[Kline]:
    """The klines of a REST answer, oldest first; raises ExchangeUnavailable for anything else."""
    try:
        return [_kline(columns) for columns in _decode(body)]
    except (ValueError, RecursionError) as error:
        raise ExchangeUnavailable(
            f"The exchange's klines cannot be read ({error}); they came as {excerpt(body)}"
        ) from None


def _volume(text: str) -> int:
    """Like `fixed.parse`, without its bound of 64 bits: sums of quotes pass it on some pairs."""
    if not _VOLUME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a plain decimal")
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(fixed.DECIMALS, "0"))


def _kline(columns: _Columns) -> Kline:
    opened, o, h, low, c, volume, closed, quote, count, bought, bought_quote, _ = columns
    parse = fixed.parse
    return Kline(
        opened, parse(o), parse(h), parse(low), parse(c), _volume(volume), closed,
        _volume(quote), count, _volume(bought), _volume(bought_quote),
    )  # fmt: skip
