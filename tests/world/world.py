"""The world of one seed: exchange, provider and clients, with faults and then without."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from generated.native.facts import DataQuality
from ingest.core.errors import StoreUnavailable
from ingest.pipeline.feed import Feed
from ingest.storage import Store
from tests.world.backfill import Backfilling
from tests.world.chance import chance
from tests.world.client import MAX_UPDATE_GAP_S, Client
from tests.world.ending import Ending
from tests.world.events import Events, some_pairs
from tests.world.exchange import Exchange
from tests.world.faults import Faults
from tests.world.loop import START_S
from tests.world.network import SimulatedNetwork
from tests.world.pages import Pages
from tests.world.plan import Event, Plan
from tests.world.process import Process, StoreWeather
from tests.world.truth import MINUTE_MS, SKEW_MS, TIMEFRAMES, Truth
from tests.world.wire import ExchangeSocket, publish

HEALED_WITHIN_S: Final = 500.0
"""Once the world is honest everything is complete within this time: a symbol that is not listed is
asked for every five minutes, and its absent ids are confirmed after two more."""
TURNED_UP_WITHIN_S: Final = 1_800.0
"""The same where trades have turned up that were confirmed to be absent."""
SETTLED_AFTER_S: Final = 4.0
"""After the end of a minute it is in the store."""
MOST_TASKS: Final = 150
MOST_SOCKETS: Final = 4
MOST_WAITING_BYTES: Final = 2**21
"""For a client that does not read: some histories, and the newest update of each pair."""
SMALL_SKEW_MS: Final = 1_000
SKEWING: Final = ("time", "slow", "host clock")
"""Events by which the provider's clock may come to be ahead."""


class Backend(Protocol):
    """Opens the store of each process; it outlives them."""

    def open(self, weather: StoreWeather) -> Store:
        """The store as a new process finds it."""

    def damage(self, luck: random.Random) -> None:
        """Let something that was written be unreadable."""


