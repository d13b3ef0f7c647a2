"""`player.py URL SCENARIO`: the scenario by the Python client; a report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from candlecast_client import Backoff, Client, ConnectionLost, Picture


class Player:
    """Plays the steps of a scenario, all subscriptions at once."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self._scenario = scenario
        self._pictures: list[list[Picture]] = [[] for _ in scenario["subscriptions"]]
        self._statuses: set[str] = set()
        self._changed = asyncio.Event()
        self._made = self._lost = 0
        self._unsubscribed = False

    async def play(self, url: str) -> None:
        """Play it against a server and report what was handed over."""
        parts = self._scenario["subscriptions"]
        backoff = Backoff(**self._scenario["backoff"])
        async with (
            Client(url, backoff=backoff, on_connection=self._on_connection) as client,
            asyncio.TaskGroup() as readers,
        ):
            for step in self._scenario["steps"]:
                match step:
                    case {"do": "subscribe"}:
                        for part, pictures in zip(parts, self._pictures, strict=True):
                            readers.create_task(self._read(client, part, pictures))
                        await self._until(lambda: all(self._pictures))
                    case {"do": "updates", "count": count}:
                        await self._more("running", count)
                    case {"do": "restart"}:
                        report({"event": "restart"})
                        await self._until(lambda: self._lost > 0 and self._made > 1)
                    case {"do": "settle", "closed": count}:
                        await self._more("closed", count * len(parts))
                    case {"do": "unsubscribe"}:
                        self._unsubscribed = True
        told = [[plain(picture) for picture in group] for group in self._pictures]
        report({"event": "done", "statuses": sorted(self._statuses), "pictures": told})

    async def _read(self, client: Client, part: dict[str, Any], pictures: list[Picture]) -> None:
        async with client.candles(
            part["symbol"],
            part["timeframe"],
            history=part["history"],
            on_status=lambda status: self._statuses.add(status.data_quality),
        ) as candles:
            async for picture in candles:
                pictures.append(picture)
                self._changed.set()
                if self._unsubscribed:
                    break

    async def _more(self, state: str, count: int) -> None:
        """Wait for so many more pictures of a state."""

        def so_far() -> int:
            return sum(p.state == state for group in self._pictures for p in group)

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


def plain(picture: Picture) -> dict[str, Any]:
    """A picture as the TypeScript client has it: decimals as text."""
    candle = picture.candle.model_dump()
    texts = {name: v if isinstance(v, int) else f"{v:f}" for name, v in candle.items()}
    return {
        "symbol": picture.symbol,
        "timeframe": picture.timeframe,
        "state": picture.state,
        "candle": texts,
    }


def report(message: dict[str, Any]) -> None:
    """Tell the test."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    asyncio.run(Player(json.loads(Path(sys.argv[2]).read_text())).play(sys.argv[1]))
