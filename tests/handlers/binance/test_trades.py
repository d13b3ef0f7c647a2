"""The rows of aggregate trades: as the store writes them and as Python does."""

from __future__ import annotations

import json
from pathlib import Path

from handlers.binance.rest.trades import FORM
from ingest.core.trade import Trade
from ingest.storage import Selection, Store


def test_the_store_writes_them_as_python_does(tmp_path: Path) -> None:
    trades = [
        Trade(1, 1, 10**8, 5, 5, 1_700_000_000_000, True),
        Trade(2, 2**63 - 1, 1, 6, 9, 1_700_000_000_001, False),
        Trade(3, 0, 0, -1, -1, 1_700_000_000_002, False),  # no part of any answer
        Trade(4, 123_456_789_000, 1_234_500_000, 10, 10, 1_700_000_000_003, False),
    ]
    with Store(f"chdb://{tmp_path}/db") as store:
        store.trades.insert({"BTCUSDT": trades})
        page = store.trades.page(Selection("BTCUSDT", from_id=0), 10, FORM)
        latest = store.trades.latest("BTCUSDT", 10, FORM)
    real = [trade for trade in trades if not trade.is_tombstone]
    assert page == latest == FORM.written((trade.aggregate_id, trade) for trade in real)
    row = json.loads(page.text.partition(b"}")[0] + b"}")
    assert row["p"] == "0.00000001"
    assert row["q"] == "1.00000000"
    assert list(row) == ["a", "p", "q", "f", "l", "T", "m", "M"]
