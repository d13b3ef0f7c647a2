"""Builds the exchange from its settings and serves it as an aiohttp application."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from simulator import assets, replay
from simulator.archive import Archive
from simulator.assets import Asset
from simulator.clock import Clock, real_time_us
from simulator.control import Control
from simulator.errors import SimulatorError
from simulator.faults import Faults
from simulator.feed import Feed
from simulator.lies import Lies
from simulator.limits import Gate, Limits
from simulator.listings import Listings, MakeSource
from simulator.market import Market
from simulator.replay import Recording
from simulator.rest import MAX_ADDRESS_BYTES, Rest
from simulator.script import Script
from simulator.seeded import GENESIS_US, QUIET, SeededMarket
from simulator.stream import Hub
from simulator.ticker import Minutes
from simulator.trades import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a simulation. Times are microseconds since the Unix epoch."""

    replay: tuple[tuple[str, Path], ...] = ()
    """Recordings by symbol."""
    symbols: tuple[str, ...] = ()
    """Symbols with seeded trades."""
    seed: int = 0
    rate: float = 5.0
    """Mean seeded trades per second and symbol."""
    total_rate: float | None = None
    """Mean seeded trades per second of all symbols together, unevenly; None for `rate` each."""
    tombstones: float = 0.0
    quiet: float = QUIET
    """Share of the minutes without a seeded trade."""
    genesis_us: int = GENESIS_US
    start_at: str | None = None
    """Where the clock starts: an ISO time, a share of the recording (0.5), or a trade's number."""
    end_at: str | None = None
    """When seeded trades end: an ISO time, or seconds after the start (+3600)."""
    speed: float | None = 1.0
    """Exchange seconds per real second; None is as fast as clients read."""
    wait_for: int = 0
    """Streams that must be subscribed before the clock starts."""
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    ping_s: float = 20.0
    lifetime_s: float = 86_400.0


class Exchange:
    """A whole exchange. Create it in the thread of the event loop; `app` serves it."""

    def __init__(
        self,
        markets: Iterable[Market],
        clock: Clock,
        make_source: MakeSource,
        *,
        limits: Limits | None = None,
        faults: Faults | None = None,
        wait_for: int = 0,
        ping_s: float = 20.0,
        lifetime_s: float = 86_400.0,
    ) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.clock = clock
        self.gate = Gate(limits or Limits())
        self.script = Script()
        self.hub = Hub(clock, self.gate, self.script, ping_s=ping_s, lifetime_s=lifetime_s)
        self.lies = Lies()
        self.minutes = {market.symbol: Minutes(market) for market in self.markets.values()}
        self.feed = Feed(self.markets, clock, self.hub, self.lies, self.minutes, wait_for=wait_for)
        self.feed.set_faults(faults or Faults())
        self.archive = Archive(self.markets, clock, self.gate, self.script)
        self.control = Control(
            self.markets,
            clock,
            self.gate,
            self.script,
            self.hub,
            self.feed,
            self.archive,
            self.lies,
            Listings(self.markets, self.minutes, self.feed, self.lies, clock, make_source),
        )

    def app(self) -> web.Application:
        """Build the application that serves REST, WebSocket and controls."""
        app = web.Application()
        rest = Rest(self.markets, self.clock, self.gate, self.script, self.lies, self.minutes)
        parts = (rest, self.archive, self.hub, self.control)
        app.add_routes([route for part in parts for route in part.routes()])
        app.cleanup_ctx.append(self._feeding)
        app.cleanup_ctx.append(self._keeping_files)
        app.on_shutdown.append(self._hang_up)
        return app

    async def _feeding(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.feed.run())
        task.add_done_callback(_report_failure)
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _keeping_files(self, _: web.Application) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="simulator-archive-") as directory:
            self.archive.directory = Path(directory)
            yield
            self.archive.directory = None

    async def _hang_up(self, _: web.Application) -> None:
        await self.hub.close()


