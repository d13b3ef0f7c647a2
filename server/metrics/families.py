"""Readings as families of metrics: their names, kinds, labels and meanings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from generated.native.facts import DataQuality

from .readings import (
    ExchangeReading,
    HistogramReading,
    HotReading,
    Readings,
    StreamReading,
    SymbolReading,
)

PREFIX: Final = "candlecast_"

Rows = Iterable[tuple[Sequence[str], float | None]]


def families(readings: Readings) -> Iterator[Metric]:
    """All families, in an order that does not change."""
    yield InfoMetricFamily(
        f"{PREFIX}build", "The version that runs, and what on.", dict(readings.build)
    )
    yield _gauge("ready", "1 when the server is ready, as /api/v1/monitoring/ready has it.")(
        readings.is_ready
    )
    yield from _of_symbols(readings.symbols)
    yield from _of_exchange(readings.exchange)
    yield from _of_streams(readings.streams)
    yield _histogram(
        "request_duration_seconds",
        "Requests by the template of their route and the class of their status.",
        ("route", "status"),
        (((route, f"{kind}xx"), each) for (route, kind), each in readings.requests.items()),
    )
    yield _histogram(
        "tick_duration_seconds",
        "How long it took to publish one second to the clients of /ws/stream.",
        (),
        [((), readings.ticks)],
    )
    yield from _of_store(readings)
    yield from _of_hot_tier(readings.hot)


def _of_symbols(symbols: Sequence[SymbolReading]) -> Iterator[Metric]:
    counted: tuple[tuple[str, str, Callable[[SymbolReading], float]], ...] = (
        ("trades_received", "Trades that the stream brought.", lambda s: s.counters.received),
        ("trades_repeated", "Those that were here already.", lambda s: s.counters.repeated),
        ("trades_refetched", "Trades that REST brought.", lambda s: s.counters.refetched),
        ("trades_refused", "Trades without room, fetched later.", lambda s: s.counters.refused),
        ("messages_malformed", "Messages that are no trade.", lambda s: s.counters.malformed),
    )
    for name, text, value in counted:
        yield _counter(name, text, ["symbol"], (([s.symbol], value(s)) for s in symbols))
    gauged: tuple[tuple[str, str, Callable[[SymbolReading], float | None]], ...] = (
        (
            "lag_seconds",
            "How far what was seen of a symbol, or asked after, is behind the exchange's clock.",
            lambda s: s.lag_seconds,
        ),
        ("last_trade_age_seconds", "Age of the newest trade.", lambda s: s.trade_age_seconds),
        ("stream_connected", "1 when the stream of the symbol is up.", lambda s: s.is_connected),
        ("trades_stored", "Trades in the store.", lambda s: s.trades_stored),
        ("trades_waiting", "Trades that wait for the store.", lambda s: s.trades_waiting),
    )
    for name, text, level in gauged:
        yield _gauge(name, text, ["symbol"])(*(([s.symbol], level(s)) for s in symbols))
    yield _gauge("symbol_status", "1 for the state of the data.", ["symbol", "status"])(
        *(([s.symbol, each], s.quality is each) for s in symbols for each in DataQuality)
    )
    yield _gauge("gaps", "Runs of ids that are missing.", ["symbol", "kind"])(
        *(([s.symbol, kind], count) for s in symbols for kind, (count, _) in s.gaps.items())
    )
    yield _gauge("missing_trades", "Ids in these gaps.", ["symbol", "kind"])(
        *(([s.symbol, kind], missing) for s in symbols for kind, (_, missing) in s.gaps.items())
    )


def _of_exchange(exchange: ExchangeReading) -> Iterator[Metric]:
    yield _gauge("request_weight_used", "Request weight used in the last minute.")(
        exchange.weight_used
    )
    yield _gauge("request_weight_reserved", "That of requests under way.")(exchange.weight_reserved)
    yield _gauge("request_weight_limit", "What the exchange allows in a minute.")(
        exchange.weight_limit
    )
    yield _counter("exchange_requests", "Requests to the exchange.", [], [([], exchange.requests)])
    yield _counter(
        "exchange_requests_throttled",
        "Those that the exchange refused for their rate.",
        [],
        [([], exchange.throttled)],
    )
    yield _gauge("exchange_ban_seconds", "For how long nothing may be asked; 0 without a ban.")(
        exchange.ban_seconds
    )
    yield _gauge("exchange_clock_offset_seconds", "The exchange's clock less this machine's.")(
        exchange.offset_seconds
    )


def _of_streams(streams: Sequence[StreamReading]) -> Iterator[Metric]:
    labels = ["api"]
    yield _gauge("websocket_connections", "Open WebSocket connections.", labels)(
        *(([s.api], s.connections) for s in streams)
    )
    yield _gauge("websocket_subscriptions", "Their subscriptions.", labels)(
        *(([s.api], s.subscriptions) for s in streams)
    )
    counted: tuple[tuple[str, str, Callable[[StreamReading], float]], ...] = (
        ("websocket_connections_opened", "Connections since the start.", lambda s: s.opened),
        ("websocket_messages_sent", "Messages to clients.", lambda s: s.sent),
        (
            "websocket_updates_dropped",
            "Updates that a newer one replaced before a slow client took them.",
            lambda s: s.replaced,
        ),
        (
            "websocket_slow_clients",
            "Connections that were ended because their client read too slowly.",
            lambda s: s.given_up,
        ),
    )
    for name, text, value in counted:
        yield _counter(name, text, labels, (([s.api], value(s)) for s in streams))


def _of_store(readings: Readings) -> Iterator[Metric]:
    store = readings.store
    yield _gauge("store_up", "1 while the store answers.")(store is not None)
    yield _gauge("store_rows", "Rows by table; those that a merge replaces count.", ["table"])(
        *(([table], rows) for table, rows in (store.rows if store else {}).items())
    )
    for name, text, value in (
        ("store_bytes", "What the store takes on its disk.", store and store.bytes_on_disk),
        ("store_disk_free_bytes", "What is free on the store's disk.", store and store.free_bytes),
        ("store_disk_size_bytes", "The size of that disk.", store and store.disk_bytes),
        ("store_memory_bytes", "Memory that the engine counts.", store and store.memory_bytes),
    ):
        yield _gauge(name, text)(value)


def _of_hot_tier(hot: HotReading) -> Iterator[Metric]:
    yield _gauge("hot_tier_bytes", "Candles and trades kept as clients get them.")(hot.bytes)
    yield _gauge("hot_tier_limit_bytes", "What that may take.")(hot.limit_bytes)
    yield _counter("hot_tier_hits", "Blocks that were there.", [], [([], hot.hits)])
    yield _counter("hot_tier_misses", "Blocks that had to be read.", [], [([], hot.misses)])


def _gauge(name: str, text: str, labels: Sequence[str] = ()) -> Callable[..., GaugeMetricFamily]:
    """A function that gives the family of one value, or of rows; what is None is left out."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)

    def of(*rows: tuple[Sequence[str], float | None] | float | None) -> GaugeMetricFamily:
        for row in rows:
            values, value = row if isinstance(row, tuple) else ((), row)
            if value is not None:
                family.add_metric(values, float(value))
        return family

    return of


def _counter(name: str, text: str, labels: Sequence[str], rows: Rows) -> CounterMetricFamily:
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for values, value in rows:
        if value is not None:
            family.add_metric(values, float(value))
    return family


def _histogram(
    name: str,
    text: str,
    labels: Sequence[str],
    rows: Iterable[tuple[Sequence[str], HistogramReading]],
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(PREFIX + name, text, labels=labels)
    for values, reading in rows:
        buckets = [
            ("+Inf" if bound == inf else str(bound), float(count))
            for bound, count in reading.within
        ]
        family.add_metric(values, buckets, reading.total)
    return family
