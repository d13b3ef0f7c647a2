"""The rows of klines: as the store writes them and as Python does."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.binance.rest.klines import form_of
from ingest.core.rows import array_of
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import Store

END = 60 * MINUTE_MS
FIELDS = st.tuples(
    st.integers(1, 10**13), st.integers(1, 10**9), st.integers(0, END - 1), st.booleans()
)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(f"chdb://{tmp_path_factory.mktemp('klines')}/db") as opened:
        yield opened


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FIELDS, min_size=1, max_size=30), st.sampled_from([1, 7, 60]))
def test_the_store_writes_them_as_python_does(
    store: Store, fields: list[tuple[int, int, int, bool]], timeframe: int
) -> None:
    symbol, form = f"A{next(NUMBERS)}USDT", form_of(timeframe)
    trades = [
        Trade(n, price, quantity, n, n, time, is_sold)
        for n, (price, quantity, time, is_sold) in enumerate(fields)
    ]
    store.trades.insert({symbol: trades})
    store.candles.recompute({symbol: [(0, END)]})
    end = END // (timeframe * MINUTE_MS) * timeframe * MINUTE_MS
    candles = store.candles.read(symbol, timeframe, end, 60)
    rows = store.pages.candle_rows(symbol, timeframe, 0, end, form)
    assert rows == form.written((candle.candle_time, candle) for candle in candles)
    for row, candle in zip(json.loads(array_of([rows.text])), candles, strict=True):
        assert len(row) == 12
        assert row[6] == row[0] + timeframe * MINUTE_MS - 1
        assert int(row[7].replace(".", "")) == candle.quote_volume // 10**8
