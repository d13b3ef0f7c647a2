"""Shared by the tests of the exchange client: an exchange, its controls, and a taker of trades."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import cast

import aiohttp
from aiohttp import web

from ingest.binance.page import Malformed
from ingest.core.trade import Trade
from simulator.app import Settings, build, serving

TIMEOUT_S = 10.0
"""How long a test waits for what has to happen."""


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fails after TIMEOUT_S."""
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():  # noqa: ASYNC110 - it can hold for any reason
            await asyncio.sleep(0.005)


class SimulatedExchange:
    """A running simulator and its controls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ws_url = url.replace("http", "ws", 1)

    async def order(self, action: str, **what: object) -> dict[str, object]:
        """Ask the simulator to misbehave."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/control/{action}", json=what) as response,
        ):
            assert response.status == 200, await response.text()
            return cast(dict[str, object], await response.json())

    async def state(self, requests: int = 0) -> dict[str, object]:
        """The simulator's counts."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/control/state?requests={requests}") as response,
        ):
            return cast(dict[str, object], await response.json())


@asynccontextmanager
async def simulated(settings: Settings) -> AsyncIterator[SimulatedExchange]:
    """A simulator on a port of its own."""
    async with serving(build(settings)) as url:
        yield SimulatedExchange(url)


@asynccontextmanager
async def served(*routes: web.RouteDef) -> AsyncIterator[str]:
    """A server with the given routes, for what the simulator cannot be asked to do."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Taker:
    """Takes what a stream delivers."""

    def __init__(self) -> None:
        self.trades: dict[str, list[Trade]] = {}
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.reasons: list[str] = []
        self.malformed: list[Malformed] = []
        self.doubted: list[set[str]] = []

    def on_trades(self, symbol: str, trades: list[Trade]) -> None:
        self.trades.setdefault(symbol, []).extend(trades)

    def on_connected(self, symbols: Sequence[str]) -> None:
        self.calls.append(("connected", tuple(symbols)))

    def on_disconnected(self, symbols: Sequence[str], reason: str) -> None:
        self.calls.append(("disconnected", tuple(symbols)))
        self.reasons.append(reason)

    def on_malformed(self, malformed: Malformed, symbols: Collection[str]) -> None:
        self.malformed.append(malformed)
        self.doubted.append(set(symbols))

    def ids(self, symbol: str) -> list[int]:
        """The aggregate ids in the order they came."""
        return [trade.aggregate_id for trade in self.trades.get(symbol, [])]

    def count(self, kind: str) -> int:
        """How often one of "connected" and "disconnected" was called."""
        return sum(name == kind for name, _ in self.calls)
