from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from handlers.native.forms import TRADES
from ingest.core import fixed
from ingest.core.errors import SettingError, StoreInUse, StoreUnavailable
from ingest.core.fixed import MAX_FIXED
from ingest.core.rows import Rows, array_of
from ingest.core.trade import Trade
from ingest.storage import Selection, Store

from . import plain
from .plain import trade


def ids(rows: Rows) -> list[int]:
    shown = [row["aggregate_id"] for row in orjson.loads(array_of([rows.text]))]
    assert list(rows.keys) == shown
    return shown


def test_a_trade_is_shown_as_the_contract_has_it(fresh_store: Store) -> None:
    fresh_store.trades.insert(
        {"BTCUSDT": [trade(26129, price="50000.50", quantity="0.01", time=1640995200153,
                           taker_sold=True)]}
    )  # fmt: skip
    page = fresh_store.trades.page(Selection("BTCUSDT"), 10, TRADES)
    assert page.text == (
        b'{"aggregate_id":26129,"price":50000.5,"quantity":0.01,"first_trade_id":261290,'
        b'"last_trade_id":261290,"timestamp":1640995200153,"is_buyer_maker":true}'
    )
    assert list(page.keys) == [26129]


def test_decimals_are_numbers_without_trailing_zeros(fresh_store: Store) -> None:
    values = [1, 10, 10**8, 5 * 10**12, 123_456_789, MAX_FIXED]
    first = MAX_FIXED - len(values) + 1
    fresh_store.trades.insert(
        {"BTCUSDT": [Trade(first + n, v, 1, 0, 0, 0, False) for n, v in enumerate(values)]}
    )
    body = fresh_store.trades.latest("BTCUSDT", 10, TRADES).text.decode()
    for n, value in enumerate(values):
        assert f'"aggregate_id":{first + n},"price":{fixed.text(value)},' in body


def test_pages_by_id_and_time(fresh_store: Store) -> None:
    trades = [trade(n, time=1000 * n) for n in range(100)]
    trades[98] = plain.tombstone(98, 98_000)
    fresh_store.trades.insert({"BTCUSDT": trades, "ETHUSDT": trades[:3]})
    fresh_store.trades.insert({"BTCUSDT": trades[50:]})
    page = fresh_store.trades.page
    assert ids(page(Selection("BTCUSDT", from_id=40), 3, TRADES)) == [40, 41, 42]
    assert ids(page(Selection("BTCUSDT", 10_000, 12_000), 9, TRADES)) == [10, 11, 12]
    assert ids(page(Selection("BTCUSDT", 97_000), 9, TRADES)) == [97, 99]
    assert ids(page(Selection("ETHUSDT"), 9, TRADES)) == [0, 1, 2]
    assert ids(fresh_store.trades.latest("BTCUSDT", 3, TRADES)) == [96, 97, 99]
    assert page(Selection("XRPUSDT"), 9, TRADES) == Rows()
    assert fresh_store.trades.latest("XRPUSDT", 9, TRADES) == Rows()


def test_stored_ids_are_given_with_their_holes(fresh_store: Store) -> None:
    stored = [*range(5, 10), *range(12, 20), 25]
    fresh_store.trades.insert(
        {"BTCUSDT": [trade(n) for n in stored], "ETHUSDT": [plain.tombstone(7, 0)]}
    )
    fresh_store.trades.insert({"BTCUSDT": [trade(n) for n in stored[3:8]]})
    ranges = fresh_store.trades.id_ranges()
    assert ranges["BTCUSDT"].holes == [(10, 11), (20, 24)]
    assert (ranges["BTCUSDT"].first, ranges["BTCUSDT"].last) == (5, 25)
    assert ranges["BTCUSDT"].count == len(stored)
    assert ranges["ETHUSDT"].holes == []
    assert fresh_store.trades.high_water() == {"BTCUSDT": 25, "ETHUSDT": 7}


def test_decimals_reach_sql_exactly(fresh_store: Store) -> None:
    fresh_store.trades.insert({"BTCUSDT": [trade(1, price="0.1", quantity="1234567.00000001")]})
    rows = fresh_store.connection.rows("SELECT price, quantity FROM trades")
    assert rows == [(Decimal("0.1"), Decimal("1234567.00000001"))]


def test_a_second_process_learns_who_holds_the_database(tmp_path: Path) -> None:
    dsn = f"chdb://{tmp_path}/db"
    code = (
        f"from ingest.storage import Store; s = Store({dsn!r}); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreInUse, match=f"PID: {other.pid}"):
            Store(dsn)
        other.stdin.write("\n")
    Store(dsn).close()


def test_a_dsn_of_no_known_kind_is_refused() -> None:
    with pytest.raises(SettingError, match="mysql: is no database"):
        Store("mysql://localhost/trades")


def test_nobody_answering_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        Store("http://127.0.0.1:9")


def test_a_closed_store_is_unavailable(fresh_store: Store) -> None:
    fresh_store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        fresh_store.trades.high_water()
