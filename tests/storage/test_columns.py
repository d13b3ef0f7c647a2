"""Trades as columns: the same figures, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from generated.native.facts import TIMESTAMP_MS_MAXIMUM
from ingest.core.fixed import MAX_FIXED, to_decimal
from ingest.core.trade import Trade
from ingest.storage import columns

ids = st.integers(-1, MAX_FIXED)
figures = st.integers(0, MAX_FIXED)
trades = st.builds(
    Trade, ids, figures, figures, ids, ids, st.integers(0, TIMESTAMP_MS_MAXIMUM), st.booleans()
)


@given(st.dictionaries(st.text("ABC", min_size=1), st.lists(trades, max_size=5), max_size=4))
def test_every_field_of_every_trade_stands_in_its_column(batch: dict[str, list[Trade]]) -> None:
    table = columns.of_trades(batch)
    assert table.to_pylist() == [
        {
            "symbol": symbol,
            "aggregate_id": trade.aggregate_id,
            "price": exact(trade.price),
            "quantity": exact(trade.quantity),
            "first_trade_id": trade.first_trade_id,
            "last_trade_id": trade.last_trade_id,
            "timestamp": trade.timestamp,
            "is_buyer_maker": trade.is_buyer_maker,
        }
        for symbol, some in batch.items()
        for trade in some
    ]


def exact(value: int) -> Decimal:
    return to_decimal(value)