def _report_failure(task: asyncio.Task[None]) -> None:
    """Report a failed feed at once, instead of leaving its streams silent."""
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler(
            {"message": "the feed has failed", "exception": error, "task": task}
        )


def build(settings: Settings) -> Exchange:
    """Load recordings, create markets and set the clock."""
    recordings = {symbol: replay.load(path) for symbol, path in settings.replay}
    if len(recordings) < len(settings.replay):
        raise SimulatorError("each symbol can be replayed from one file")
    if not recordings and not settings.symbols:
        raise SimulatorError("nothing to simulate: give a recording or symbols")
    repeated = recordings.keys() & set(settings.symbols)
    if repeated:
        raise SimulatorError(f"both replayed and seeded: {', '.join(sorted(repeated))}")
    start_us = _start(settings, list(recordings.values()))
    end_us = _seeded_end(settings, start_us)
    if recordings:
        end_us = max(recording.end_us for recording in recordings.values())
    clock = Clock(start_us, speed=settings.speed, end_us=end_us, held=settings.wait_for > 0)
    symbols = dict.fromkeys(settings.symbols)
    rates = [settings.rate] * len(symbols)
    if settings.total_rate is not None:
        rates = assets.uneven(settings.total_rate, len(symbols))
    markets = [Market(source.asset(symbol), source) for symbol, source in recordings.items()]
    usual = sum(rates) / len(rates) if rates else settings.rate

    def make_source(asset: Asset, genesis_us: int, rate: float | None = None) -> Source:
        return SeededMarket(
            asset,
            seed=settings.seed,
            rate=usual if rate is None else rate,
            tombstones=settings.tombstones,
            quiet=settings.quiet,
            genesis_us=genesis_us,
            end_us=end_us,
        )

    for symbol, rate in zip(symbols, rates, strict=True):
        asset = assets.asset(symbol)
        markets.append(Market(asset, make_source(asset, settings.genesis_us, rate)))
    return Exchange(
        markets,
        clock,
        make_source,
        limits=settings.limits,
        faults=settings.faults,
        wait_for=settings.wait_for,
        ping_s=settings.ping_s,
        lifetime_s=settings.lifetime_s,
    )


@asynccontextmanager
async def serving(
    exchange: Exchange, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Serve an exchange; yields its base address, such as `http://127.0.0.1:40123`."""
    # The gate logs requests; aiohttp's access log would cost more than the requests.
    # Longer lines are for the exchange to refuse, in its own way.
    runner = web.AppRunner(
        exchange.app(), access_log=None, shutdown_timeout=1.0, max_line_size=8 * MAX_ADDRESS_BYTES
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


def iso_us(text: str) -> int:
    """Parse an ISO time (UTC by default) as microseconds since the epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SimulatorError(f"{text!r} is not a time such as 2024-01-02T03:04:05Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


def _start(settings: Settings, recordings: list[Recording]) -> int:
    at = settings.start_at
    if at is not None and not _is_number(at):
        return iso_us(at)
    if not recordings:
        if at is not None:
            raise SimulatorError("seeded trades start at a time such as 2024-01-02T03:04:05Z")
        return real_time_us()
    if at is None:
        return min(recording.start_us for recording in recordings) - 1
    # A share or number of the first recording's trades that are in the past at the start.
    recording = recordings[0]
    past = int(at) if at.isdecimal() else int(float(at) * len(recording))
    if not 0 <= past <= len(recording) or ("." in at and float(at) > 1):
        raise SimulatorError(f"start {at}: the recording has {len(recording)} trades")
    return recording.time_of(past) - 1 if past < len(recording) else recording.end_us


def _seeded_end(settings: Settings, start_us: int) -> int | None:
    at = settings.end_at
    if at is None:
        return None
    if at.startswith("+") and _is_number(at[1:]):
        return start_us + int(float(at[1:]) * 1_000_000)
    return iso_us(at)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
