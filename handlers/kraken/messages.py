"""Data messages as the bytes that clients get: written once, sent to many.

Decimals are text: prices with the decimals of the pair, volumes with eight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handlers.kraken.channels import Channel
from handlers.kraken.pairs import Pair
from ingest.binance.book import Quote
from ingest.core.candle import Candle
from ingest.core.fixed import DECIMALS, ONE
from ingest.core.timeframe import width_ms
from ingest.core.trade import Trade


def trades(channel: Channel, number: int, pair: Pair, batch: Sequence[Trade]) -> bytes:
    """Trades, none of them a tombstone."""
    return _message(number, f"[{','.join(_trade(trade, pair) for trade in batch)}]", channel, pair)


def ohlc(channel: Channel, number: int, pair: Pair, candle: Candle, newest_ms: int) -> bytes:
    """A candle; `newest_ms` is the time of the symbol's newest trade."""
    end = candle.candle_time + width_ms(channel.interval)
    time = max(candle.candle_time, min(newest_ms, end - 1))
    prices = (candle.open, candle.high, candle.low, candle.close)
    row = ",".join(
        (
            *(f'"{seconds(ms)}"' for ms in (time, end)),
            *(f'"{price(value, pair.decimals)}"' for value in prices),
            f'"{vwap(candle, pair.decimals)}"',
            f'"{volume(candle.volume)}"',
            str(candle.trades_count),
        )
    )
    return _message(number, f"[{row}]", channel, pair)


def ticker(
    channel: Channel, number: int, pair: Pair, quote: Quote, last: Trade, today: Candle, day: Candle
) -> bytes:
    """The figures of a day: `today` since midnight in UTC, `day` the last 24 hours."""
    decimals = pair.decimals
    spans = (today, day)
    figures = ",".join(
        (
            f'"a":{_best(quote.ask, quote.ask_quantity, decimals)}',
            f'"b":{_best(quote.bid, quote.bid_quantity, decimals)}',
            f'"c":["{price(last.price, decimals)}","{volume(last.quantity)}"]',
            f'"v":{_texts(volume(span.volume) for span in spans)}',
            f'"p":{_texts(vwap(span, decimals) for span in spans)}',
            f'"t":[{today.trades_count},{day.trades_count}]',
            f'"l":{_texts(price(span.low, decimals) for span in spans)}',
            f'"h":{_texts(price(span.high, decimals) for span in spans)}',
            f'"o":{_texts(price(span.open, decimals) for span in spans)}',
        )
    )
    return _message(number, f"{{{figures}}}", channel, pair)


def spread(channel: Channel, number: int, pair: Pair, quote: Quote, time_ms: int) -> bytes:
    """A quote that came at `time_ms`."""
    decimals = pair.decimals
    row = _texts(
        (
            price(quote.bid, decimals),
            price(quote.ask, decimals),
            seconds(time_ms),
            volume(quote.bid_quantity),
            volume(quote.ask_quantity),
        )
    )
    return _message(number, row, channel, pair)


def price(value: int, decimals: int) -> str:
    """A price (1e-8) with so many decimals, and more only where it needs them."""
    whole, fraction = divmod(value, ONE)
    digits = f"{fraction:0{DECIMALS}d}"
    return f"{whole}.{digits[:decimals]}{digits[decimals:].rstrip('0')}"


def vwap(candle: Candle, decimals: int) -> str:
    """The price weighted by volume, truncated to so many decimals; zero without trades."""
    unit = 10**decimals
    value = candle.quote_volume * unit // (candle.volume * ONE) if candle.volume else 0
    return f"{value // unit}.{value % unit:0{decimals}d}"


def volume(value: int) -> str:
    """A volume (1e-8) with all its decimals."""
    return f"{value // ONE}.{value % ONE:0{DECIMALS}d}"


def seconds(time_ms: int) -> str:
    """A time in seconds with six decimals."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}000"


def _trade(trade: Trade, pair: Pair) -> str:
    side = "s" if trade.is_buyer_maker else "b"
    return (
        f'["{price(trade.price, pair.decimals)}","{volume(trade.quantity)}",'
        f'"{seconds(trade.timestamp)}","{side}","m",""]'
    )


def _best(value: int, quantity: int, decimals: int) -> str:
    return f'["{price(value, decimals)}",{quantity // ONE},"{volume(quantity)}"]'


def _texts(values: Iterable[str]) -> str:
    return "[" + ",".join(f'"{value}"' for value in values) + "]"


def _message(number: int, payload: str, channel: Channel, pair: Pair) -> bytes:
    return f'[{number},{payload},"{channel.name}","{pair.wsname}"]'.encode()
