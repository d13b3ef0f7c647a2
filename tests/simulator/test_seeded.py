"""Seeded trades are one endless sequence, whichever way it is asked for."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.assets import asset, names
from simulator.errors import SimulatorError
from simulator.seeded import GENESIS_US, SeededMarket
from simulator.trades import Trades
from tests.simulator.conftest import FEW

YEAR_US = 365 * 86_400 * 1_000_000
RATES = st.sampled_from([0.001, 0.1, 5.0, 49.0, 3000.0])
IDS = st.integers(0, 3_000_000_000)


def market(rate: float = 5.0, *, seed: int = 1, symbol: str = "BTCUSDT") -> SeededMarket:
    return SeededMarket(asset(symbol), seed=seed, rate=rate, tombstones=0.03)


def equal(left: Trades, right: Trades) -> bool:
    return all(
        np.array_equal(getattr(left, field.name), getattr(right, field.name))
        for field in fields(Trades)
    )


@FEW
@given(rate=RATES, start=IDS, before=st.integers(0, 3000), skip=st.integers(0, 2000))
def test_a_slice_is_the_same_wherever_it_is_cut_from(
    rate: float, start: int, before: int, skip: int
) -> None:
    whole = market(rate).slice(start, before + 500)
    assert equal(market(rate).slice(start + skip, 100), whole[skip : skip + 100]) or skip > (
        before + 400
    )
    assert whole.ids.tolist() == list(range(start, start + before + 500))


@FEW
@given(rate=RATES, start=IDS)
def test_raw_ids_are_contiguous_and_times_do_not_decrease(rate: float, start: int) -> None:
    found = market(rate).slice(start, 2000)
    assert (np.diff(found.time_us) >= 0).all()
    real = found[~found.tombstones]
    assert (real.first[1:] == real.last[:-1] + 1).all()
    assert (real.last >= real.first).all()
    assert (real.last > real.first).any()
    assert (real.price > 0).all()
    assert (real.quantity > 0).all()
    assert real.buyer_maker.any()
    assert not real.buyer_maker.all()
    dead = found[found.tombstones]
    assert len(dead)
    assert not dead.price.any()
    assert not dead.quantity.any()
    assert (dead.last == -1).all()


@FEW
@given(rate=RATES, since=st.integers(-1000, 10 * YEAR_US))
def test_the_id_at_a_time_is_the_first_trade_not_before_it(rate: float, since: int) -> None:
    source, time_us = market(rate), GENESIS_US + since
    found = source.id_at(time_us)
    assert int(source.slice(found, 1).time_us[0]) >= time_us
    if found:
        assert int(source.slice(found - 1, 1).time_us[0]) < time_us
    assert source.last_id(time_us - 1) == found - 1


@FEW
@given(rate=RATES, trade_id=IDS)
def test_a_trade_is_found_again_by_its_time(rate: float, trade_id: int) -> None:
    source = market(rate)
    time_us = int(source.slice(trade_id, 1).time_us[0])
    assert source.id_at(time_us) <= trade_id <= source.last_id(time_us)


def test_an_hour_has_its_rate_and_some_minutes_are_quiet() -> None:
    source = market(5.0)
    hour = source.slice(source.id_at(GENESIS_US + YEAR_US), 18_000 * 24)
    minutes = np.unique(hour.time_us // 60_000_000)
    assert int(hour.time_us[-1] - hour.time_us[0]) <= 24 * 3_600_000_000
    assert 1300 <= len(minutes) < 1440


def test_seed_and_symbol_make_different_trades_and_the_same_make_the_same() -> None:
    one = market().slice(1000, 200)
    assert equal(one, market().slice(1000, 200))
    assert not np.array_equal(one.price, market(seed=2).slice(1000, 200).price)
    assert not np.array_equal(one.time_us, market(symbol="ETHUSDT").slice(1000, 200).time_us)


def test_a_market_with_an_end_has_no_trade_after_it() -> None:
    end_us = GENESIS_US + 86_400_000_000
    source = SeededMarket(asset("BTCUSDT"), rate=1.0, end_us=end_us)
    last = source.last_id(2**62)
    assert int(source.slice(last, 10).time_us[-1]) <= end_us
    assert len(source.slice(last, 10)) == 1
    assert source.id_at(end_us + 1) == last + 1


@pytest.mark.parametrize("symbol", [*names(40), "XRPETH", "SHIBBTC", "ABCEUR"])
def test_prices_and_sizes_keep_to_the_steps_of_their_symbol(symbol: str) -> None:
    found = SeededMarket(asset(symbol)).slice(10**9, 5000)
    assert not (found.price % asset(symbol).tick).any()
    assert not (found.quantity % asset(symbol).step).any()
    assert len(np.unique(found.price)) > 3
    assert (found.price.astype(float) * found.quantity).max() < 1e18 * 1e8


@pytest.mark.parametrize(
    "wrong", [{"rate": 0.0}, {"rate": 1e9}, {"tombstones": 0.5}, {"genesis_us": 1}]
)
def test_impossible_markets_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SimulatorError):
        SeededMarket(asset("BTCUSDT"), **wrong)  # type: ignore[arg-type]  # one of each kind
