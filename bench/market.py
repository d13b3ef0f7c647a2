"""The updates that the fan-out benchmarks publish: the same for every server."""

from __future__ import annotations

import random
from collections.abc import Iterable

import orjson

TIMEFRAMES = (1, 3, 5, 7, 15, 30, 60, 120, 173, 240)
"""In minutes; a symbol has one topic per timeframe."""
SYMBOLS = tuple(f"COIN{number:02}USDT" for number in range(25))
TOPICS = tuple(f"{symbol}:{timeframe}" for symbol in SYMBOLS for timeframe in TIMEFRAMES)
"""All 250 topics, by number."""
PER_CLIENT = 10
"""Subscriptions per client."""
BASE_MS = 1_735_689_600_000


def requests(clients: int, topics: int, seed: int = 1) -> list[bytes]:
    """A subscribe message for each client: ten random ones of the first `topics` topics."""
    pick = random.Random(seed)
    return [_request(sorted(pick.sample(range(topics), PER_CLIENT))) for _ in range(clients)]


def _request(numbers: Iterable[int]) -> bytes:
    wanted: dict[str, list[dict[str, int]]] = {}
    for number in numbers:
        symbol, timeframe = TOPICS[number].split(":")
        wanted.setdefault(symbol, []).append({"timeframe": int(timeframe), "initial_candles": 0})
    return orjson.dumps(
        {
            "action": "subscribe",
            "subscriptions": [{"symbol": s, "timeframes": t} for s, t in wanted.items()],
        }
    )


def topics_of(request: dict[str, object]) -> list[str]:
    """The topics that a decoded subscribe message asks for."""
    subscriptions = request["subscriptions"]
    assert isinstance(subscriptions, list)
    return [f"{s['symbol']}:{t['timeframe']}" for s in subscriptions for t in s["timeframes"]]


def accepted(topics: Iterable[str]) -> dict[str, object]:
    """The reply to a subscribe message."""
    successful: dict[str, list[dict[str, int]]] = {}
    for topic in topics:
        symbol, timeframe = topic.split(":")
        successful.setdefault(symbol, []).append({"timeframe": int(timeframe)})
    return {
        "type": "subscription_result",
        "successful_subscriptions": successful,
        "failed_subscriptions": [],
        "message": "All subscriptions successful",
    }


def ohlcv(topic: str, tick: int) -> dict[str, object]:
    """The update of a topic in a tick, about 400 bytes of JSON."""
    symbol, timeframe = topic.split(":")
    return {
        "type": "ohlcv_update",
        "symbol": symbol,
        "timeframe": f"{timeframe}m",
        "data": {
            "candle_time": BASE_MS,
            "open": 43255.31827,
            "high": 43268.94512,
            "low": 43251.20031,
            "close": 43262.4 + tick / 100,
            "volume": 12345.45332871,
            "trades_count": 142_000 + tick,
            "taker_buy_volume": 6123.12441112,
            "taker_sell_volume": 6222.32891759,
        },
        "data_status": {
            "historical_loading": False,
            "gap_recovery": False,
            "data_quality": "complete",
            "last_complete_timestamp": BASE_MS + tick,
        },
    }


def marker(tick: int) -> bytes:
    """Bytes in every update of this tick, and in no other."""
    return str(BASE_MS + tick).encode()
