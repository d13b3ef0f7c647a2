"""A client of the stream, which checks each message against the truth."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp.test_utils import make_mocked_request

from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.outbox import Outbox
from tests.world.messages import read_history, read_update
from tests.world.process import BOUNDS, Process
from tests.world.truth import Truth, Wrong
from tests.world.watched import Watched

REQUEST: Final = make_mocked_request("GET", "/ws/stream")
MAX_UPDATE_GAP_S: Final = 1.5

_FAILED: Final = re.compile(r"The history of (\S+) (\d+)m could not be sent")

Pair = tuple[str, int]
"""A symbol and a timeframe in minutes."""


class Client:
    """One client, over one connection after another."""

    def __init__(
        self,
        name: str,
        truths: Mapping[str, Truth],
        skew_ms: int,
        on_wrong: Callable[[str], None],
        trace: Callable[[str], None],
    ) -> None:
        self.name = name
        self.wanted: dict[Pair, int] = {}
        """The pairs that it subscribes to, each with the candles of history that it asks for."""
        self.watched: dict[Pair, Watched] = {}
        self.reads = True
        self.is_connected = False
        self.unread = bytearray()
        self._outbox: Outbox | None = None
        self._truths = truths
        self._skew_ms = skew_ms
        self._on_wrong = on_wrong
        self._trace = trace
        self._requests: asyncio.Queue[str | None] = asyncio.Queue()
        self._drained = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    # A transport ---------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Bytes of whole frames come in."""
        if not self.is_connected:
            return
        self.unread += data
        if self.reads:
            self._read()

    def get_write_buffer_size(self) -> int:
        """Bytes that were not read yet."""
        return len(self.unread)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for it on either side."""
        return len(self.unread) + (0 if self._outbox is None else self._outbox.pending_bytes)

    def is_closing(self) -> bool:
        """Whether the connection is gone."""
        return not self.is_connected

    async def _wait_until_drained(self) -> None:
        while self.unread:
            self._drained.clear()
            await self._drained.wait()

    # What it does --------------------------------------------------------------------------------

    async def connect(self, process: Process) -> None:
        """Connect, and stay until one side ends it."""
        self.watched.clear()
        self.unread.clear()
        self.is_connected = True
        self._requests = asyncio.Queue()
        process.on_end.append(self._cut)
        outbox = self._outbox = Outbox(
            self,
            drained=self._wait_until_drained,
            give_up=lambda _: self._cut(),
            high_water=BOUNDS.write_buffer_bytes,
            pending_limit=BOUNDS.pending_bytes,
            deadline=BOUNDS.slow_client_seconds,
        )
        async with process.native.endpoint.connected(outbox, REQUEST, self._closed) as connection:
            if self.wanted:
                self.subscribe(self.wanted)
            await self._talk(connection)

    async def _talk(self, connection: Connection) -> None:
        while True:
            text = await self._requests.get()
            if text is None:
                break
            await connection.receive(text)
            await connection.writable()

    async def _closed(self, code: int, reason: str) -> None:
        self._cut()

    def _cut(self) -> None:
        """The connection is gone."""
        self.is_connected = False
        self._drained.set()
        self._requests.put_nowait(None)

    def leave(self) -> None:
        """Close the connection."""
        self._cut()

    def read_on(self) -> None:
        """Read again, all that waits first."""
        self.reads = True
        if self.is_connected:
            self._read()

    def subscribe(self, pairs: Mapping[Pair, int]) -> None:
        """Ask for pairs, each with so many candles of history."""
        self.wanted |= pairs
        for (symbol, minutes), candles in pairs.items():
            part = {"timeframe": minutes, "initial_candles": candles}
            wanted = [{"symbol": symbol, "timeframes": [part]}]
            self._ask({"action": "subscribe", "subscriptions": wanted})

    def unsubscribe(self, pair: Pair) -> None:
        """Ask for a pair no longer."""
        self.wanted.pop(pair, None)
        part = [{"symbol": pair[0], "timeframes": [pair[1]]}]
        self._ask({"action": "unsubscribe", "unsubscriptions": part})

    def _ask(self, request: object) -> None:
        self.say(json.dumps(request))

    def say(self, text: str) -> None:
        """Send any text."""
        if self.is_connected:
            self._requests.put_nowait(text)

    # What it gets --------------------------------------------------------------------------------

    def _read(self) -> None:
        data, at, end = bytes(self.unread), 0, len(self.unread)
        self.unread.clear()
        self._drained.set()
        while at < end:
            first, size = data[at], data[at + 1]
            at += 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size = int.from_bytes(data[at : at + wide], "big")
                at += wide
            if first & 0x0F == 1:
                self._take(data[at : at + size])
            at += size

    def _take(self, payload: bytes) -> None:
        try:
            if payload.startswith(b'{"type":"ohlcv_update"'):
                update = read_update(payload)
                self._watched(update.symbol, update.timeframe).update(update)
            elif payload.startswith(b'{"type":"initial_history"'):
                history = read_history(payload)
                self._watched(history.symbol, history.timeframe).history(history)
            else:
                self._reply(payload)
        except Wrong as error:
            self._on_wrong(f"{self.name}: {error}")
        self._trace(f"{self.name} < {payload.decode()}")

    def _reply(self, payload: bytes) -> None:
        """Ask again for what failed, as a good client does."""
        reply = json.loads(payload)
        if reply["type"] == "subscription_result":
            for part in reply["failed_subscriptions"]:
                self._ask_again(part["symbol"], part.get("timeframe", 0))
        elif reply["type"] == "unsubscription_result":
            for symbol, timeframes in reply["successful_unsubscriptions"].items():
                for minutes in timeframes:
                    self.watched.pop((symbol, minutes), None)
        elif found := _FAILED.match(reply.get("message", "")):
            self._ask_again(found[1], int(found[2]))

    def _ask_again(self, symbol: str, minutes: int) -> None:
        candles = self.wanted.get((symbol, minutes))
        if candles is not None:
            self._loop.call_later(1.0, self._subscribe_still, (symbol, minutes), candles)

    def _subscribe_still(self, pair: Pair, candles: int) -> None:
        if pair in self.wanted:
            self.subscribe({pair: candles})

    def _watched(self, symbol: str, label: str) -> Watched:
        pair = symbol, int(label[:-1])
        watched = self.watched.get(pair)
        if watched is None:
            watched = self.watched[pair] = Watched(self._truths[symbol], pair[1], self._skew_ms)
        watched.last_at = self._loop.time()
        return watched
