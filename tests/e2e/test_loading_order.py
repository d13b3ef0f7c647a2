"""Who subscribes to a symbol that is loading moves it to the front."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from generated.native.facts import DataQuality
from ingest.binance.budget import WeightBudget
from ingest.binance.weight import WeightCoordinator
from ingest.pipeline import provider
from simulator.assets import names
from tests import running
from tests.e2e.client import Client

SYMBOLS = names(16)
WINDOW_SECONDS = 5
"""A minute of request weight takes so long here."""


async def test_a_symbol_that_somebody_waits_for_is_loaded_before_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = WeightBudget(window=WINDOW_SECONDS)
    monkeypatch.setattr(provider, "WeightCoordinator", partial(WeightCoordinator, budget))
    options = (
        *("--symbols", ",".join(SYMBOLS), "--rate", "30"),
        *("--weight-limit", "800", "--weight-window", str(WINDOW_SECONDS)),
    )
    async with running.simulator(*options) as exchange:
        chosen = running.settings(exchange, tmp_path, symbols=",".join(SYMBOLS), history="20m")
        async with running.server(chosen) as (server, url), Client.connect(url) as client:
            order: list[str] = []
            server.provider.view.on_complete.append(order.append)
            feeds = server.provider.feeds
            await running.until(
                lambda: sum(f.status.quality is DataQuality.LOADING for f in feeds.values()) > 5
            )
            assert not order
            wanted = SYMBOLS[-1]
            await client.subscribe(wanted, [1], candles=10)
            while client.qualities.get(wanted) != "complete":
                await client.receive()
            assert order.index(wanted) <= 1
