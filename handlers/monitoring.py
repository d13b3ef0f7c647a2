"""Whether the server works, and what it runs on."""

from __future__ import annotations

import os
import platform
import resource
import sys
from typing import Literal

from generated import rest, stream
from generated.models import (
    ExchangeClientHealth,
    ExchangeClock,
    FeedInfo,
    Health,
    HealthComponents,
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
from handlers.health import blocking_problems, is_healthy, problems
from handlers.parts import Parts, envelope, now_ms


class Monitoring(rest.MonitoringHandlers):
    """`/monitoring`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def get_health(self) -> Health | tuple[Health, Literal[503]]:
        """Health check."""
        parts, provider = self._parts, self._parts.provider
        feeds = provider.feeds.values()
        free = provider.weight.ban_remaining() <= 0
        found = list(problems(provider))
        status: Literal["healthy", "degraded", "unhealthy"] = "degraded" if found else "healthy"
        if provider.settler.store_failing_since_ms is not None:
            status = "unhealthy"
        health = Health(
            status=status,
            components=HealthComponents(
                initialized=all(
                    feed.is_open or feed.symbol in provider.listing.absent for feed in feeds
                ),
                binance_client=ExchangeClientHealth(connected=any(f.connected for f in feeds)),
                weight_coordinator=WeightCoordinatorHealth(active=free, healthy=free),
                tickers=TickersHealth(
                    active_tasks=len(feeds), healthy_processors=sum(map(is_healthy, feeds))
                ),
                websocket_manager=WebSocketManagerHealth(
                    connections=len(parts.stream.connections),
                    active_symbols=len({pair.symbol for pair in provider.watches.references}),
                ),
            ),
            problems=found,
            timestamp=now_ms(),
            uptime_seconds=parts.uptime_seconds,
        )
        return (health, 503) if status == "unhealthy" else health

    async def get_readiness(self) -> Readiness | tuple[Readiness, Literal[503]]:
        """Readiness check."""
        found = blocking_problems(self._parts.provider)
        readiness = Readiness(ready=not found, problems=found)
        return (readiness, 503) if found else readiness

    async def get_system_info(self) -> SystemInfoEnvelope:
        """What runs here."""
        parts, provider, about = self._parts, self._parts.provider, self._parts.about
        statistics = await provider.store.run(provider.store.statistics)
        clock = None
        if provider.clock.is_set:
            exchange_ms = provider.clock.now_ms()
            clock = ExchangeClock(time=exchange_ms, offset_ms=exchange_ms - now_ms())
        usage = resource.getrusage(resource.RUSAGE_SELF)
        info = SystemInfo(
            name="candlecast",
            version=about.version,
            specs=SpecVersions(rest=rest.VERSION, stream=stream.VERSION),
            python=platform.python_version(),
            platform=platform.platform(),
            uptime_seconds=parts.uptime_seconds,
            feed=FeedInfo(
                name=about.feed_name, rest_url=about.rest_url, stream_url=about.stream_url
            ),
            exchange_clock=clock,
            storage=StorageInfo(
                backend=about.store_backend,
                engine_version=statistics.engine_version,
                trades=sum(feed.trades_stored for feed in provider.feeds.values()),
                bytes=statistics.bytes_on_disk,
            ),
            process=ProcessInfo(
                pid=os.getpid(),
                memory_bytes=_memory_bytes(usage.ru_maxrss),
                cpu_seconds=usage.ru_utime + usage.ru_stime,
            ),
            settings=dict(about.settings),
        )
        return envelope(SystemInfoEnvelope, info, "System information retrieved successfully")


def _memory_bytes(peak: int) -> int:
    """Memory in use now where the system tells, else its peak."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak if sys.platform == "darwin" else peak * 1024
