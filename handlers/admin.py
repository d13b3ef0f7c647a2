"""For operators: the WebSocket side, the request weight, and a synchronization by hand."""

from __future__ import annotations

import time

from generated.models import (
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
from generated.rest import AdminHandlers
from handlers.parts import Parts, envelope, now_ms
from ingest.core.timeframe import label


class Admin(AdminHandlers):
    """`/admin`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def get_websocket_status(self) -> WebSocketStatusEnvelope:
        """Counts of the WebSocket side."""
        parts, watched = self._parts, self._parts.provider.watches.references
        status = WebSocketStatus(
            connections_count=len(parts.stream.connections),
            active_symbols=len({pair.symbol for pair in watched}),
            total_subscriptions=parts.subscriptions.total,
            mv_references_count=len(watched),
            clickhouse_managers=len(parts.provider.feeds),
            messages_sent=parts.stream.messages_sent,
            errors_count=parts.stream.errors,
            uptime_seconds=parts.uptime_seconds,
            update_task_running=parts.stream.updates_running,
            heartbeat_task_running=parts.stream.heartbeats_running,
        )
        message = "WebSocket status retrieved successfully"
        return envelope(WebSocketStatusEnvelope, status, message)

    async def list_websocket_connections(self) -> WebSocketConnectionsEnvelope:
        """Open WebSocket connections."""
        parts, watched = self._parts, self._parts.provider.watches.references
        now = time.time()
        connections = [
            WebSocketConnection(
                client_id=connection.id,
                ip_address=connection.ip,
                connected_at=connection.connected_at,
                connection_duration=max(0.0, now - connection.connected_at),
                last_ping=connection.last_ping or connection.connected_at,
                subscriptions=(subscriptions := parts.subscriptions.of(connection)),
                total_subscriptions=sum(map(len, subscriptions.values())),
            )
            for connection in parts.stream.connections.values()
        ]
        data = WebSocketConnections(
            connections=connections,
            total_connections=len(connections),
            active_symbols=sorted({pair.symbol for pair in watched}),
            mv_references={
                f"{pair.symbol}:{label(pair.timeframe)}": count
                for pair, count in sorted(watched.items())
            },
        )
        message = "WebSocket connections info retrieved successfully"
        return envelope(WebSocketConnectionsEnvelope, data, message)

    async def get_weight_statistics(self) -> WeightStatisticsEnvelope:
        """Request budget at the exchange."""
        weight = self._parts.provider.weight.statistics()
        banned = weight.banned_for > 0
        data = WeightStatistics(
            limit_per_minute=weight.limit,
            used=weight.used,
            reserved=weight.reserved,
            requests=weight.requests,
            throttled=weight.throttled,
            banned_until=now_ms() + int(weight.banned_for * 1000) if banned else None,
            retry_after_seconds=weight.banned_for if banned else None,
        )
        return envelope(WeightStatisticsEnvelope, data, "Weight statistics retrieved successfully")

    async def force_sync(self) -> SyncReportEnvelope:
        """Synchronize now: the clock with the exchange's, each symbol with its newest trade."""
        provider = self._parts.provider
        before = provider.open_gaps
        await provider.synchronize()
        found = provider.open_gaps
        data = SyncReport(
            clock_offset_ms=provider.clock.now_ms() - now_ms(),
            symbols_checked=sorted(provider.feeds),
            gaps_found=found,
            gaps_queued=max(0, found - before),
        )
        return envelope(
            SyncReportEnvelope, data, f"Synchronization started for {len(provider.feeds)} symbols"
        )
