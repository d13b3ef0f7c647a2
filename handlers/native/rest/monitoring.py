"""Whether the server works, and what it runs on."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from generated.native import rest, stream
from generated.native.models import (
    ExchangeClientHealth,
    ExchangeClock,
    FeedInfo,
    Health,
    HealthComponents,
    HealthProblem,
    HotTierInfo,
    Liveness,
    ProcessInfo,
    Readiness,
    SpecVersions,
    StorageInfo,
    SystemInfo,
    SystemInfoEnvelope,
    TickersHealth,
    WebSocketManagerHealth,
    WeightCoordinatorHealth,
)
from handlers.native.connections import Connections
from handlers.native.rest.envelope import envelope
from handlers.native.rest.health import blocking_problems, is_healthy, problems
from ingest.binance.now import host_ms
from ingest.pipeline.provider import Provider

COMPONENTS_KEPT: Final = 16

_GOING_AWAY = HealthProblem(
    component="server", symbol=None, reason="The server is going away: use another one"
)


@dataclass(frozen=True)
class About:
    """How the server was set up and since when it runs, for operators."""

    version: str
    feed_name: str
    is_simulated: bool
    rest_url: str
    stream_url: str
    store_backend: Literal["chdb", "clickhouse"]
    settings: Mapping[str, str]
    started: float = field(default_factory=time.monotonic)

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the server started."""
        return round(time.monotonic() - self.started, 3)


class Monitoring(rest.MonitoringHandlers):
    """`/monitoring`."""

    def __init__(
        self,
        provider: Provider,
        connections: Connections,
        about: About,
        is_draining: Callable[[], bool],
    ) -> None:
        self._provider = provider
        self._connections = connections
        self._about = about
        self._is_draining = is_draining

    async def get_liveness(self) -> Liveness:
        """Liveness check."""
        return Liveness(alive=True, uptime_seconds=self._about.uptime_seconds)

    async def get_health(self) -> Health | tuple[Health, Literal[503]]:
        """Health check."""
        provider = self._provider
        feeds = provider.feeds.values()
        found = list(problems(provider))
        status: Literal["healthy", "degraded", "unhealthy"] = "degraded" if found else "healthy"
        if not provider.view.is_storing:
            status = "unhealthy"
        health = Health(
            status=status,
            components=_components(
                initialized=all(
                    feed.state.is_open or feed.symbol in provider.listing.absent for feed in feeds
                ),
                is_connected=any(feed.state.is_connected for feed in feeds),
                is_free=provider.weight.ban_remaining() <= 0,
                feeds=len(feeds),
                healthy_feeds=sum(map(is_healthy, feeds)),
                connections=len(self._connections.live),
                watched_symbols=len({pair.symbol for pair in provider.view.references}),
            ),
            problems=found,
            timestamp=host_ms(),
            uptime_seconds=self._about.uptime_seconds,
        )
        return (health, 503) if status == "unhealthy" else health

    async def get_readiness(self) -> Readiness | tuple[Readiness, Literal[503]]:
        """Readiness check."""
        found = blocking_problems(self._provider)
        if self._is_draining():
            found = [_GOING_AWAY, *found]
        readiness = Readiness(ready=not found, problems=found)
        return (readiness, 503) if found else readiness

    async def get_system_info(self) -> SystemInfoEnvelope:
        """Versions, feed, store and process."""
        provider, about = self._provider, self._about
        statistics = await provider.view.stored.statistics()
        clock = None
        if provider.clock.is_set:
            exchange_ms = provider.clock.now_ms()
            clock = ExchangeClock(time=exchange_ms, offset_ms=exchange_ms - host_ms())
        hot = provider.store.blocks
        usage = resource.getrusage(resource.RUSAGE_SELF)
        info = SystemInfo(
            name="candlecast",
            version=about.version,
            specs=SpecVersions(rest=rest.VERSION, stream=stream.VERSION),
            python=platform.python_version(),
            platform=platform.platform(),
            uptime_seconds=self._about.uptime_seconds,
            feed=FeedInfo(
                name=about.feed_name,
                simulated=about.is_simulated or provider.listing.is_simulated,
                rest_url=about.rest_url,
                stream_url=about.stream_url,
            ),
            exchange_clock=clock,
            storage=StorageInfo(
                backend=about.store_backend,
                engine_version=statistics.engine_version,
                trades=sum(feed.trades_stored for feed in provider.feeds.values()),
                bytes=statistics.bytes_on_disk,
                waiting_trades=sum(feed.waiting for feed in provider.feeds.values()),
                memory_bytes=statistics.memory_bytes,
                cache_bytes=statistics.cache_bytes,
            ),
            hot_tier=HotTierInfo(
                bytes=hot.usage.bytes,
                maximum_bytes=hot.budget_bytes,
                hits=hot.usage.hits,
                misses=hot.usage.misses,
            ),
            process=ProcessInfo(
                pid=os.getpid(),
                memory_bytes=_memory_bytes(usage.ru_maxrss),
                cpu_seconds=usage.ru_utime + usage.ru_stime,
            ),
            settings=dict(about.settings),
        )
        return envelope(SystemInfoEnvelope, info, "System information retrieved successfully")


@lru_cache(COMPONENTS_KEPT)
def _components(
    *,
    initialized: bool,
    is_connected: bool,
    is_free: bool,
    feeds: int,
    healthy_feeds: int,
    connections: int,
    watched_symbols: int,
) -> HealthComponents:
    """The states of the parts, which seldom change from one check to the next."""
    return HealthComponents(
        initialized=initialized,
        binance_client=ExchangeClientHealth(connected=is_connected),
        weight_coordinator=WeightCoordinatorHealth(active=is_free, healthy=is_free),
        tickers=TickersHealth(active_tasks=feeds, healthy_processors=healthy_feeds),
        websocket_manager=WebSocketManagerHealth(
            connections=connections, active_symbols=watched_symbols
        ),
    )


def _memory_bytes(peak: int) -> int:
    """Memory in use now where the system reports it, else its peak."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak if sys.platform == "darwin" else peak * 1024
