"""For operators: the WebSocket side, the request weight, the log, and a synchronization by hand."""

from __future__ import annotations

import time

from asyncapi_server import Connection, Subscriptions
from generated.native.facts import LogLevel
from generated.native.models import (
    LogEnvelope,
    LogLine,
    SyncReport,
    SyncReportEnvelope,
    WebSocketConnection,
    WebSocketConnections,
    WebSocketConnectionsEnvelope,
    WebSocketStatus,
    WebSocketStatusEnvelope,
    WeightStatistics,
    WeightStatisticsEnvelope,
)
from generated.native.rest import AdminHandlers
from handlers.native.connections import Connections
from handlers.native.log import Log
from handlers.native.rest.envelope import envelope
from handlers.native.rest.monitoring import About
from handlers.native.tickers import TICKERS, AllSymbols
from handlers.native.updates import Updates
from ingest.binance.now import host_ms
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider


class Admin(AdminHandlers):
    """`/admin`."""

    def __init__(
        self,
        provider: Provider,
        subscriptions: Subscriptions[Pair],
        tickers: Subscriptions[AllSymbols],
        updates: Updates,
        connections: Connections,
        about: About,
        log: Log,
    ) -> None:
        self._provider = provider
        self._subscriptions = subscriptions
        self._tickers = tickers
        self._updates = updates
        self._connections = connections
        self._about = about
        self._log = log

    async def get_websocket_status(self) -> WebSocketStatusEnvelope:
        """Counts of the WebSocket side."""
        watched = self._provider.view.references
        status = WebSocketStatus(
            connections_count=len(self._connections.live),
            active_symbols=len({pair.symbol for pair in watched}),
            total_subscriptions=self._subscriptions.total,
            mv_references_count=len(watched),
            clickhouse_managers=len(self._provider.feeds),
            messages_sent=self._connections.messages_sent,
            errors_count=self._connections.errors,
            uptime_seconds=self._about.uptime_seconds,
            update_task_running=self._updates.running,
            heartbeat_task_running=self._connections.heartbeats_running,
        )
        message = "WebSocket status retrieved successfully"
        return envelope(WebSocketStatusEnvelope, status, message)

    async def list_websocket_connections(self) -> WebSocketConnectionsEnvelope:
        """Open WebSocket connections."""
        watched, now = self._provider.view.references, time.time()
        connections = [
            WebSocketConnection(
                client_id=connection.id,
                ip_address=connection.ip,
                connected_at=connection.connected_at,
                connection_duration=max(0.0, now - connection.connected_at),
                last_ping=connection.last_ping or connection.connected_at,
                subscriptions=(subscriptions := self._timeframes(connection)),
                total_subscriptions=sum(map(len, subscriptions.values())),
                tickers=self._tickers.has(connection, TICKERS),
            )
            for connection in self._connections.live.values()
        ]
        data = WebSocketConnections(
            connections=connections,
            total_connections=len(connections),
            active_symbols=sorted({pair.symbol for pair in watched}),
            mv_references={
                f"{pair.symbol}:{pair.label}": max(followers, self._subscriptions.subscribers(pair))
                for pair, followers in sorted(watched.items())
            },
        )
        message = "WebSocket connections info retrieved successfully"
        return envelope(WebSocketConnectionsEnvelope, data, message)

    async def get_weight_statistics(self) -> WeightStatisticsEnvelope:
        """Request budget at the exchange."""
        weight = self._provider.weight.statistics()
        banned = weight.banned_for > 0
        data = WeightStatistics(
            limit_per_minute=weight.limit,
            used=weight.used,
            reserved=weight.reserved,
            requests=weight.requests,
            throttled=weight.throttled,
            banned_until=host_ms() + int(weight.banned_for * 1000) if banned else None,
            retry_after_seconds=weight.banned_for if banned else None,
        )
        return envelope(WeightStatisticsEnvelope, data, "Weight statistics retrieved successfully")

    async def get_log(self, *, limit: int, level: str, after: int | None = None) -> LogEnvelope:
        """The newest lines of the log."""
        lines = [
            LogLine(
                id=line.id,
                time=line.time_ms,
                level=line.level,
                logger=line.logger,
                message=line.message,
            )
            for line in self._log.newest(limit, LogLevel(level), after)
        ]
        return envelope(LogEnvelope, lines, f"Retrieved {len(lines)} log lines")

    async def force_sync(self) -> SyncReportEnvelope:
        """Synchronize now: the clock with the exchange's, each symbol with its newest trade."""
        provider = self._provider
        before = provider.open_gaps
        await provider.synchronize()
        found = provider.open_gaps
        data = SyncReport(
            clock_offset_ms=provider.clock.now_ms() - host_ms(),
            symbols_checked=sorted(provider.feeds),
            gaps_found=found,
            gaps_queued=max(0, found - before),
        )
        return envelope(
            SyncReportEnvelope, data, f"Synchronization started for {len(provider.feeds)} symbols"
        )

    def _timeframes(self, connection: Connection) -> dict[str, list[int]]:
        """The timeframes that a connection is subscribed to by symbol, each in ascending order."""
        result: dict[str, list[int]] = {}
        for symbol, timeframe in sorted(self._subscriptions.of(connection)):
            result.setdefault(symbol, []).append(timeframe)
        return result
