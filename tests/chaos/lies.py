"""All ways in which the simulated exchange misbehaves, for some seconds each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.chaos.exchange import Exchange

CENTURY_MS = 74 * 365 * 86_400_000
STREAM_FAULTS = ("garbage", "symbol", "corrupt", "unknown", "drop", "repeat", "reorder", "delay")
BODIES = ("", "[]", "{}", "null", "<html>busy</html>", '{"code":-1000,"msg":"?"}', '[{"a":1}]')
FORMS = ("price", "quantity", "id", "empty")


class Lies:
    """Faults of an exchange on some symbols, chosen by `chance`."""

    def __init__(self, exchange: Exchange, symbols: Sequence[str], chance: random.Random) -> None:
        self._exchange = exchange
        self._symbols = symbols
        self._chance = chance
        self.all: dict[str, Callable[[float], Awaitable[None]]] = {
            **dict.fromkeys(STREAM_FAULTS, self._spoil),
            "cut": self._cut,
            "stall": self._stall,
            "outage": self._outage,
            "refuse": self._refuse,
            "body": self._answer,
            "unreadable": self._be_unreadable,
            "microseconds": self._write_microseconds,
            "clock": self._lie_about_time,
            "newest": self._lie_about_ids,
            "missing": self._lose,
        }
        """Each goes on for so many seconds and ends by itself."""
        self._fault = ""

    async def run(self, name: str, seconds: float) -> None:
        """Run one of `all`."""
        self._fault = name
        await self.all[name](seconds)

    async def _spoil(self, seconds: float) -> None:
        faults = {self._fault: self._chance.choice((0.05, 0.5, 1.0)), "delay_ms": 3000}
        await self._exchange.order("faults", **faults)
        await asyncio.sleep(seconds)
        await self._exchange.order("faults", reset=True)

    async def _cut(self, seconds: float) -> None:
        await self._exchange.order("cut")
        await asyncio.sleep(seconds)

    async def _stall(self, seconds: float) -> None:
        await self._exchange.order("stall", seconds=seconds, new=self._chance.random() < 0.5)
        await asyncio.sleep(seconds)

    async def _outage(self, seconds: float) -> None:
        await self._exchange.order("outage", seconds=seconds)
        await asyncio.sleep(seconds)

    async def _refuse(self, seconds: float) -> None:
        status = self._chance.choice((0, 403, 418, 429, 500, 503))
        await self._exchange.order("answer", status=status, seconds=seconds)
        await self._exchange.order("cut", count=1)
        await asyncio.sleep(seconds)

    async def _answer(self, seconds: float) -> None:
        body = self._chance.choice(BODIES)
        await self._exchange.order("answer", status=200, body=body, seconds=seconds)
        await self._exchange.order("cut", count=1)
        await asyncio.sleep(seconds)

    async def _be_unreadable(self, seconds: float) -> None:
        symbol = self._chance.choice(self._symbols)
        first = await self._exchange.last_id(symbol) + self._chance.randint(-20, 20)
        await self._exchange.order(
            "unreadable",
            symbol=symbol,
            from_id=max(first, 0),
            to_id=max(first, 0) + self._chance.randint(0, 70),
            form=self._chance.choice(FORMS),
        )
        await asyncio.sleep(seconds)
        await self._exchange.order("readable", symbol=symbol)

    async def _write_microseconds(self, seconds: float) -> None:
        await self._exchange.order("microseconds", on=True)
        await asyncio.sleep(seconds)
        await self._exchange.order("microseconds")

    async def _lie_about_time(self, seconds: float) -> None:
        off = self._chance.choice((CENTURY_MS, 3_600_000, -3_600_000, 5_000))
        await self._exchange.order("lie", time_ms=off, seconds=seconds)
        await asyncio.sleep(seconds)

    async def _lie_about_ids(self, seconds: float) -> None:
        off = self._chance.choice((10**9, 5_000, -5_000))
        await self._exchange.order("lie", newest=off, seconds=seconds)
        if self._chance.random() < 0.5:
            await self._exchange.order("cut")
        await asyncio.sleep(seconds)

    async def _lose(self, seconds: float) -> None:
        """Let ids that come next not exist at all."""
        symbol = self._chance.choice(self._symbols)
        first = await self._exchange.last_id(symbol) + 100
        last = first + self._chance.randint(0, 50)
        await self._exchange.order("missing", symbol=symbol, from_id=first, to_id=last)
        await asyncio.sleep(seconds)
