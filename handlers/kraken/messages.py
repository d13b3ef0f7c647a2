"""The messages that both servers send by themselves, as the bytes that clients get.

Each is encoded once and sent to many. Decimals are text: prices with the decimals of the pair,
volumes with eight.
"""

from __future__ import annotations

from collections.abc import Iterable

from generated.kraken import encoders
from generated.kraken.encoders import (
    BestJson,
    HeartbeatJson,
    OhlcJson,
    OneTradeJson,
    OpenOrdersJson,
    OwnTradesJson,
    SpreadJson,
    SystemStatusJson,
    TickerJson,
    TradeJson,
)
from generated.kraken.facts import OrderType, Side, SystemState
from handlers.kraken.channels import Channel
from handlers.kraken.pairs import KrakenPair
from ingest.binance.quotes import Quote
from ingest.core.candle import Candle
from ingest.core.fixed import DECIMALS, ONE
from ingest.core.timeframe import width_ms
from ingest.core.trade import Trade


def system_status(connection_id: int, state: SystemState, version: str) -> SystemStatusJson:
    """Whether everything works, as the first message of a connection."""
    return encoders.system_status(connection_id=connection_id, status=state, version=version)


def heartbeat() -> HeartbeatJson:
    """A sign of life."""
    return encoders.heartbeat()


def trade(number: int, pair: KrakenPair, batch: Iterable[Trade]) -> TradeJson:
    """Trades, none of them a tombstone."""
    rows = (_one_trade(each, pair) for each in batch)
    return encoders.trade(channel_id=number, trades=rows, pair=pair.wsname)


def ohlc(
    channel: Channel, number: int, pair: KrakenPair, candle: Candle, newest_ms: int
) -> OhlcJson:
    """A candle; `newest_ms` is the time of the symbol's newest trade."""
    end = candle.candle_time + width_ms(channel.interval)
    row = encoders.candle(
        time=seconds(max(candle.candle_time, min(newest_ms, end - 1))),
        etime=seconds(end),
        open=price(candle.open, pair.decimals),
        high=price(candle.high, pair.decimals),
        low=price(candle.low, pair.decimals),
        close=price(candle.close, pair.decimals),
        vwap=vwap(candle, pair.decimals),
        volume=volume(candle.volume),
        count=candle.trades_count,
    )
    return encoders.ohlc(
        channel_id=number, candle=row, ohlc_name=channel.ohlc_name, pair=pair.wsname
    )


def ticker(
    number: int, pair: KrakenPair, quote: Quote, last: Trade, today: Candle, day: Candle
) -> TickerJson:
    """The figures of a day: `today` since midnight in UTC, `day` the last 24 hours."""
    decimals = pair.decimals
    spans = (today, day)
    figures = encoders.figures(
        a=_best(quote.ask, quote.ask_quantity, decimals),
        b=_best(quote.bid, quote.bid_quantity, decimals),
        c=(price(last.price, decimals), volume(last.quantity)),
        v=(volume(span.volume) for span in spans),
        p=(vwap(span, decimals) for span in spans),
        t=(span.trades_count for span in spans),
        l=(price(span.low, decimals) for span in spans),
        h=(price(span.high, decimals) for span in spans),
        o=(price(span.open, decimals) for span in spans),
    )
    return encoders.ticker(channel_id=number, figures=figures, pair=pair.wsname)


def spread(number: int, pair: KrakenPair, quote: Quote, time_ms: int) -> SpreadJson:
    """A quote that came at `time_ms`."""
    row = encoders.quote(
        bid=price(quote.bid, pair.decimals),
        ask=price(quote.ask, pair.decimals),
        time=seconds(time_ms),
        bid_volume=volume(quote.bid_quantity),
        ask_volume=volume(quote.ask_quantity),
    )
    return encoders.spread(channel_id=number, quote=row, pair=pair.wsname)


def own_trades() -> OwnTradesJson:
    """The trades of an account that has never traded."""
    return encoders.own_trades(sequence=encoders.sequence(sequence=1))


def open_orders() -> OpenOrdersJson:
    """The open orders of an account that has never traded."""
    return encoders.open_orders(sequence=encoders.sequence(sequence=1))


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


def _one_trade(trade: Trade, pair: KrakenPair) -> OneTradeJson:
    return encoders.one_trade(
        price=price(trade.price, pair.decimals),
        volume=volume(trade.quantity),
        time=seconds(trade.timestamp),
        side=Side.SELL if trade.is_buyer_maker else Side.BUY,
        order_type=OrderType.MARKET,
        misc="",
    )


def best(value: int, quantity: int, decimals: int) -> tuple[str, int, str]:
    """The best price of one side, the whole lots there, and the volume there."""
    return price(value, decimals), quantity // ONE, volume(quantity)


def _best(value: int, quantity: int, decimals: int) -> BestJson:
    shown, lots, there = best(value, quantity, decimals)
    return encoders.best(price=shown, whole_lots=lots, volume=there)
