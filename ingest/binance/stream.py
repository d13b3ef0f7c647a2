"""The live trades of any number of symbols, over as many connections as they need."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

import aiohttp

from ingest.core.trade import Trade

from .connection import ConnectionLost, StreamConnection
from .limits import CONNECTION_ATTEMPTS, LONGEST_PAUSE_S, SlidingLimit, pause_before
from .page import Malformed
from .parse import Batch

MAX_STREAMS_PER_CONNECTION: Final = 1024
MAX_AGE_S: Final = 23.5 * 3600
"""The exchange cuts a connection after 24 h; a fresh one takes over before."""

OVERLAP_S: Final = 2.0
"""How long a fresh connection runs beside the one that it replaces."""

STALL_S: Final = 10.0

_log = logging.getLogger(__name__)


class StreamHandler(Protocol):
    """Who gets the trades. The calls come from the event loop and must not block."""

    def on_trades(self, symbol: str, trades: list[Trade]) -> None:
        """Trades as they came: repeats, jumps and disorder are for the taker to see."""

    def on_connected(self, symbols: Sequence[str]) -> None:
        """From now on the trades of `symbols` come; what was before is for REST."""

    def on_disconnected(self, symbols: Sequence[str], reason: str) -> None:
        """The trades of `symbols` do not come any more; reconnecting goes on by itself."""

    def on_malformed(self, malformed: Malformed, symbols: Collection[str]) -> None:
        """A message that is no valid trade of one of `symbols`: those of its connection, or the
        one that it names."""


class StreamStatistics(NamedTuple):
    """Counts since the start; `connected` and `symbols` as of now."""

    connections: int
    connected: int
    symbols: int
    attempts: int
    lost: int
    replaced: int
    trades: int
    malformed: int
    unexpected: int


class _Line:
    """A connection in use, the task that reads it, and when it is to be replaced."""

    def __init__(self, connection: StreamConnection, replace_at: float) -> None:
        self.connection = connection
        self.replace_at = replace_at
        self.failures = 0
        self.reader = asyncio.create_task(connection.read())

    async def end(self, reason: str) -> str:
        self.connection.end(reason)
        return await self.reader


class _Shard:
    """The symbols of one connection, and what wakes its supervisor."""

    def __init__(self) -> None:
        self.symbols: set[str] = set()
        self.wake = asyncio.Event()
        self.line: _Line | None = None
        self.task: asyncio.Task[None] | None = None


class TradeStream:
    """Combined streams at `base_url` (`wss://stream.binance.com:9443`).

    Connects and reconnects by itself, from `add` until `close`. Before the exchange cuts a
    connection, and when it announces to, a fresh one takes over without a trade lost.
    """

    def __init__(
        self,
        base_url: str,
        handler: StreamHandler,
        *,
        streams_per_connection: int = MAX_STREAMS_PER_CONNECTION,
        max_age: float = MAX_AGE_S,
        overlap: float = OVERLAP_S,
        stall: float = STALL_S,
    ) -> None:
        """`max_age`, `overlap` and `stall` are in seconds."""
        if not 1 <= streams_per_connection <= MAX_STREAMS_PER_CONNECTION:
            raise ValueError(
                f"Streams per connection are 1 to {MAX_STREAMS_PER_CONNECTION}: "
                f"{streams_per_connection}"
            )
        self._url = base_url.rstrip("/") + "/stream"
        self._handler = handler
        self._per_connection = streams_per_connection
        self._max_age = max_age
        self._overlap = overlap
        self._stall = stall
        self._attempts = SlidingLimit(*CONNECTION_ATTEMPTS)
        self._session: aiohttp.ClientSession | None = None
        self._shards: list[_Shard] = []
        self._shard_of: dict[str, _Shard] = {}
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._counts = dict.fromkeys(
            ("attempts", "lost", "replaced", "trades", "malformed", "unexpected"), 0
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def add(self, symbols: Iterable[str]) -> None:
        """Follow more symbols; `on_connected` tells when their trades come."""
        for symbol in symbols:
            if symbol in self._shard_of:
                continue
            shard = self._shard_with_room()
            shard.symbols.add(symbol)
            self._shard_of[symbol] = shard
            shard.wake.set()

    def remove(self, symbols: Iterable[str]) -> None:
        """Follow symbols no longer; none of their trades is delivered after this."""
        for symbol in symbols:
            shard = self._shard_of.pop(symbol, None)
            if shard is not None:
                shard.symbols.discard(symbol)
                shard.wake.set()

    def pause(self) -> None:
        """Read nothing until `resume`. A pause that lasts makes the exchange cut."""
        self._resumed.clear()
        for shard in self._shards:
            if shard.line is not None:
                shard.line.connection.pause()

    def resume(self) -> None:
        """Read on after `pause`."""
        self._resumed.set()
        for shard in self._shards:
            if shard.line is not None:
                shard.line.connection.resume()
            shard.wake.set()

    async def close(self) -> None:
        """End every connection; nothing is delivered or told after this."""
        for shard in self._shards:
            shard.symbols.clear()
        tasks = [shard.task for shard in self._shards if shard.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def heard_ms(self, symbol: str) -> int:
        """Time of the newest trade, of any symbol, on the connection of this one; 0 if none."""
        shard = self._shard_of.get(symbol)
        return shard.line.connection.heard_ms if shard is not None and shard.line else 0

    def statistics(self) -> StreamStatistics:
        """Counts for monitoring."""
        return StreamStatistics(
            connections=len(self._shards),
            connected=sum(shard.line is not None for shard in self._shards),
            symbols=len(self._shard_of),
            **self._counts,
        )

    def _shard_with_room(self) -> _Shard:
        for shard in self._shards:
            if len(shard.symbols) < self._per_connection:
                return shard
        shard = _Shard()
        shard.task = asyncio.create_task(self._supervise(shard))
        self._shards.append(shard)
        return shard

    async def _supervise(self, shard: _Shard) -> None:
        """Keep one shard connected for as long as it has symbols."""
        failures, wait = 0, 0.0
        while True:
            while not shard.symbols:
                await shard.wake.wait()
                shard.wake.clear()
            if failures:
                await asyncio.sleep(max(wait, pause_before(failures)))
            await self._resumed.wait()
            wait = 0.0
            started = asyncio.get_running_loop().time()
            try:
                await self._serve(shard)
            except ConnectionLost as error:
                _log.warning("%s", error)
                wait = error.retry_after
            except Exception:
                _log.exception("A stream connection failed and is made anew")
            lived = asyncio.get_running_loop().time() - started
            failures = 1 if lived > LONGEST_PAUSE_S else failures + 1

    async def _serve(self, shard: _Shard) -> None:
        """Connect, and deliver until the connection is lost or has no symbols left."""
        shard.line = await self._open(shard)
        try:
            self._handler.on_connected(sorted(shard.line.connection.subscribed))
            shard.line.connection.release()
            while shard.symbols:
                await self._sleep(shard, shard.line)
                if shard.line.reader.done():
                    break
                if not self._resumed.is_set():
                    shard.line.connection.pause()
                elif asyncio.get_running_loop().time() >= shard.line.replace_at:
                    shard.line = await self._replace(shard, shard.line)
                else:
                    await self._follow(shard, shard.line.connection)
        finally:
            line, shard.line = shard.line, None
            reason = await line.end("it is not needed any more")
            self._lost(shard, line, reason)

    def _lost(self, shard: _Shard, line: _Line, reason: str) -> None:
        """Tell which symbols have lost their connection."""
        symbols = sorted(line.connection.subscribed & shard.symbols)
        if symbols:
            self._counts["lost"] += 1
            self._handler.on_disconnected(symbols, reason)

    async def _sleep(self, shard: _Shard, line: _Line) -> None:
        """Wait until something is to be done for the shard."""
        timer = asyncio.get_running_loop().call_at(line.replace_at, shard.wake.set)
        try:
            await shard.wake.wait()
            shard.wake.clear()
        finally:
            timer.cancel()

    async def _open(self, shard: _Shard) -> _Line:
        """A fresh connection with all symbols of the shard, holding its trades."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        loop = asyncio.get_running_loop()
        await self._attempts.wait()
        self._counts["attempts"] += 1

        def replace_at_once() -> None:
            line.replace_at = loop.time()
            shard.wake.set()

        connection = StreamConnection(
            self._url,
            deliver=lambda batch: self._deliver(connection, batch),
            on_shutdown=replace_at_once,
            stall=self._stall,
        )
        await connection.open(self._session)
        line = _Line(connection, loop.time() + self._max_age)
        line.reader.add_done_callback(lambda _: shard.wake.set())
        try:
            await connection.subscribe(shard.symbols)
        except BaseException:
            await line.end("it could not be subscribed")
            raise
        return line

    async def _replace(self, shard: _Shard, old: _Line) -> _Line:
        """Let a fresh connection take over; returns the one that is in use after.

        The fresh one holds its trades while the old one delivers. What both have carried comes
        twice, which the ids tell; nothing is missing between them.
        """
        try:
            fresh = await self._open(shard)
        except ConnectionLost as error:
            _log.warning("%s", error)
            old.failures += 1
            pause = max(error.retry_after, pause_before(old.failures))
            old.replace_at = asyncio.get_running_loop().time() + pause
            return old
        try:
            unbroken = not old.reader.done()
            await asyncio.wait({old.reader}, timeout=self._overlap)
            reason = await old.end("a fresh connection takes over")
            if not unbroken:
                self._lost(shard, old, reason)
                self._handler.on_connected(sorted(fresh.connection.subscribed))
            self._counts["replaced"] += 1
            fresh.connection.release()
        except BaseException:
            await fresh.end("the change of connections failed")
            raise
        return fresh

    async def _follow(self, shard: _Shard, connection: StreamConnection) -> None:
        """Bring the subscriptions of a connection up to date."""
        added = shard.symbols - connection.subscribed
        try:
            await connection.unsubscribe(connection.subscribed - shard.symbols)
            await connection.subscribe(added)
        except ConnectionLost:
            return  # the reader has ended, and says so
        if added:
            self._handler.on_connected(sorted(added & shard.symbols))

    def _deliver(self, connection: StreamConnection, batch: Batch) -> None:
        counts = self._counts
        for symbol, trades in batch.trades.items():
            if symbol in self._shard_of:
                counts["trades"] += len(trades)
                connection.heard_ms = max(connection.heard_ms, trades[-1].timestamp)
                self._handler.on_trades(symbol, trades)
            else:
                counts["unexpected"] += len(trades)
        for malformed in batch.malformed:
            counts["malformed"] += 1
            symbols = connection.subscribed.intersection((malformed.symbol,))
            self._handler.on_malformed(malformed, symbols or connection.subscribed)
