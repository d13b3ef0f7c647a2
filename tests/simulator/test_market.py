"""Missing ids, and klines over any stretch of trades, against the plain way of making them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import klines as klines_module
from simulator.assets import asset
from simulator.errors import SimulatorError
from simulator.klines import Frame, Kline, Running, klines
from simulator.market import Market
from simulator.seeded import GENESIS_US, SeededMarket
from tests.simulator.conftest import FEW

HOLES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40)), max_size=8)
NOW_US = GENESIS_US + 3_600_000_000
MINUTE = Frame("1m")


def market(holes: list[tuple[int, int]]) -> Market:
    made = Market(asset("ETHBTC"), SeededMarket(asset("ETHBTC"), rate=0.1, tombstones=0.05))
    for start, length in holes:
        made.remove(start, start + length)
    return made


@FEW
@given(holes=HOLES, start=st.integers(0, 400), limit=st.integers(0, 60))
def test_missing_ids_are_skipped_and_others_are_not(
    holes: list[tuple[int, int]], start: int, limit: int
) -> None:
    gone = {gone for low, length in holes for gone in range(low, low + length + 1)}
    left = [each for each in range(1000) if each not in gone]
    found = market(holes)
    after = [each for each in left if each >= start]
    before = [each for each in left if each < start]
    assert found.slice(start, limit).ids.tolist() == after[:limit]
    assert found.before(start, limit).ids.tolist() == before[max(0, len(before) - limit) :]
    made = found.source.last_id(NOW_US)
    assert (
        found.trades(start, limit, NOW_US).ids.tolist() == [i for i in after if i <= made][:limit]
    )
    assert all(low[1] + 1 < high[0] for low, high in pairwise(found.holes))


def test_a_gap_that_runs_backwards_is_refused() -> None:
    with pytest.raises(SimulatorError):
        market([]).remove(5, 4)


@FEW
@given(holes=HOLES, interval=st.sampled_from(["1s", "1m", "5m", "15m"]))
def test_klines_equal_a_plain_fold(holes: list[tuple[int, int]], interval: str) -> None:
    found, width = market(holes), klines_module.INTERVALS[interval]
    trades = found.trades(0, 1000, NOW_US)
    trades = trades[~trades.tombstones]
    plain: dict[int, Kline] = {}
    for first, last, price, quantity, time_ms, maker in zip(
        trades.first.tolist(), trades.last.tolist(), trades.price.tolist(),
        trades.quantity.tolist(), trades.time_ms.tolist(), trades.buyer_maker.tolist(),
        strict=True,
    ):  # fmt: skip
        opening = time_ms // width * width
        quote = price * quantity // 10**8
        was = plain.get(opening) or Kline(
            opening, opening + width - 1, price, price, price, price, first=first
        )
        plain[opening] = Kline(
            opening, was.close_time, was.open, max(was.high, price), min(was.low, price), price,
            was.volume + quantity, was.quote_volume + quote, was.trades + last - first + 1,
            was.taker_buy_volume + (0 if maker else quantity),
            was.taker_buy_quote_volume + (0 if maker else quote), was.first, last,
        )  # fmt: skip
    made = klines(found, Frame(interval), 0, NOW_US // 1000, NOW_US)
    assert [kline for kline in made if kline.trades] == list(plain.values())
    assert [k.open_time for k in made] == list(range(made[0].open_time, NOW_US // 1000 + 1, width))
    assert all(
        (kline.open, kline.high, kline.low, kline.close) == (before.close,) * 4
        for before, kline in pairwise(made)
        if not kline.trades
    )


def test_an_answer_of_too_many_trades_is_shorter_and_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = klines(market([]), MINUTE, 0, NOW_US // 1000, NOW_US)
    monkeypatch.setattr(klines_module, "MAX_TRADES", 100)
    oldest = klines(market([]), MINUTE, 0, NOW_US // 1000, NOW_US)
    newest = klines(market([]), MINUTE, None, NOW_US // 1000, NOW_US)
    assert oldest == whole[: len(oldest)]
    assert newest == whole[-len(newest) :]
    assert 1 < len(oldest) < len(whole)
    assert 1 < len(newest) < len(whole)


@FEW
@given(pauses=st.lists(st.integers(1, 90_000), min_size=1, max_size=20))
def test_the_running_kline_is_the_one_that_rest_gives(pauses: list[int]) -> None:
    found, running, now_ms = (
        market([(100, 20)]),
        Running(market([(100, 20)]), MINUTE),
        NOW_US // 1000,
    )
    for pause in pauses:
        was, now_ms = now_ms, now_ms + pause
        *closed, newest = running.update(now_ms * 1000)
        assert [newest] == klines(found, MINUTE, newest.open_time, now_ms, now_ms * 1000)
        for kline in closed:
            assert was // 60_000 * 60_000 == kline.open_time < newest.open_time
            assert [kline] == klines(found, MINUTE, kline.open_time, kline.open_time, now_ms * 1000)


def test_there_are_no_klines_before_the_first_trade() -> None:
    assert klines(market([]), MINUTE, 0, GENESIS_US // 1000 - 1, NOW_US) == []
