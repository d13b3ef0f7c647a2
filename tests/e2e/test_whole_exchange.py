"""More symbols than an address can name are followed."""

from __future__ import annotations

from pathlib import Path

from generated.native.facts import DataQuality
from simulator.assets import names
from tests import running

SYMBOLS = 500
"""An address of more than 8 KB."""


async def test_all_symbols_become_complete(tmp_path: Path) -> None:
    symbols = names(SYMBOLS)
    exchange = running.simulator(
        *("--symbols-count", str(SYMBOLS), "--total-rate", "100", "--weight-limit", "1000000")
    )
    async with exchange as url:
        chosen = running.settings(url, tmp_path, symbols=",".join(symbols), history="1m")
        async with running.server(chosen) as (server, _):
            feeds = server.provider.feeds.values()
            await running.until(
                lambda: all(feed.status.quality is DataQuality.COMPLETE for feed in feeds)
            )
