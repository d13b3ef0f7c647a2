"""Lines of the archive, parsed by the engine: the same verdicts as the parser at the edge."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.binance.parse import archive_row
from ingest.core.continuity import Gap
from ingest.core.errors import MalformedTrade
from ingest.core.fixed import text
from ingest.core.trade import MAX_NOTIONAL, Trade
from ingest.storage import Store
from tests.factories import tombstone, trade, trade_runs

START = 1_706_745_600_000
"""The first of February 2024."""
END = START + 86_400_000

GOOD = f"7,100.5,2,70,71,{START},True,True"
BAD = (
    "",
    "no trade",
    "7,100.5,2,70,71",
    f"7,100.5,2,70,71,{START},True,True,True",
    f"-7,100.5,2,70,71,{START},True,True",
    f"9223372036854775808,100.5,2,70,71,{START},True,True",
    f"18446744073709551623,100.5,2,70,71,{START},True,True",
    f"7.0,100.5,2,70,71,{START},True,True",
    f"7,-100.5,2,70,71,{START},True,True",
    f"7,1e99,2,70,71,{START},True,True",
    f"7,nan,2,70,71,{START},True,True",
    f"7,0,2,70,71,{START},True,True",
    f"7,100.123456789,2,70,71,{START},True,True",
    f"7,92233720368.54775808,2,70,71,{START},True,True",
    f"7,99999999999.99999999,99999999999.99999999,70,71,{START},True,True",
    f"7,90000000000,90000000000,70,71,{START},True,True",
    f"7,100.5,123456789012345678901234567890123456789012,70,71,{START},True,True",
    f"7,100.5,2,71,70,{START},True,True",
    f"7,100.5,2,-1,-1,{START},True,True",
    f"7,0,0,70,70,{START},True,True",
    f"7,100.5,2,70,71,{START},maybe,True",
    f"7,100.5,2,70,71,{START},,True",
    f'"7",100.5,2,70,71,{START},True,True',
    f"7;100.5;2;70;71;{START};True;True",
    f"7,100.5,2,70,71,{START}\x00,True,True",
    f"7,１００,2,70,71,{START},True,True",
)


def line(item: Trade, *, microseconds: bool = False, columns: int = 8) -> str:
    """A trade as the archive writes it."""
    time = item.timestamp * 1000 + 999 if microseconds else item.timestamp
    figures = (
        item.aggregate_id, text(item.price), text(item.quantity), item.first_trade_id,
        item.last_trade_id, time, item.is_buyer_maker, True,
    )  # fmt: skip
    return ",".join(map(str, figures[:columns]))


def insert(store: Store, lines: list[str], symbol: str = "BTCUSDT") -> None:
    store.trades.insert_lines(symbol, "".join(f"{one}\n" for one in lines).encode(), START, END)


def test_lines_are_stored_as_the_trades_that_they_are(fresh_store: Store) -> None:
    first, second = trade(5, "100.5", "0.00000001", START), tombstone(6, START + 1)
    third = trade(7, "92233720368.54775807", "1", END - 1, raw_trades=3, is_buyer_maker=True)
    insert(
        fresh_store,
        [line(first, columns=7), line(second), line(third, microseconds=True).lower()],
    )
    assert fresh_store.trades.since("BTCUSDT", 0) == [first, second, third]
    minute = fresh_store.candles.unsettled({"BTCUSDT": END})
    fresh_store.candles.recompute(minute)
    assert list(fresh_store.audit.run(repair=False)) == []
    assert fresh_store.candles.watermark("BTCUSDT") == END - 60_000


def test_a_trade_with_another_time_is_found_wherever_its_line_is(fresh_store: Store) -> None:
    month_ms = 31 * 86_400_000
    before = [trade(number, timestamp=START - month_ms + number) for number in range(1, 10)]
    fresh_store.trades.insert({"BTCUSDT": before})
    fresh_store.candles.recompute(fresh_store.candles.unsettled({"BTCUSDT": END}))
    moved = [trade(number, timestamp=START + 90_000 + number) for number in (5, 2, 9, 7)]
    insert(fresh_store, [line(item) for item in moved])
    fresh_store.candles.recompute(fresh_store.candles.unsettled({"BTCUSDT": END}))
    by_id = {item.aggregate_id: item for item in (*before, *moved)}
    assert fresh_store.trades.since("BTCUSDT", 0) == [by_id[number] for number in range(1, 10)]
    assert list(fresh_store.audit.run(repair=False)) == []


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(trades=trade_runs(start_ms=START + 60_000), microseconds=st.booleans())
def test_the_engine_reads_what_the_parser_reads(
    fresh_store: Store, trades: list[Trade], microseconds: bool
) -> None:
    trades = [item for item in trades if item.price * item.quantity <= MAX_NOTIONAL]
    lines = [line(item, microseconds=microseconds) for item in trades]
    assert [archive_row(one.encode()) for one in lines] == trades
    symbol = f"S{len(fresh_store.trades.high_water())}"
    insert(fresh_store, lines, symbol)
    stored = fresh_store.trades.since(symbol, 0)
    assert stored == sorted(trades, key=lambda item: item.aggregate_id)


def test_a_line_that_is_no_trade_is_refused_by_engine_and_parser_alike(fresh_store: Store) -> None:
    for bad in BAD:
        with pytest.raises(MalformedTrade):
            insert(fresh_store, [GOOD, bad])
        with contextlib.suppress(MalformedTrade):
            assert archive_row(bad.encode()) is None, bad
    insert(fresh_store, [GOOD])
    assert fresh_store.trades.high_water() == {"BTCUSDT": 7}


@pytest.mark.parametrize("time", [START - 1, END, (START - 1) * 1000 + 999, END * 1000])
def test_a_trade_outside_of_the_file_s_period_is_refused(fresh_store: Store, time: int) -> None:
    with pytest.raises(MalformedTrade):
        insert(fresh_store, [f"7,100.5,2,70,71,{time},True,True"])


def test_missing_ids_are_found_within_the_bounds_asked_for(fresh_store: Store) -> None:
    missing = fresh_store.trades.missing
    assert missing("BTCUSDT", 1, 9) == [Gap(1, 9)]
    fresh_store.trades.insert({"BTCUSDT": [trade(n) for n in (3, 4, 7, 9, 12)]})
    assert missing("BTCUSDT", 3, 4) == []
    assert missing("BTCUSDT", 1, 10) == [Gap(1, 2), Gap(5, 6), Gap(8, 8), Gap(10, 10)]
    assert missing("BTCUSDT", 13, 20) == [Gap(13, 20)]
