"""Aggregate trades as rows of `aggTrades`."""

from __future__ import annotations

from generated.binance.models import TradeRow
from ingest.core.fixed import eight_places
from ingest.core.trade import Trade
from ingest.storage import Form

COLUMNS = (
    *("aggregate_id", "price_8", "quantity_8", "first_trade_id", "last_trade_id", "timestamp"),
    *("is_buyer_maker", "true"),
)
"""The members of a row, by the names that the store has for them."""


def _row(trade: Trade) -> str:
    return (
        f'{{"a":{trade.aggregate_id},"p":"{eight_places(trade.price)}",'
        f'"q":"{eight_places(trade.quantity)}","f":{trade.first_trade_id},'
        f'"l":{trade.last_trade_id},"T":{trade.timestamp},'
        f'"m":{"true" if trade.is_buyer_maker else "false"},"M":true}}'
    )


FORM = Form(COLUMNS, _row, names=tuple(TradeRow.model_fields))
