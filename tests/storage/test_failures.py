"""A server that fails: what was accepted is stored once, what was not can be sent again."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from ingest.core.errors import StoreUnavailable
from ingest.storage import Store

from .plain import trade

TRADES = [trade(n, time=n * 1000) for n in range(100)]


@pytest.fixture
def remote_store(front: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    name = "".join(c for c in request.node.name if c.isalnum())
    with Store(f"{front}/{name}") as store:
        yield store


def go_wrong(front: str, kind: str, count: int) -> None:
    urllib.request.urlopen(f"{front}/fault?kind={kind}&count={count}", data=b"").close()


@pytest.mark.parametrize("kind", ["lose", "reset"])
def test_an_insert_without_a_reply_can_be_made_again(
    remote_store: Store, front: str, kind: str
) -> None:
    store = remote_store
    store.trades.insert({"BTCUSDT": TRADES[:10]})
    go_wrong(front, kind, 1)
    with pytest.raises(StoreUnavailable):
        store.trades.insert({"BTCUSDT": TRADES[10:]})
    store.trades.insert({"BTCUSDT": TRADES[10:]})
    go_wrong(front, kind, 1)
    with pytest.raises(StoreUnavailable):
        store.candles.recompute({"BTCUSDT": [(0, 60_000)]})
    store.candles.recompute(store.candles.unsettled({"BTCUSDT": 60_000}))
    ids = store.trades.id_range("BTCUSDT")
    assert ids is not None
    assert (ids.count, ids.holes) == (100, [])
    [candle] = store.candles.read("BTCUSDT", 1, 60_000, 1)
    assert candle.aggregates == 60


def test_a_slow_reply_is_waited_for(remote_store: Store, front: str) -> None:
    go_wrong(front, "slow", 1)
    remote_store.trades.insert({"BTCUSDT": TRADES})
    assert remote_store.trades.high_water() == {"BTCUSDT": 99}
