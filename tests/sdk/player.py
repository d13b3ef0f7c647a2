"""`player.py URL SCENARIO`: the scenario in the Python client; each report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from candlecast_client import Backoff, CandleUpdate, Client, ConnectionLost


class Player:
    """Plays the steps of a scenario, all subscriptions at once."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self._scenario = scenario
        self._updates: list[list[CandleUpdate]] = [[] for _ in scenario["subscriptions"]]
        self._statuses: set[str] = set()
        self._changed = asyncio.Event()
        self._made = self._lost = 0
        self._unsubscribed = False

    async def play(self, url: str) -> None:
        """Play it against a server and report the updates."""
        parts = self._scenario["subscriptions"]
        backoff = Backoff(**self._scenario["backoff"])
        async with (
            Client(url, backoff=backoff, on_connection=self._on_connection) as client,
            asyncio.TaskGroup() as readers,
        ):
            for step in self._scenario["steps"]:
                match step:
                    case {"do": "subscribe"}:
                        for part, updates in zip(parts, self._updates, strict=True):
                            readers.create_task(self._read(client, part, updates))
                        await self._until(lambda: all(self._updates))
                    case {"do": "updates", "count": count}:
                        await self._more("running", count)
                    case {"do": "restart"}:
                        report({"event": "restart"})
                        await self._until(lambda: self._lost > 0 and self._made > 1)
                    case {"do": "settle", "closed": count}:
                        await self._more("closed", count * len(parts))
                    case {"do": "unsubscribe"}:
                        self._unsubscribed = True
        plain_updates = [[plain(update) for update in group] for group in self._updates]
        report({"event": "done", "statuses": sorted(self._statuses), "updates": plain_updates})

    async def _read(self, client: Client, part: dict[str, Any], read: list[CandleUpdate]) -> None:
        async with client.candles(
            part["symbol"],
            part["timeframe"],
            history=part["history"],
            on_status=lambda status: self._statuses.add(status.data_quality),
        ) as candles:
            async for update in candles:
                read.append(update)
                self._changed.set()
                if self._unsubscribed:
                    break

    async def _more(self, state: str, count: int) -> None:
        """Wait for `count` more updates of a state."""

        def so_far() -> int:
            return sum(u.state == state for group in self._updates for u in group)

        target = so_far() + count
        await self._until(lambda: so_far() >= target)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    def _on_connection(self, lost: ConnectionLost | None) -> None:
        self._made += lost is None
        self._lost += lost is not None
        self._changed.set()


def plain(update: CandleUpdate) -> dict[str, Any]:
    """An update as the TypeScript client reports it, with decimals as text."""
    candle = update.candle.model_dump()
    texts = {name: v if isinstance(v, int) else f"{v:f}" for name, v in candle.items()}
    return {
        "symbol": update.symbol,
        "timeframe": update.timeframe,
        "state": update.state,
        "candle": texts,
    }


def report(message: dict[str, Any]) -> None:
    """Send a report to the test."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    asyncio.run(Player(json.loads(Path(sys.argv[2]).read_text())).play(sys.argv[1]))
