"""The messages that the streams send by themselves, as the bytes that clients get.

`unit` is that of the times, as so many parts of a millisecond. The time at which a candle ends is
its last one in that unit. Decimals are text with eight places.
"""

from __future__ import annotations

from generated.binance import encoders, facts
from generated.binance.encoders import (
    AggTradeJson,
    BookTickerJson,
    CombinedJson,
    DayTickerJson,
    KlineJson,
    MiniTickerJson,
)
from handlers.binance.decimals import percent, quote_volume
from handlers.binance.stream.names import Stream
from ingest.binance.quotes import Quote
from ingest.core.candle import Candle
from ingest.core.fixed import eight_places
from ingest.core.trade import Trade
from ingest.pipeline.day import Figures


def agg_trade(symbol: str, trade: Trade, event_ms: int, unit: int) -> AggTradeJson:
    """A trade that is no tombstone."""
    return encoders.agg_trade(
        event_time=event_ms * unit,
        symbol=symbol,
        aggregate_id=trade.aggregate_id,
        price=eight_places(trade.price),
        quantity=eight_places(trade.quantity),
        first_id=trade.first_trade_id,
        last_id=trade.last_trade_id,
        time=trade.timestamp * unit,
        is_buyer_maker=trade.is_buyer_maker,
    )


def kline(
    stream: Stream, candle: Candle, end_ms: int, event_ms: int, unit: int, *, is_closed: bool
) -> KlineJson:
    """A candle that ends before `end_ms`."""
    interval = facts.STREAM_NAME_SECOND if stream.interval is None else stream.interval.name
    figures = encoders.kline_figures(
        open_time=candle.candle_time * unit,
        close_time=end_ms * unit - 1,
        symbol=stream.symbol,
        interval=interval,
        first_id=candle.first_raw_id,
        last_id=candle.last_raw_id,
        open=eight_places(candle.open),
        close=eight_places(candle.close),
        high=eight_places(candle.high),
        low=eight_places(candle.low),
        volume=eight_places(candle.volume),
        trades_count=candle.trades_count,
        is_closed=is_closed,
        quote_volume=quote_volume(candle.quote_volume),
        taker_buy_volume=eight_places(candle.taker_buy_volume),
        taker_buy_quote_volume=quote_volume(candle.taker_buy_quote_volume),
    )
    return encoders.kline(event_time=event_ms * unit, symbol=stream.symbol, figures=figures)


def mini_ticker(symbol: str, day: Figures, unit: int) -> MiniTickerJson:
    """The prices and volumes of a day."""
    total = day.total
    return encoders.mini_ticker(
        event_time=day.end_ms * unit,
        symbol=symbol,
        close=eight_places(total.close),
        open=eight_places(total.open),
        high=eight_places(total.high),
        low=eight_places(total.low),
        volume=eight_places(total.volume),
        quote_volume=quote_volume(total.quote_volume),
    )


def day_ticker(symbol: str, day: Figures, quote: Quote, unit: int) -> DayTickerJson:
    """All figures of a day."""
    total = day.total
    return encoders.day_ticker(
        event_time=day.end_ms * unit,
        symbol=symbol,
        change=eight_places(day.change),
        percent=percent(day.change, total.open),
        average=eight_places(day.average),
        previous_close=eight_places(day.previous_close),
        close=eight_places(total.close),
        last_quantity=eight_places(day.last.quantity),
        bid=eight_places(quote.bid),
        bid_quantity=eight_places(quote.bid_quantity),
        ask=eight_places(quote.ask),
        ask_quantity=eight_places(quote.ask_quantity),
        open=eight_places(total.open),
        high=eight_places(total.high),
        low=eight_places(total.low),
        volume=eight_places(total.volume),
        quote_volume=quote_volume(total.quote_volume),
        open_time=total.candle_time * unit,
        close_time=day.end_ms * unit,
        first_id=total.first_raw_id,
        last_id=total.last_raw_id,
        trades_count=total.trades_count,
    )


def book_ticker(symbol: str, quote: Quote) -> BookTickerJson:
    """A quote."""
    return encoders.book_ticker(
        update_id=quote.update_id,
        symbol=symbol,
        bid=eight_places(quote.bid),
        bid_quantity=eight_places(quote.bid_quantity),
        ask=eight_places(quote.ask),
        ask_quantity=eight_places(quote.ask_quantity),
    )


def combined(
    stream: Stream,
    data: AggTradeJson | BookTickerJson | DayTickerJson | KlineJson | MiniTickerJson,
) -> CombinedJson:
    """A message with the name of its stream."""
    return encoders.combined(stream=stream.name, data=data)
