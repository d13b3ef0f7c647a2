"""A client that keeps every candle it receives, and compares each with the trades."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Self

import aiohttp

from ingest.core.trade import Trade
from tests.factories import Row, naive_candles

Message = dict[str, Any]
FIELDS = (
    *("candle_time", "open", "high", "low", "close", "volume", "trades_count"),
    *("taker_buy_volume", "taker_sell_volume"),
)


def wire(row: Row) -> Row:
    """The fields of a textbook candle that go over the wire."""
    return {name: row[name] for name in FIELDS}


class Client:
    """One connection to `/ws/stream`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.messages: list[Message] = []
        self.candles: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
        """The last version of each candle, by symbol and timeframe, then by its time."""
        self.received: list[tuple[str, str, Row]] = []
        """Every version of every candle, in the order received."""
        self.qualities: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[Self]:
        """A connection to the server at a base URL."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}/ws/stream", max_msg_size=0) as socket,
        ):
            yield cls(socket)

    async def send(self, message: object) -> None:
        """Send a message as JSON."""
        await self.send_text(json.dumps(message))

    async def send_text(self, text: str) -> None:
        """Send a text frame."""
        await self._socket.send_str(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        await self._socket.send_bytes(data)

    async def closed(self, seconds: float = 20.0) -> int:
        """The code with which the server closes."""
        async with asyncio.timeout(seconds):
            while (message := await self._socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                assert message.type is aiohttp.WSMsgType.TEXT, message
        return int(message.data)

    async def subscribe(self, symbol: str, timeframes: Sequence[int], candles: int = 0) -> None:
        """Subscribe to timeframes of a symbol."""
        wanted = [{"timeframe": item, "initial_candles": candles} for item in timeframes]
        subscription = {"symbol": symbol, "timeframes": wanted}
        await self.send({"action": "subscribe", "subscriptions": [subscription]})

    async def receive(self, seconds: float = 20.0) -> Message:
        """The next message, remembered."""
        async with asyncio.timeout(seconds):  # not wait_for: in 3.11 it may swallow a cancellation
            text = await self._socket.receive_str()
        message: Message = json.loads(text, parse_float=Decimal)
        self.messages.append(message)
        if "data_status" in message:
            key = message["symbol"], message["timeframe"]
            self.qualities[message["symbol"]] = message["data_status"]["data_quality"]
            candles = message.get("candles") or ([message["data"]] if message.get("data") else [])
            for candle in candles:
                row = {name: _decimal(name, candle[name]) for name in FIELDS}
                self.candles[key][row["candle_time"]] = row
                self.received.append((*key, row))
        return message

    async def wait_for(self, kind: str, seconds: float = 20.0) -> Message:
        """The next message of a type."""
        async with asyncio.timeout(seconds):
            while (message := await self.receive(seconds))["type"] != kind:
                pass
        return message


def _decimal(name: str, value: Any) -> Any:
    whole = name in ("candle_time", "trades_count")
    return value if whole else Decimal(value)


async def until_whole(client: Client, symbols: Sequence[str], seconds: float = 60.0) -> None:
    """Receive until everything is complete."""
    async with asyncio.timeout(seconds):
        while any(client.qualities.get(symbol) != "complete" for symbol in symbols):
            await client.receive(seconds)


def wrong_candles(client: Client, symbol: str, trades: Sequence[Trade]) -> list[str]:
    """The received candles that are not exactly what some first trades of their bucket come to.

    A candle was sent as complete, so it has to be the fold of all trades of its bucket up to some
    id, with none missing in between.
    """
    wrong: list[str] = []
    groups: dict[tuple[int, int], list[Trade]] = defaultdict(list)
    timeframes = {int(label[:-1]) for name, label, _ in client.received if name == symbol}
    for trade in sorted(trades, key=lambda item: item.aggregate_id):
        for timeframe in timeframes:
            width = timeframe * 60_000
            groups[timeframe, trade.timestamp // width * width].append(trade)
    checked: set[str] = set()
    for name, label, row in client.received:
        if name != symbol or str((label, row)) in checked:
            continue
        checked.add(str((label, row)))
        timeframe, start = int(label[:-1]), int(row["candle_time"])
        if row["trades_count"] == 0:
            continue
        prefix, count = [], 0
        for trade in groups[timeframe, start]:
            if count >= row["trades_count"]:
                break
            prefix.append(trade)
            count += trade.last_trade_id - trade.first_trade_id + 1
        expected = [wire(item) for item in naive_candles(prefix, timeframe, start)]
        if expected != [row]:
            wrong.append(f"{symbol} {label} {row} instead of {expected}")
    return wrong
