"""Everything that is measured, read at one moment: plain values, which any thread may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncapi_server import Endpoint, Hub
from generated.native.facts import DataQuality, GapKind
from ingest.binance.now import host_ms
from ingest.core.durations import Durations
from ingest.pipeline.feed import Counters, Feed
from ingest.pipeline.provider import Provider
from ingest.storage import Statistics


@dataclass(frozen=True, slots=True)
class SymbolReading:
    """One followed symbol. What is not known is None."""

    symbol: str
    counters: Counters
    quality: DataQuality
    is_connected: bool
    lag_seconds: float | None
    trade_age_seconds: float | None
    gaps: Mapping[GapKind, tuple[int, int]]
    """How many of each kind, and how many ids they lack together."""
    trades_stored: int
    trades_waiting: int


@dataclass(frozen=True, slots=True)
class StreamReading:
    """The WebSocket side of one API."""

    api: str
    connections: int
    subscriptions: int
    opened: int
    sent: int
    replaced: int
    given_up: int


@dataclass(frozen=True, slots=True)
class HistogramReading:
    """Durations in seconds."""

    within: Sequence[tuple[float, int]]
    total: float

    @classmethod
    def of(cls, durations: Durations) -> HistogramReading:
        """As they stand."""
        return cls([*durations.within()], durations.total)


@dataclass(frozen=True, slots=True)
class ExchangeReading:
    """The account of request weight, and the exchange's clock."""

    weight_limit: int
    weight_used: int
    weight_reserved: int
    requests: int
    throttled: int
    ban_seconds: float
    offset_seconds: float | None


@dataclass(frozen=True, slots=True)
class HotReading:
    """The memory of what clients get."""

    bytes: int
    limit_bytes: int
    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Readings:
    """All of it."""

    build: Mapping[str, str]
    is_ready: bool
    symbols: Sequence[SymbolReading]
    streams: Sequence[StreamReading]
    exchange: ExchangeReading
    requests: Mapping[tuple[str, int], HistogramReading]
    ticks: HistogramReading
    store: Statistics | None
    """None while it does not answer."""
    hot: HotReading


def symbol_readings(provider: Provider) -> list[SymbolReading]:
    """Each followed symbol, by its name."""
    now_ms = provider.clock.now_ms() if provider.clock.is_set else None
    return [_symbol(feed, now_ms) for _, feed in sorted(provider.feeds.items())]


def stream_reading(api: str, hub: Hub, endpoints: Sequence[Endpoint]) -> StreamReading:
    """The WebSocket side of an API."""
    traffic = [each.traffic for each in endpoints]
    return StreamReading(
        api=api,
        connections=sum(len(each.connections) for each in endpoints),
        subscriptions=hub.subscriptions,
        opened=sum(each.opened for each in traffic),
        sent=sum(each.messages_sent for each in traffic),
        replaced=sum(each.updates_replaced for each in traffic),
        given_up=sum(each.given_up for each in traffic),
    )


def exchange_reading(provider: Provider) -> ExchangeReading:
    """The request weight that the exchange has granted."""
    weight, clock = provider.weight.statistics(), provider.clock
    return ExchangeReading(
        weight_limit=weight.limit,
        weight_used=weight.used,
        weight_reserved=weight.reserved,
        requests=weight.requests,
        throttled=weight.throttled,
        ban_seconds=weight.banned_for,
        offset_seconds=(clock.now_ms() - host_ms()) / 1000 if clock.is_set else None,
    )


def hot_reading(provider: Provider) -> HotReading:
    """The rows and bytes that are kept in memory."""
    blocks = provider.store.blocks
    usage = blocks.usage
    return HotReading(usage.bytes, blocks.budget_bytes, usage.hits, usage.misses)


def _symbol(feed: Feed, now_ms: int | None) -> SymbolReading:
    seen_ms = feed.seen_ms
    gaps = dict.fromkeys(GapKind, (0, 0))
    for item in feed.continuity.missing if feed.continuity is not None else ():
        count, missing = gaps[item.kind]
        gaps[item.kind] = count + 1, missing + item.gap.missing
    last = feed.last_trade
    return SymbolReading(
        symbol=feed.symbol,
        counters=feed.counters,
        quality=feed.status.quality,
        is_connected=feed.state.is_connected,
        lag_seconds=max(0, now_ms - seen_ms) / 1000 if now_ms is not None and seen_ms else None,
        trade_age_seconds=(
            max(0, now_ms - last.timestamp) / 1000 if now_ms is not None and last else None
        ),
        gaps=gaps,
        trades_stored=feed.trades_stored,
        trades_waiting=feed.waiting,
    )
