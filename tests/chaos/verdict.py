"""Is every trade there once, and is every candle what the trades come to?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from generated.native.facts import DataQuality
from ingest.core.timeframe import MINUTE_MS, bucket_start
from ingest.core.trade import Trade
from ingest.pipeline.feed import Feed
from ingest.storage import Store
from tests.e2e.client import Client, wire
from tests.factories import Row, naive_candles, raw_trades, row

TIMEFRAMES = (1, 7, 173, 2850)
MAX_CANDLES = 1000

Bucket = tuple[int, int]
"""A timeframe in minutes, and the start of a candle."""


def is_complete(feed: Feed) -> bool:
    """Whether a symbol is called complete."""
    return feed.status.quality is DataQuality.COMPLETE


def closed_ms(trades: Sequence[Trade]) -> int:
    """The end of the last minute that is over for sure."""
    return bucket_start(trades[-1].timestamp, 1)


def wrong_store(store: Store, symbol: str, trades: Sequence[Trade]) -> list[str]:
    """The store's differences from the exchange: trades, ids, and candles of any timeframe.

    What the last process has noted as unsettled is recomputed first, as the next start does it: a
    minute may have been written while a gap in it was open, and its trades stored at the end.
    """
    store.candles.recompute(store.candles.unsettled({symbol: closed_ms(trades)}))
    wrong = [str(difference) for difference in store.audit.run([symbol], repair=False)]
    stored = store.trades.since(symbol, 0)
    if stored != list(trades):
        lost = sorted({t.aggregate_id for t in trades} - {t.aggregate_id for t in stored})
        wrong.append(f"{symbol}: {len(stored)} trades of {len(trades)}, without {lost[:9]}")
    for timeframe in TIMEFRAMES:
        end = bucket_start(closed_ms(trades), timeframe)
        expected = [r for r in naive_candles(trades, timeframe, end) if r["candle_time"] != end]
        found = [row(c) for c in store.candles.read(symbol, timeframe, end, len(expected) + 10)]
        wrong += _different(f"{symbol} {timeframe}m stored", found, expected)
    return wrong


def wrong_words(client: Client, symbol: str, trades: Sequence[Trade]) -> list[str]:
    """The candles that a client received that differ from the trades.

    Each candle has to be of all trades of its bucket up to some id; in a history only the newest
    candle that has trades may still have been open.
    """
    sent: dict[Bucket, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for name, label, candle in client.received:
        if name == symbol and candle["trades_count"]:
            bucket = int(label[:-1]), int(candle["candle_time"])
            sent[bucket][int(candle["trades_count"])].append(candle)
    groups: dict[Bucket, list[Trade]] = defaultdict(list)
    timeframes = {timeframe for timeframe, _ in sent}
    for trade in trades:
        for timeframe in timeframes if not trade.is_tombstone else ():
            groups[timeframe, bucket_start(trade.timestamp, timeframe)].append(trade)
    wrong: list[str] = []
    for (timeframe, start), candles in sent.items():
        right = {int(r["trades_count"]): r for r in _growing(start, groups[timeframe, start])}
        for count, rows in candles.items():
            wrong += [
                f"{symbol} {timeframe}m sent {row} instead of {right.get(count)}"
                for row in rows
                if row != right.get(count)
            ]
    return wrong + _wrong_histories(client, symbol, groups)


def wrong_closings(client: Client, symbol: str, trades: Sequence[Trade]) -> list[str]:
    """Candles that lacked trades when a later one was sent: they were called closed too early."""
    counts: dict[Bucket, int] = defaultdict(int)
    newest: dict[int, Row] = {}
    wrong: list[str] = []
    for name, label, candle in client.received:
        if name != symbol:
            continue
        timeframe = int(label[:-1])
        last = newest.get(timeframe)
        if last is not None and candle["candle_time"] > last["candle_time"]:
            bucket = timeframe, int(last["candle_time"])
            if bucket not in counts:
                width = timeframe * MINUTE_MS
                inside = (t for t in trades if bucket[1] <= t.timestamp < bucket[1] + width)
                counts[bucket] = sum(raw_trades(trade) for trade in inside)
            if last["trades_count"] != counts[bucket]:
                wrong.append(f"{symbol} {label} closed {last} instead of {counts[bucket]} trades")
        if last is None or candle["candle_time"] >= last["candle_time"]:
            newest[timeframe] = candle
    return wrong


def _wrong_histories(
    client: Client, symbol: str, groups: Mapping[Bucket, Sequence[Trade]]
) -> list[str]:
    """Candles of histories before the newest one with trades that lack some of theirs."""
    wrong: list[str] = []
    for message in client.messages:
        if message["type"] != "initial_history" or message["symbol"] != symbol:
            continue
        label, candles = message["timeframe"], message["candles"]
        open_from = max((c["candle_time"] for c in candles if c["trades_count"]), default=0)
        for candle in candles:
            group = groups.get((int(label[:-1]), candle["candle_time"]), [])
            count = sum(raw_trades(trade) for trade in group)
            if candle["candle_time"] < open_from and candle["trades_count"] != count:
                wrong.append(f"{symbol} {label} history {candle} instead of {count} trades")
    return wrong


def _growing(start: int, group: Sequence[Trade]) -> Iterator[Row]:
    """A candle as its trades come, by plain decimal arithmetic."""
    first: Decimal | None = None
    volume = bought = Decimal(0)
    low, high, count = Decimal("Infinity"), Decimal(0), 0
    for trade in group:
        price, quantity = Decimal(trade.price) / 10**8, Decimal(trade.quantity) / 10**8
        first = price if first is None else first
        low, high, volume = min(low, price), max(high, price), volume + quantity
        bought += 0 if trade.is_buyer_maker else quantity
        count += raw_trades(trade)
        yield {
            "candle_time": start,
            "open": first,
            "high": high,
            "low": low,
            "close": price,
            "volume": volume,
            "trades_count": count,
            "taker_buy_volume": bought,
            "taker_sell_volume": volume - bought,
        }


async def wrong_now(
    url: str, live: Client, symbol: str, trades: Sequence[Trade], timeframes: Sequence[int]
) -> list[str]:
    """The differences of a quiet server from the trades: over REST, as history, and live."""
    end = trades[-1].timestamp
    wrong: list[str] = []
    async with Client.connect(url) as late:
        await late.subscribe(symbol, timeframes, MAX_CANDLES)
        for _ in timeframes:
            message = await late.wait_for("initial_history", 60)
            timeframe, label = int(message["timeframe"][:-1]), message["timeframe"]
            expected = [wire(item) for item in naive_candles(trades, timeframe, end)]
            newest = {item["candle_time"] for item in expected[-MAX_CANDLES + 10 :]}
            for name, received in (("history", late.candles), ("live", live.candles)):
                rows = received[symbol, label]
                since = min(rows, default=0) if name == "live" else 0
                known = [r for r in expected if r["candle_time"] >= since]
                known = [r for r in known if r["candle_time"] in newest or name == "live"]
                found = [rows[time] for r in known if (time := int(r["candle_time"])) in rows]
                wrong += _different(f"{symbol} {label} {name}", found, known)
    return wrong


def _different(name: str, found: Sequence[Row], expected: Sequence[Row]) -> list[str]:
    if list(found) == list(expected):
        return []
    by_time = {item["candle_time"]: item for item in found}
    lines = [
        f"{name} {item['candle_time']}: {by_time.get(item['candle_time'])} instead of {item}"
        for item in expected
        if by_time.get(item["candle_time"]) != item
    ]
    return lines[:3] or [f"{name}: {len(found)} candles instead of {len(expected)}"]
