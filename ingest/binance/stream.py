"""Live streams of any number of symbols, over as many connections as they need."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterable, KeysView, Sequence
from typing import Final, Generic, Self

from .connection import B, ConnectionLost, StreamConnection
from .limits import CONNECTION_ATTEMPTS, LONGEST_PAUSE_S, SlidingLimit, pause_before
from .network import Network

MAX_STREAMS_PER_CONNECTION: Final = 1024
MAX_AGE_S: Final = 23.5 * 3600
"""The exchange cuts a connection after 24 h; a fresh one takes over before."""

OVERLAP_S: Final = 2.0
"""How long a fresh connection runs beside the one that it replaces."""

STALL_S: Final = 10.0

_log = logging.getLogger(__name__)


class _Line(Generic[B]):
    """A connection in use, the task that reads it, and when it is to be replaced."""

    def __init__(self, connection: StreamConnection[B], replace_at: float) -> None:
        self.connection = connection
        self.replace_at = replace_at
        self.failures = 0
        self.reader = asyncio.create_task(connection.read())

    async def end(self, reason: str) -> str:
        self.connection.end(reason)
        return await self.reader


class _Shard(Generic[B]):
    """The symbols of one connection, and what wakes its supervisor."""

    def __init__(self) -> None:
        self.symbols: set[str] = set()
        self.wake = asyncio.Event()
        self.line: _Line[B] | None = None
        self.task: asyncio.Task[None] | None = None


class Stream(Generic[B]):
    """Combined streams at `base_url` (`wss://stream.binance.com:9443`), one for each symbol.

    Connects and reconnects by itself, from `add` until `close`. Before the exchange cuts a
    connection, and when it announces to, a fresh one takes over without a message lost.
    """

    def __init__(
        self,
        base_url: str,
        *,
        network: Network | None = None,
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
        self._network = network or Network()
        self._url = base_url.rstrip("/") + "/stream"
        self._per_connection = streams_per_connection
        self._max_age = max_age
        self._overlap = overlap
        self._stall = stall
        self._attempts = SlidingLimit(*CONNECTION_ATTEMPTS)
        self._shards: list[_Shard[B]] = []
        self._shard_of: dict[str, _Shard[B]] = {}
        self._resumed = asyncio.Event()
        self._resumed.set()
        self.attempts = self.lost = self.replaced = 0
        """Connections tried, lost, and replaced by a fresh one in time."""

    def add(self, symbols: Iterable[str]) -> None:
        """Follow more symbols."""
        for symbol in symbols:
            if symbol in self._shard_of:
                continue
            shard = self._shard_with_room()
            shard.symbols.add(symbol)
            self._shard_of[symbol] = shard
            shard.wake.set()

    def remove(self, symbols: Iterable[str]) -> None:
        """Follow symbols no longer; nothing of theirs is delivered after this."""
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
        """End every connection; nothing is delivered or called after this."""
        for shard in self._shards:
            shard.symbols.clear()
        tasks = [shard.task for shard in self._shards if shard.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def heard_ms(self, symbol: str) -> int:
        """Time of the newest message on the connection of a symbol; 0 if none."""
        shard = self._shard_of.get(symbol)
        return shard.line.connection.heard_ms if shard is not None and shard.line else 0

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return sum(shard.line is not None for shard in self._shards)

    @property
    def symbols(self) -> KeysView[str]:
        """The symbols that are followed."""
        return self._shard_of.keys()

    def _shard_with_room(self) -> _Shard[B]:
        for shard in self._shards:
            if len(shard.symbols) < self._per_connection:
                return shard
        shard = _Shard[B]()
        shard.task = asyncio.create_task(self._supervise(shard))
        self._shards.append(shard)
        return shard

    async def _supervise(self, shard: _Shard[B]) -> None:
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

    async def _serve(self, shard: _Shard[B]) -> None:
        """Connect, and deliver until the connection is lost or has no symbols left."""
        shard.line = await self._open(shard)
        try:
            self._connected(sorted(shard.line.connection.subscribed))
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

    def _lost(self, shard: _Shard[B], line: _Line[B], reason: str) -> None:
        """Say which symbols have lost their connection."""
        symbols = sorted(line.connection.subscribed & shard.symbols)
        if symbols:
            self.lost += 1
            self._disconnected(symbols, reason)

    async def _sleep(self, shard: _Shard[B], line: _Line[B]) -> None:
        """Wait until something is to be done for the shard."""
        timer = asyncio.get_running_loop().call_at(line.replace_at, shard.wake.set)
        try:
            await shard.wake.wait()
            shard.wake.clear()
        finally:
            timer.cancel()

    async def _open(self, shard: _Shard[B]) -> _Line[B]:
        """A fresh connection with all symbols of the shard, holding what comes."""
        loop = asyncio.get_running_loop()
        await self._attempts.wait()
        self.attempts += 1

        def replace_at_once() -> None:
            line.replace_at = loop.time()
            shard.wake.set()

        connection: StreamConnection[B] = StreamConnection(
            self._url,
            name=self._name,
            parse=self._parse,
            deliver=lambda batch: self._deliver(connection, batch),
            on_shutdown=replace_at_once,
            stall=self._stall,
        )
        await connection.open(self._network)
        line = _Line(connection, loop.time() + self._max_age)
        line.reader.add_done_callback(lambda _: shard.wake.set())
        try:
            await connection.subscribe(shard.symbols)
        except BaseException:
            await line.end("it could not be subscribed")
            raise
        return line

    async def _replace(self, shard: _Shard[B], old: _Line[B]) -> _Line[B]:
        """Let a fresh connection take over; returns the one that is in use after.

        The fresh one holds what comes while the old one delivers. What both have carried comes
        twice; nothing is missing between them.
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
                self._connected(sorted(fresh.connection.subscribed))
            self.replaced += 1
            fresh.connection.release()
        except BaseException:
            await fresh.end("the change of connections failed")
            raise
        return fresh

    async def _follow(self, shard: _Shard[B], connection: StreamConnection[B]) -> None:
        """Bring the subscriptions of a connection up to date."""
        added = shard.symbols - connection.subscribed
        try:
            await connection.unsubscribe(connection.subscribed - shard.symbols)
            await connection.subscribe(added)
        except ConnectionLost:
            return  # the reader has ended, and says so
        if added:
            self._connected(sorted(added & shard.symbols))

    @abstractmethod
    def _name(self, symbol: str) -> str:
        """The name of a symbol's stream."""

    @abstractmethod
    def _parse(self, messages: list[bytes]) -> B:
        """Messages sorted."""

    @abstractmethod
    def _deliver(self, connection: StreamConnection[B], batch: B) -> None:
        """Hand messages over; an error makes the connection anew."""

    @abstractmethod
    def _connected(self, symbols: Sequence[str]) -> None:
        """The streams of these symbols come from now on."""

    @abstractmethod
    def _disconnected(self, symbols: Sequence[str], reason: str) -> None:
        """The streams of these symbols do not come any more."""
