"""A stream that repeats, moves, loses and spoils its messages costs no trade and no candle.

CHAOS_MESSAGES=1000000 python -m pytest tests/chaos/test_messages.py -s
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from generated.native.facts import DataQuality
from ingest.storage import Store
from tests.chaos.exchange import Exchange
from tests.chaos.listener import listening
from tests.chaos.verdict import TIMEFRAMES, wrong_now, wrong_store, wrong_words
from tests.running import server, settings, until

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "50000"))
SYMBOLS = ("AAAUSDT", "BBBUSDT")
RATE = 60
SECONDS = MESSAGES // (RATE * len(SYMBOLS))
MARKET = (
    *("--symbols", ",".join(SYMBOLS), "--rate", str(RATE), "--tombstones", "0.01"),
    *("--speed", "max", "--wait-for-subscriber", "2", "--end-at", f"+{SECONDS}"),
    *("--genesis", "2024-01-01T00:00Z", "--clock-start", "2024-01-01T00:00Z"),
    *("--faults", "repeat=0.05,reorder=0.05,drop=0.01,corrupt=0.01,seed=3"),
)


async def test_a_stream_full_of_faults_is_mended(tmp_path: Path) -> None:
    started = time.monotonic()
    async with Exchange.started(*MARKET) as exchange:
        chosen = settings(exchange.url, tmp_path, symbols=",".join(SYMBOLS), history="30d")
        async with server(chosen) as (running, url), listening(url, SYMBOLS, TIMEFRAMES) as client:
            feeds = [running.provider.view.feed(symbol) for symbol in SYMBOLS]
            lasts = dict.fromkeys(SYMBOLS, SECONDS * RATE - 1)
            await until(lambda: all(f.trades_stored > lasts[f.symbol] * 0.98 for f in feeds), 1800)
            lasts = {symbol: await exchange.last_id(symbol) for symbol in SYMBOLS}
            await until(
                lambda: all(
                    f.trades_stored == lasts[f.symbol] + 1
                    and f.status.quality is DataQuality.COMPLETE
                    for f in feeds
                )
            )
            trades = {symbol: await exchange.trades(symbol) for symbol in SYMBOLS}
            await asyncio.sleep(2.5)  # two ticks
            print(f"{sum(map(len, trades.values()))} trades: {time.monotonic() - started:.0f} s")
            wrong = [
                line
                for symbol in SYMBOLS
                for line in await wrong_now(url, client, symbol, trades[symbol], TIMEFRAMES)
            ]
            spoilt = running.provider.stream.malformed
            counts = (await exchange.state())["fault_counts"]
    assert min(counts[kind] for kind in ("drop", "repeat", "reorder", "corrupt")) > 0
    assert spoilt >= counts["corrupt"]
    assert sum(feed.counters.malformed for feed in feeds) > 0
    with Store(chosen.store) as store:
        assert store.connection.rows("SELECT count() FROM malformed") == [(spoilt,)]
        for symbol in SYMBOLS:
            wrong += wrong_store(store, symbol, trades[symbol])
            wrong += wrong_words(client, symbol, trades[symbol])
    print(f"{counts}, {spoilt} put aside, {len(client.received)} candles")
    assert not wrong, "\n".join(wrong[:30])
