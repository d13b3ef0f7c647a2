"""A server scripted by a test, which can misbehave as the real one does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

Message = dict[str, Any]
COMPLETE = {
    "historical_loading": False,
    "gap_recovery": False,
    "data_quality": "complete",
    "last_complete_timestamp": None,
}
MINUTE_MS = 60_000


def candle(minute: int) -> Message:
    """A candle with one price."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 1)
    volumes = {"volume": 1, "taker_buy_volume": 1, "taker_sell_volume": 0, "trades_count": 1}
    return {"candle_time": minute * MINUTE_MS, **prices, **volumes}


def update(minute: int, symbol: str = "BTCUSDT") -> Message:
    """An update of a candle."""
    return {
        "type": "ohlcv_update",
        "symbol": symbol,
        "timeframe": "1m",
        "data": candle(minute),
        "data_status": COMPLETE,
    }


def history(requested: int, minutes: range, symbol: str = "BTCUSDT") -> Message:
    """A history of the candles of some minutes."""
    return {
        "type": "initial_history",
        "symbol": symbol,
        "timeframe": "1m",
        "requested_candles": requested,
        "actual_candles": len(minutes),
        "data_status": COMPLETE,
        "candles": [candle(minute) for minute in minutes],
    }


class Peer:
    """One client's connection, from the server's side."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, *messages: Message) -> None:
        """Send messages."""
        for message in messages:
            await self._socket.send_str(json.dumps(message))

    async def text(self, text: str) -> None:
        """Send any text."""
        await self._socket.send_str(text)

    async def receive(self) -> Message:
        """The next message of the client; raises ConnectionError when it has disconnected."""
        frame = await self._socket.receive()
        if frame.type is not WSMsgType.TEXT:
            raise ConnectionError("the client has disconnected")
        message: Message = json.loads(frame.data)
        return message

    async def accept(self) -> Message:
        """Receive a subscribe request and accept all of it."""
        request = await self.receive()
        assert request["action"] == "subscribe"
        await self.send(
            {
                "type": "subscription_result",
                "request_id": request["request_id"],
                "successful_subscriptions": {
                    part["symbol"]: part["timeframes"] for part in request["subscriptions"]
                },
                "failed_subscriptions": [],
                "message": "All subscriptions successful",
            }
        )
        return request

    async def leave(self) -> Message:
        """Receive an unsubscribe request and accept it."""
        request = await self.receive()
        assert request["action"] == "unsubscribe"
        await self.send(
            {
                "type": "unsubscription_result",
                "request_id": request["request_id"],
                "successful_unsubscriptions": {
                    part["symbol"]: part["timeframes"] for part in request["unsubscriptions"]
                },
                "failed_unsubscriptions": [],
                "message": "All unsubscriptions successful",
            }
        )
        return request

    async def cut(self, code: int = 1001) -> None:
        """End the connection."""
        await self._socket.close(code=code)


class Scripted:
    """The server; the test takes each connection with `peer`."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._over = asyncio.Event()
        self.refuse_with = 0
        """HTTP status for the next handshakes; 0 accepts them."""
        self.rest: Callable[[web.Request], web.Response] = lambda _: web.Response(status=404)

    async def peer(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(10):
            return await self._peers.get()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_with:
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        self._peers.put_nowait(Peer(socket))
        await self._over.wait()
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        return self.rest(request)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve; yields the base URL."""
        app = web.Application()
        app.router.add_get("/ws/stream", self._stream)
        app.router.add_route("*", "/api/v1/{path:.*}", self._rest)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            self._over.set()
            await runner.cleanup()
