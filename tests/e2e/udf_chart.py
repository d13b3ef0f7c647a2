"""A chart as TradingView's library draws it: what its UDF adapter asks, and what breaks it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

COLUMNS = ("t", "o", "h", "l", "c", "v")
Bar = tuple[Any, ...]
"""A time in seconds, then open, high, low, close and volume."""


class FeedError(Exception):
    """The feed answered `s: error`; nothing of it is kept."""


@dataclass
class Chart:
    """A chart of one symbol and resolution at a feed such as `http://localhost:8080/udf`.

    As the adapter does, it takes the text of any answer for JSON, whatever its status is.
    """

    session: aiohttp.ClientSession
    feed: str
    symbol: str = "BTCUSDT"
    resolution: str = "1"
    bars: list[Bar] = field(default_factory=list)
    is_whole: bool = False
    """Whether the history is known to have no earlier bars."""

    async def ask(self, path: str, **query: object) -> Any:
        """The answer to a request, with numbers as they are written."""
        given = {name: str(value) for name, value in query.items()}
        async with self.session.get(f"{self.feed}/{path}", params=given) as reply:
            return json.loads(await reply.text(), parse_float=Decimal)

    async def history(self, **query: object) -> tuple[list[Bar], dict[str, Any]]:
        """The bars of an answer, checked as the library does; and the answer."""
        answer = await self.ask("history", symbol=self.symbol, resolution=self.resolution, **query)
        if answer["s"] == "error":
            raise FeedError(answer["errmsg"])
        if answer["s"] == "no_data":
            return [], answer
        bars = list(zip(*(answer[column] for column in COLUMNS), strict=True))
        times = [bar[0] for bar in bars]
        assert times == sorted(set(times)), "putToCacheNewBar: time order violation"
        assert all(time < query["to"] for time in times if isinstance(query["to"], int))
        return bars, answer

    async def load(self, to: int, countback: int) -> None:
        """Load the bars before those that there are, or before `to` where there are none."""
        end = self.bars[0][0] if self.bars else to
        begin = end - 10**7
        earlier, answer = await self.history(**{"from": begin}, to=end, countback=countback)
        assert len(earlier) <= countback
        self.is_whole = answer["s"] == "no_data" and "nextTime" not in answer
        self.bars = [*earlier, *self.bars]

    async def pulse(self, now: int) -> None:
        """Take the newest two bars, as the adapter does every ten seconds."""
        newest, _ = await self.history(**{"from": now - 600}, to=now, countback=2)
        for bar in newest if self.bars and newest[-1][0] > self.bars[-1][0] else newest[-1:]:
            assert not self.bars or bar[0] >= self.bars[-1][0], "time violation"
            if self.bars and bar[0] == self.bars[-1][0]:
                self.bars.pop()
            self.bars.append(bar)
