"""The connections of the stream: counts for operators, heartbeats, and the end of idle ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from asyncapi_server import Connection, Endpoint, Fault, FaultKind, Hub
from handlers.native import messages
from ingest.binance.now import host_ms

IDLE_CODE = 3008
"""The close code of a connection that was idle for too long: IANA's `Timeout`."""


class Connections:
    """Every connection of the stream, and those that have ended."""

    def __init__(
        self, endpoint: Endpoint, hub: Hub, is_subscribed: Callable[[Connection], bool]
    ) -> None:
        self._endpoint = endpoint
        self._hub = hub
        self._is_subscribed = is_subscribed
        self._heard: WeakKeyDictionary[Connection, tuple[int, float]] = WeakKeyDictionary()
        """The messages received from each connection, and when the last of them came."""
        self.heartbeats_running = False

    @property
    def live(self) -> Mapping[str, Connection]:
        """The open connections by id."""
        return self._endpoint.connections

    @property
    def messages_sent(self) -> int:
        """Messages to all clients since the start."""
        traffic = self._endpoint.traffic
        return traffic.messages_sent + traffic.updates_replaced

    @property
    def errors(self) -> int:
        """Errors sent to all clients since the start."""
        return self._endpoint.traffic.errors

    async def run_heartbeats(self, every_seconds: float, idle_seconds: float) -> None:
        """Send heartbeats, and end connections that have no subscription and say nothing."""
        self.heartbeats_running = True
        try:
            while True:
                await asyncio.sleep(every_seconds)
                connections = list(self.live.values())
                payload = messages.heartbeat(host_ms(), len(connections))
                self._hub.broadcast(connections, payload, "heartbeat")
                for connection in connections:
                    if self._idle_for(connection) > idle_seconds:
                        await _end(connection, idle_seconds)
        finally:
            self.heartbeats_running = False

    async def close(self, code: int, reason: str, over_seconds: float) -> None:
        """Send each client the error that the server is going away, and close; spread evenly."""
        await self._endpoint.close_all(
            code, reason, over_seconds=over_seconds, farewell=_say_goodbye
        )

    def _idle_for(self, connection: Connection) -> float:
        """For how many seconds a client has had no subscription and said nothing."""
        received, now = connection.messages_received, asyncio.get_running_loop().time()
        before, since = self._heard.get(connection, (-1, now))
        if self._is_subscribed(connection) or received != before:
            since = now
        self._heard[connection] = received, since
        return now - since


def _say_goodbye(connection: Connection) -> None:
    text = "The server is going away; connect again after a pause"
    connection.fault(Fault(FaultKind.GOING_AWAY, text))


async def _end(connection: Connection, idle_seconds: float) -> None:
    text = f"Nothing was asked for in {idle_seconds:.0f} s; connect again and subscribe"
    connection.fault(Fault(FaultKind.TIMEOUT, text))
    await connection.close(IDLE_CODE, "idle")
