"""The forms in which candles and trades are kept as the bytes that clients get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generated.native import encoders
from generated.native.encoders import CandleJson, TradeJson
from generated.native.facts import CANDLE_FIELDS, HISTORY_CANDLE_FIELDS, TRADE_FIELDS
from ingest.core.candle import Candle
from ingest.core.fixed import text
from ingest.core.rows import Rows, array_of
from ingest.core.trade import Trade
from ingest.storage import Form


def candle_json(candle: Candle) -> CandleJson:
    """A candle as the stream sends it."""
    return encoders.candle(
        candle_time=candle.candle_time,
        open=text(candle.open),
        high=text(candle.high),
        low=text(candle.low),
        close=text(candle.close),
        volume=text(candle.volume),
        trades_count=candle.trades_count,
        taker_buy_volume=text(candle.taker_buy_volume),
        taker_sell_volume=text(candle.taker_sell_volume),
    )


def trade_json(trade: Trade) -> TradeJson:
    """A trade as pages show it."""
    return encoders.trade(
        aggregate_id=trade.aggregate_id,
        price=text(trade.price),
        quantity=text(trade.quantity),
        first_trade_id=trade.first_trade_id,
        last_trade_id=trade.last_trade_id,
        timestamp=trade.timestamp,
        is_buyer_maker=trade.is_buyer_maker,
    )


CANDLES = Form(CANDLE_FIELDS, candle_json)
TRADES = Form(TRADE_FIELDS, trade_json)

_CLOSED, _RUNNING = b',"closed":true}', b',"closed":false}'
"""The end of a candle in a page, which has one member more than in the stream: so the same kept
rows serve both. A row has no other brace."""

if (*CANDLE_FIELDS, "closed") != HISTORY_CANDLE_FIELDS:
    raise ImportError("HistoryCandle has to be Candle with `closed` as the last member")


def candles(closed: Sequence[Rows], live: Iterable[Candle]) -> bytes:
    """An array of candles as the stream sends them."""
    return array_of([*(rows.text for rows in closed), *_texts(live)])


def history_candles(closed: Sequence[Rows], live: Iterable[Candle]) -> bytes:
    """An array of candles as pages show them."""
    parts = [rows.text.replace(b"}", _CLOSED) for rows in closed]
    return array_of([*parts, *(text.replace(b"}", _RUNNING) for text in _texts(live))])


def _texts(candles: Iterable[Candle]) -> list[bytes]:
    return [candle_json(candle).encode() for candle in candles]