class World:
    """Runs one plan; `wrong` has what did not hold."""

    def __init__(
        self, plan: Plan, backend: Backend, trace: Callable[[str], None] | None = None
    ) -> None:
        self.plan = plan
        self.wrong: list[str] = []
        self.faults = Faults()
        self.host_off_ms = 0
        self._backend = backend
        self._tracing = trace
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starts = 0
        self._restarting: asyncio.Task[None] | None = None
        self._directory = TemporaryDirectory(prefix="world-")
        """Where files of the archive are put."""
        self._trades_are_made = True
        self._lowest: dict[str, int] = {}
        """The first id that matters, of each symbol of which trades are stored."""
        self.exchange = Exchange(plan, self.faults, self._loop.time)
        self._truths = {
            symbol: Truth(market, partial(self._is_unknown, symbol), self.exchange.now_ms)
            for symbol, market in self.exchange.markets.items()
        }
        skews = any(event.kind in SKEWING for event in plan.events)
        skew_ms = SKEW_MS if skews else SMALL_SKEW_MS
        self.clients: Sequence[Client] = [
            Client(f"client {number}", self._truths, skew_ms, self.fail, self.trace)
            for number in range(plan.clients)
        ]
        self._pages = Pages(self._truths, skew_ms, self.fail)
        self._ending = Ending(self.exchange, self._truths, self._pages, self.fail)
        self._events = Events(self)
        self.process: Process

    # Reports -------------------------------------------------------------------------------------

    def fail(self, text: str) -> None:
        """Something did not hold."""
        text = f"{self._loop.time() - START_S:.3f} s: {text}"
        self.wrong.append(text)
        self.trace(f"WRONG {text}")

    def trace(self, text: str) -> None:
        """Say what happens, if somebody wants to know."""
        if self._tracing is not None:
            self._tracing(f"{self._loop.time() - START_S:9.3f} {text}")

    # From the beginning to the end ---------------------------------------------------------------

    async def run(self) -> None:
        """Run the plan, end all faults, wait until all is healed, and check the end."""
        for symbol in self.exchange.markets:
            self._start(self._make_trades(symbol))
        self._start(self._keep_streams())
        self._start(self._watch())
        self._begin_process()
        for client in self.clients:
            self._start(self._be_client(client))
        for event in self.plan.events:
            await self._until(event.at)
            if self.wrong:
                return
            self._events.begin(event)
        await self._until(self.plan.seconds)
        self.trace("all faults end")
        self._events.end_all()
        if await self._is_healed():
            await self._ending.check(self.process, self.clients, self._loop.time())

    async def end(self) -> None:
        """Cancel everything."""
        self.process.crash()
        await self.process.gone()
        while others := self._tasks - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others)
        self._directory.cleanup()

    async def _is_healed(self) -> bool:
        """Wait until all is complete and settled; whether that came in time."""
        turn_up = any(market.has_turned_up for market in self.exchange.markets.values())
        deadline = self._loop.time() + (TURNED_UP_WITHIN_S if turn_up else HEALED_WITHIN_S)
        if not await self._is_whole_by(deadline):
            return False
        self.trace("all is complete; the market falls silent")
        self._trades_are_made = False
        now_ms = self.exchange.now_ms()
        await asyncio.sleep((MINUTE_MS - now_ms % MINUTE_MS) / 1000 + SETTLED_AFTER_S)
        if not await self._is_whole_by(deadline, until_ms=now_ms + MINUTE_MS):
            return False
        await asyncio.sleep(MAX_UPDATE_GAP_S)  # every client gets to know it
        return not self.wrong

    async def _is_whole_by(self, deadline: float, until_ms: int = 0) -> bool:
        """Wait until all is complete, and the minute of `until_ms` shown; whether both came."""
        while not self._is_whole(until_ms) and not self.wrong:
            if self._loop.time() > deadline:
                self.fail(f"not healed: {self._ending.states(self.process)}")
            await asyncio.sleep(0.5)
        return not self.wrong

    def _is_whole(self, until_ms: int) -> bool:
        return (
            self._restarting is None
            and self.process.is_alive
            and self._ending.is_whole(self.process, until_ms)
        )

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, START_S + seconds - self._loop.time()))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # What a process causes is not its own.
        task: asyncio.Task[None] = self._loop.create_task(work, context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(f"the world itself failed: {error!r}")
            traceback.print_exception(error)

    # The exchange --------------------------------------------------------------------------------

    async def _make_trades(self, symbol: str) -> None:
        market, luck = self.exchange.markets[symbol], chance(self.plan.seed, "trades", symbol)
        usual = 60.0 / self.plan.trades_a_minute
        while True:
            burst = self.faults.of("burst", symbol)
            await asyncio.sleep(luck.expovariate(1) * usual * (1.0 if burst is None else 0.05))
            count = luck.choice((1, 1, 1, 2, 5)) if burst is None else luck.randint(1, 20)
            is_quiet = self.faults.of("quiet", symbol) is not None
            if not self._trades_are_made or not market.is_listed or is_quiet:
                continue
            now_ms = self.exchange.now_ms()
            items = [market.make(now_ms) for _ in range(count)]
            if self._tracing is not None:
                for item in items:
                    self.trace(f"exchange makes {symbol} {item}")
            publish(self.process.network.sockets, symbol, items)

    async def _keep_streams(self) -> None:
        """Ping, and end connections that are too old, some after a word."""
        luck = chance(self.plan.seed, "streams")
        born: dict[ExchangeSocket, float] = {}
        while True:
            await asyncio.sleep(20.0)
            sockets = self.process.network.sockets
            sockets[:] = [socket for socket in sockets if socket.is_open]
            born = {socket: born.get(socket, self._loop.time()) for socket in sockets}
            for socket in list(sockets):
                socket.exchange_pings()
                age = self._loop.time() - born[socket]
                if age > self.plan.connection_seconds and self._trades_are_made:
                    if luck.random() < 0.5:
                        socket.announce_shutdown()
                        self._loop.call_later(10.0, socket.end, 1001)
                    else:
                        socket.end()

    # The process ---------------------------------------------------------------------------------

    def _begin_process(self) -> None:
        self._starts += 1
        luck = chance(self.plan.seed, "store", self._starts)
        weather = StoreWeather(self.faults, luck, self.crash)
        self.process = Process(
            self.plan,
            self._backend.open(weather),
            SimulatedNetwork(self.plan, self.exchange, self._starts, self.fail, self.trace),
            weather,
            lambda: self.exchange.now_ms() + self.host_off_ms,
        )
        self.process.start()
        if self.faults.of("damage"):  # once more, while feeds are opened
            self._loop.call_later(0.6 * luck.random(), self.damage, luck)
        self._start(self._read_pages(self.process))

    def crash(self) -> None:
        """End the process at once; it begins again by itself."""
        if self.process.is_alive and self._restarting is None:
            self.trace("the process crashes")
            self.process.crash()
            self._restarting = self._start(self._restart(self.process.gone()))

    def stop(self) -> None:
        """End it in order; it begins again by itself."""
        if self.process.is_alive and self._restarting is None:
            self.trace("the process is stopped")
            self._restarting = self._start(self._restart(self.process.stop()))

    def backfill(self, event: Event) -> None:
        """Stop the process, fill a span of an event's symbols, and begin again."""
        if self.process.is_alive and self._restarting is None:
            self.trace("the process is stopped for a backfill")
            self._restarting = self._start(self._restart(self._backfill(event)))

    async def _backfill(self, event: Event) -> None:
        await self.process.stop()
        luck = chance(self.plan.seed, "backfill", event.number)
        for symbol in self.exchange.symbols_of(event):
            self._starts += 1
            network = SimulatedNetwork(
                self.plan, self.exchange, self._starts, self.fail, self.trace
            )
            with suppress(StoreUnavailable):
                filling = Backfilling(
                    self.plan,
                    self._backend.open,
                    self.faults,
                    network,
                    Path(self._directory.name),
                    luck,
                    self.fail,
                )
                await filling.run(self.exchange.markets[symbol])
            self.trace(f"the backfill of {symbol} has ended")

    def damage(self, luck: random.Random) -> None:
        """Let something that was written be unreadable."""
        self._backend.damage(luck)

    async def _restart(self, ending: Coroutine[Any, Any, None]) -> None:
        """Begin anew after the end, as soon as the store can be opened."""
        luck = chance(self.plan.seed, "restart", self._starts)
        await ending
        await asyncio.sleep(luck.choice((0.1, 1.0, 8.0)))
        while True:
            try:
                self._begin_process()
                break
            except StoreUnavailable:
                await asyncio.sleep(1.0)
        self._restarting = None
        self.trace("the process begins again")

    async def _watch(self) -> None:
        """Check states and bounds each second, and that no process ends by itself."""
        while True:
            await asyncio.sleep(1.0)
            process = self.process
            for feed in process.provider.feeds.values():
                state = feed.state
                if state.quality is DataQuality.COMPLETE and not (
                    state.is_open and state.is_connected and feed.is_whole
                ):
                    self.fail(f"{feed.symbol} is complete, and cannot be: {vars(state)}")
                self._check_held(process, feed)
                if feed.room < 0:
                    self.fail(f"{feed.symbol} has {-feed.room} trades more than it has room for")
            for client in self.clients:
                if client.waiting_bytes > MOST_WAITING_BYTES:
                    self.fail(f"{client.waiting_bytes} bytes wait for {client.name}")
            if process.failure is not None and self._restarting is None:
                self.fail(f"the provider ended: {process.failure!r}")
                return
            if len(process.tasks) > MOST_TASKS:
                self.fail(f"{len(process.tasks)} tasks run")
            alive = sum(not socket.closed for socket in process.network.sockets)
            if alive > MOST_SOCKETS:
                self.fail(f"{alive} streams are open")

    def _check_held(self, process: Process, feed: Feed) -> None:
        """From the lowest id that was stored on all matter, unless they have expired."""
        continuity, symbol = feed.continuity, feed.symbol
        if continuity is None or feed.state.quality is not DataQuality.COMPLETE:
            return
        lowest = max(self._lowest.get(symbol, 0), process.store.retention.line(symbol).first_id)
        if symbol in self._lowest and continuity.first_id > lowest:
            self.fail(f"{symbol} begins with {continuity.first_id}, and {lowest} was stored")
        if feed.trades_stored == continuity.held > 0:
            self._lowest[symbol] = continuity.first_id

    def _is_unknown(self, symbol: str, aggregate_id: int) -> bool:
        """Whether the provider may not know yet of a trade that was absent and has turned up."""
        continuity = self.process.provider.feeds[symbol].continuity
        return continuity is None or (
            aggregate_id > continuity.high_water
            or any(gap.from_id <= aggregate_id <= gap.to_id for gap in continuity.confirmed)
        )

    # Clients -------------------------------------------------------------------------------------

    async def _be_client(self, client: Client) -> None:
        """Connect again whenever the connection has ended."""
        luck = chance(self.plan.seed, client.name)
        client.wanted = some_pairs(self, luck, luck.randint(1, 3))
        while True:
            if self.process.is_alive:
                await asyncio.wait({self.process.run(client.connect(self.process))})
            await asyncio.sleep(luck.choice((0.2, 2.0)))

    async def _read_pages(self, process: Process) -> None:
        """Read candles over REST now and then."""
        luck = chance(self.plan.seed, "pages", self._starts)
        while True:
            await asyncio.sleep(luck.choice((3.0, 7.0, 12.0)))
            if not process.is_alive:
                break
            symbol, minutes = luck.choice(list(self.exchange.markets)), luck.choice(TIMEFRAMES)
            start = self.exchange.now_ms() - luck.randint(0, 90) * MINUTE_MS
            read = self._pages.check(
                process, symbol, minutes, luck.choice((None, start)), luck.choice((1, 10, 1000))
            )
            await asyncio.wait({process.run(read)})
