"""The bounds of a trade: whatever passes them can be added up, for a year and more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.errors import MalformedTrade
from ingest.core.fixed import MAX_FIXED, ONE
from ingest.core.trade import MAX_NOTIONAL, MAX_RAW_TRADES, Trade, checked

A_YEAR_OF_TRADES = 10**9
"""More than any symbol has had in a year."""


def some_trade(price: int, quantity: int, raw: int = 1) -> Trade:
    return Trade(77, price, quantity, 5, 5 + raw - 1, 0, False)


def test_sums_of_the_largest_trades_fit() -> None:
    assert A_YEAR_OF_TRADES * MAX_NOTIONAL < 2**127
    assert A_YEAR_OF_TRADES * MAX_FIXED < 2**127
    assert A_YEAR_OF_TRADES * MAX_RAW_TRADES < 2**63


@given(price=st.integers(1, MAX_FIXED), quantity=st.integers(1, MAX_FIXED))
def test_a_product_out_of_bounds_names_its_trade(price: int, quantity: int) -> None:
    trade = some_trade(price, quantity)
    if price * quantity <= MAX_NOTIONAL:
        assert checked(trade) is trade
    else:
        with pytest.raises(MalformedTrade, match="aggregate_id=77"):
            checked(trade)


@pytest.mark.parametrize(("raw", "passes"), [(MAX_RAW_TRADES, True), (MAX_RAW_TRADES + 1, False)])
def test_too_many_raw_trades_name_their_trade(raw: int, passes: bool) -> None:
    trade = some_trade(ONE, ONE, raw)
    if passes:
        assert checked(trade) is trade
    else:
        with pytest.raises(MalformedTrade, match="aggregate_id=77"):
            checked(trade)
