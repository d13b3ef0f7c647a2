"""A shared call runs once for all who wait, in its pace, and for nobody else."""

from __future__ import annotations

import asyncio

import pytest

from ingest.pipeline.shared_call import SharedCall

EVERY = 0.2


class Costly:
    """A call that takes some time."""

    def __init__(self, *, fails: bool = False) -> None:
        self.starts: list[float] = []
        self.ended = 0
        self._fails = fails

    async def __call__(self) -> int:
        self.starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        self.ended += 1
        if self._fails:
            raise OSError("it fails")
        return len(self.starts)


async def test_all_who_ask_at_the_same_time_share_one_run() -> None:
    costly = Costly()
    call = SharedCall(costly, EVERY)
    assert await asyncio.gather(*(call() for _ in range(50))) == [1] * 50
    assert await asyncio.gather(*(call() for _ in range(50))) == [2] * 50
    assert costly.starts[1] - costly.starts[0] >= EVERY


async def test_a_run_that_nobody_waits_for_is_dropped_before_it_begins() -> None:
    costly = Costly()
    call = SharedCall(costly, EVERY)
    await call()
    waiting = [asyncio.create_task(call()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[:2]:
        task.cancel()
    assert await waiting[2] == 2
    last = asyncio.create_task(call())
    await asyncio.sleep(0)
    last.cancel()
    await asyncio.sleep(2 * EVERY)
    assert costly.ended == len(costly.starts) == 2


async def test_all_who_wait_hear_of_a_failure_and_the_next_run_is_a_new_one() -> None:
    costly = Costly(fails=True)
    call = SharedCall(costly, 0)
    failed = await asyncio.gather(call(), call(), return_exceptions=True)
    assert all(isinstance(error, OSError) for error in failed)
    with pytest.raises(OSError, match="it fails"):
        await call()
    assert len(costly.starts) == 2
