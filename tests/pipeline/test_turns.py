"""Turns are taken in order, those in demand first, and none is lost."""

from __future__ import annotations

import asyncio

from ingest.pipeline.turns import Turns


class Queue:
    """Tasks that take turns, one at a time, and note them."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.taken: list[str] = []
        self.turns = Turns(1, self.wanted.__contains__)

    def take(self, names: str) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._take(name)) for name in names]

    async def _take(self, name: str) -> None:
        async with self.turns.turn(name):
            self.taken.append(name)
            await asyncio.sleep(0)


async def test_they_are_taken_in_order_but_for_those_in_demand() -> None:
    queue = Queue()
    tasks = queue.take("ABCDE")
    await asyncio.sleep(0)
    queue.wanted.update("DE")  # found out while they wait
    await asyncio.gather(*tasks)
    assert queue.taken == list("ADEBC")


async def test_a_turn_is_passed_on_when_its_taker_is_cancelled() -> None:
    queue = Queue()
    async with queue.turns.turn("A"):
        tasks = queue.take("BCD")
        await asyncio.sleep(0)
        tasks[0].cancel()  # while it waits
    tasks[1].cancel()  # has its turn, and has not run since
    await asyncio.gather(*tasks, return_exceptions=True)
    assert queue.taken == ["D"]
    await asyncio.gather(*queue.take("E"))
    assert queue.taken == ["D", "E"]
