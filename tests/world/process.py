"""One run of the provider's process, from its start to its end, orderly or not."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from pathlib import Path
from typing import Any, Final

from asyncapi_server import EndpointSettings
from handlers.native.api import Native, StreamSettings
from handlers.native.rest.monitoring import About
from ingest.core.errors import StoreUnavailable
from ingest.core.keep import Keep
from ingest.core.symbol import Symbols
from ingest.pipeline.expiry import Kept
from ingest.pipeline.files import Files
from ingest.pipeline.jobs.means import Means
from ingest.pipeline.jobs.queue import Jobs
from ingest.pipeline.provider import Provider
from ingest.storage import AsyncStore, Store
from server.edge.callers import KeyCallers
from server.log import KeptLog
from tests.world.faults import Faults
from tests.world.network import ARCHIVE_URL, REST_URL, STREAM_URL, SimulatedNetwork
from tests.world.plan import SYMBOLS, Plan

LATENCY_S: Final = 0.004
MAX_MATERIALIZED: Final = 4
IDLE_SECONDS: Final = 90.0
NO_FILES: Final = Path(os.devnull)
"""Nobody asks for a file here."""
ABOUT: Final = About("0", "binance", True, REST_URL, STREAM_URL, "chdb", {})
BOUNDS: Final = EndpointSettings(write_buffer_bytes=16_384, slow_client_seconds=10.0)
STREAM: Final = StreamSettings(50, heartbeat_seconds=30.0, idle_seconds=600.0)

_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class Crashed(BaseException):
    """The process is gone; whatever still runs of it may do nothing any more."""


def make_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: Context | None = None,
) -> asyncio.Task[Any]:
    """A task, which belongs to the process in whose context it runs."""
    task = asyncio.Task(coro, loop=loop, context=context)
    process = _PROCESS.get() if context is None else context.get(_PROCESS)
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task


class StoreWeather:
    """The faults of the store of one process: slow, away, full, or gone with the process."""

    def __init__(self, faults: Faults, luck: random.Random, on_crash: Callable[[], None]) -> None:
        self.is_dead = False
        self.crash_in = -1
        """After how many more statements the process ends; never below 0."""
        self._faults = faults
        self._luck = luck
        self._on_crash = on_crash

    def now_s(self) -> float:
        """Seconds that only run forward."""
        return asyncio.get_running_loop().time()

    def statement(self, kind: str) -> None:
        """A statement is about to take effect."""
        self._pass()
        if self._faults.of("store away"):
            raise StoreUnavailable("The database is unavailable")
        if kind != "read" and self._faults.of("disk full"):
            raise StoreUnavailable("The disk is full")

    def written(self, kind: str) -> None:
        """A statement has taken effect and is not acknowledged yet."""
        self._pass()
        if self._faults.of("store away") and self._luck.random() < 0.5:
            raise StoreUnavailable("The connection was lost")

    def _pass(self) -> None:
        if self.crash_in >= 0:
            self.crash_in -= 1
            if self.crash_in < 0:
                self._on_crash()
        if self.is_dead:
            raise Crashed

    async def before(self) -> None:
        """A call goes to the store."""
        slow = self._faults.of("store slow")
        longest = 3 * slow.amount if slow is not None else LATENCY_S
        await asyncio.sleep(self._luck.random() * longest)
        if self.is_dead:
            raise Crashed

    async def after(self) -> None:
        """Its answer has come back."""
        await asyncio.sleep(0)
        if self.is_dead:
            raise Crashed


class Process:
    """The provider and its API over one store and one network."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        network: SimulatedNetwork,
        weather: StoreWeather,
        host_ms: Callable[[], int],
    ) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.store = store
        self.network = network
        self.weather = weather
        self.is_alive = True
        keep = Keep({"*": plan.keep_days} if plan.keep_days else {})
        self.provider = Provider(
            store,
            REST_URL,
            STREAM_URL,
            Symbols(SYMBOLS[: plan.symbols]),
            plan.history_minutes * 60_000,
            Kept(keep, keep),
            plan.confirm_seconds,
            MAX_MATERIALIZED,
            IDLE_SECONDS,
            network=network,
            host_ms=host_ms,
        )
        files = Files(AsyncStore(store), self.provider.view, NO_FILES, 0)
        means = Means(
            *(AsyncStore(store), self.provider.rest, ARCHIVE_URL, NO_FILES, NO_FILES),
            *(Symbols(SYMBOLS), Keep(), plan.confirm_seconds, self.provider.beside),
        )
        jobs = Jobs(means, self.provider.retry)  # nobody asks for one here
        self.native = Native(
            self.provider,
            ABOUT,
            STREAM,
            BOUNDS,
            lambda _: "client",
            files,
            jobs,
            KeptLog(),
            KeyCallers(),
            lambda: False,
        )
        self.failure: BaseException | None = None
        """By what it ended without being asked to."""
        self.on_end: list[Callable[[], None]] = []
        """Called when it ends, however it does."""

    def start(self) -> None:
        """Run from now on."""
        self.run(self._main())

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this process."""
        token = _PROCESS.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _PROCESS.reset(token)

    async def _main(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.provider.run())
                group.create_task(self.native.run())
        except BaseException as error:
            if self.is_alive:
                self.failure = error
            raise

    def crash(self) -> None:
        """End at once: what was in memory is gone, nothing is sent or stored any more."""
        self.weather.is_dead = True
        self.network.die()
        self._end()
        self._cancel()

    async def stop(self) -> None:
        """End in order: what was received is stored, clients are notified."""
        self.is_alive = False
        await self.native.close(1001, "going away")
        self._cancel()
        await self.gone()
        try:
            self.store.close()
        finally:
            self._end()
            self.weather.is_dead = True
            self.network.die()

    def _end(self) -> None:
        self.is_alive = False
        for hook in self.on_end:
            hook()
        self.on_end.clear()

    def _cancel(self) -> None:
        for task in list(self.tasks):
            task.cancel()

    async def gone(self) -> None:
        """Wait until no task is left of a process that is ending."""
        while others := self.tasks - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=60.0)
            self._cancel()
