"""Connections to ClickHouse: `chdb:///path` embeds the engine, `http(s)://...` is a server.

A client of the embedded engine answers one call at a time, so a connection keeps a few of them
and lends one to each call. All calls block; `run` does them in threads.
"""

from __future__ import annotations

import asyncio
import functools
import io
import queue
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from ..core.errors import SettingError, StoreUnavailable
from . import unsound
from .definitions import forget_unwritten_views, is_written
from .engine import BrokenPart, clear_errors, database_path, holder_of, open_client
from .layout import CLUSTER_SETTINGS, Layout
from .parts import PARTS, PartFiles
from .unsound import Part

P = ParamSpec("P")
T = TypeVar("T")
Row = tuple[Any, ...]
Parameters = Mapping[str, object]

CLIENTS = 4
"""Calls that run at the same time; more wait for their turn."""

PIECE_BYTES = 65_536
"""Most of a streamed result that is handed over at once."""

LINES = "/* lines */"
"""Where a statement reads the lines that go with it; each is a row of one column, `line`."""

SETTINGS = {
    "async_insert": 0,
    "do_not_merge_across_partitions_select_final": 1,
    "max_partitions_per_insert_block": 0,
    "output_format_json_array_of_rows": 1,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 0,
    "output_format_decimal_trailing_zeros": 0,
}
"""An insert is stored before it is acknowledged. A trade has one timestamp, so its repeats are
all in one partition and FINAL need not merge across them. Decimals are JSON numbers without
trailing zeros."""

REOPEN_EVERY_S = 10.0
"""The least time from one reopening for the sake of a reader to the next."""


class Connection:
    """A few clients to one database; usable from any thread."""

    def __init__(self, dsn: str, cluster: str = "") -> None:
        """Open the database, and create it on disk where it does not exist.

        Raises StoreInUse when another process has the embedded database open, StoreUnavailable
        when it does not answer, SettingError when the DSN is of neither kind.
        """
        self.dsn = dsn
        self.layout = Layout(cluster)
        if cluster and self.is_embedded:
            raise SettingError(
                "An embedded database has no cluster: leave CANDLECAST_CLUSTER empty, or let "
                "CANDLECAST_STORE name a server by http(s)://"
            )
        self._settings = {**SETTINGS, **(CLUSTER_SETTINGS if cluster else {})}
        if self.is_embedded and not holder_of(database_path(dsn) / "status"):
            forget_unwritten_views(database_path(dsn))
        self._opened = [open_client(dsn, self._settings)]
        self._idle: queue.LifoQueue[Client | None] = queue.LifoQueue()
        """Clients that nobody uses; None stands for one that was never needed yet."""
        for client in [None] * (CLIENTS - 1) + self._opened:
            self._idle.put(client)
        self._threads = ThreadPoolExecutor(CLIENTS, thread_name_prefix="store")
        self._parts = PartFiles()
        self._alone = threading.Lock()
        self._may_reopen_at = 0.0
        self._half_open = False
        self._times_opened = 0
        """How often the tables were opened anew."""
        self._set_aside = 0
        """How many parts were set aside."""
        self.on_reopened: Callable[[], object] = lambda: None
        """Called when parts were found broken, and the engine does without them from now on."""

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.dsn.startswith("chdb:")

    def now_s(self) -> float:
        """Seconds on a clock that only goes forward."""
        return time.monotonic()

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a blocking call in one of the connection's own threads."""
        if self.closed:
            raise StoreUnavailable("The store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(call, *args, **kwargs))

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a query; values are bound as `{name:Type}`."""
        with self._client() as client:
            return cast("list[Row]", client.query(sql, parameters=_dict(parameters)).result_rows)

    def formatted(self, sql: str, fmt: str, parameters: Parameters | None = None) -> bytes:
        """The result of a query as the engine itself formats it."""
        with self._client() as client:
            return client.raw_query(sql, parameters=_dict(parameters), fmt=fmt)

    async def stream(
        self, sql: str, fmt: str, parameters: Parameters | None = None
    ) -> AsyncIterator[bytes]:
        """The same in pieces, as the engine gives them.

        Errors come before this returns: a server sends nothing before it has all.
        Whatever time the reader takes, the client is free again as soon as the engine is done, so
        this is for results of a bounded size.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        def read() -> None:
            settings = None if self.is_embedded else {"wait_end_of_query": 1}
            with self._client() as client:
                stream = cast(
                    "io.RawIOBase",
                    client.raw_stream(
                        sql, parameters=_dict(parameters), settings=settings, fmt=fmt
                    ),
                )
                try:
                    while piece := stream.read(PIECE_BYTES):
                        loop.call_soon_threadsafe(pieces.put_nowait, piece)
                finally:
                    stream.close()

        reading = asyncio.ensure_future(self.run(read))
        reading.add_done_callback(lambda _: pieces.put_nowait(b""))
        first = await pieces.get()
        if not first:
            await reading

        async def rest() -> AsyncIterator[bytes]:
            piece = first
            while piece:
                yield piece
                piece = await pieces.get()
            await reading

        return rest()

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """A statement without a result."""
        with self._client() as client:
            client.command(sql, parameters=_dict(parameters))

    def insert(self, table: str, data: pa.Table) -> None:
        """Insert rows; only `on_disk` says whether they are there to stay."""
        with self._client() as client:
            client.insert_arrow(table, data)

    def note(self, sql: str, parameters: Parameters | None = None) -> None:
        """A statement that inserts a few rows; they are on disk when this returns."""
        with self.on_disk():
            self.command(sql, parameters)

    def command_on_lines(self, sql: str, parameters: Parameters, lines: bytes) -> None:
        """An `INSERT ... SELECT ... FROM` LINES that the engine reads from these bytes."""
        with self._client() as client:
            if not self.is_embedded:
                statement = sql.replace(LINES, "input('line String')") + " FORMAT LineAsString"
                client.command(statement, parameters=dict(parameters), data=lines)
                return
            with tempfile.TemporaryFile() as file:  # it has no name that a kill could leave behind
                file.write(lines)
                file.seek(0)
                source = "file({path:String}, 'LineAsString', 'line String')"
                values = {**parameters, "path": f"/dev/fd/{file.fileno()}"}
                client.command(sql.replace(LINES, source), parameters=values)

    @contextmanager
    def on_disk(self) -> Iterator[None]:
        """Around statements that write: what they have written is on disk when this ends.

        Raises StoreUnavailable when anything that the engine has acknowledged since it began is
        not, of whichever caller: the tables are opened anew then, and it has to be written again.
        """
        opened = self._times_opened
        yield
        if not self.is_embedded:
            return
        if self._parts.broken(self._part_sizes()) and (
            broken := self._parts.broken(self._part_sizes())  # not just dropped in between
        ):
            self._reopen_tables()
            raise BrokenPart(f"The disk is full, or fails: {broken[0]} was not written")
        if self._times_opened != opened:
            raise StoreUnavailable(
                "The tables were opened anew meanwhile, so what was written has to be written again"
            )

    def define(self, name: str, statement: str, parameters: Parameters | None = None) -> None:
        """Create a table or view of this name; its definition is on disk when this returns."""
        self.command(statement, parameters)
        if self.is_embedded and not is_written(database_path(self.dsn), name):
            self.command(f"DROP TABLE IF EXISTS `{name}` SYNC")
            raise StoreUnavailable(f"The disk is full, or fails: {name} was not written")

    def _part_sizes(self) -> list[tuple[str, int]]:
        return cast("list[tuple[str, int]]", self.rows(PARTS))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._opened

    def close(self) -> None:
        """Let running calls end, then close the database. Closing twice does nothing."""
        self._threads.shutdown(wait=True)
        while self._opened:
            self._opened.pop().close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        if self._half_open:
            self._reopen_tables()
        try:
            with self._lent() as client, clear_errors():
                yield client
        except BrokenPart as error:
            self._do_without(error)
            raise

    @contextmanager
    def _lent(self) -> Iterator[Client]:
        if self.closed:
            raise StoreUnavailable("The store is closed")
        client = self._idle.get()
        try:
            if client is None:
                client = open_client(self.dsn, self._settings)
                self._opened.append(client)
            yield client
        finally:
            self._idle.put(client)

    def retrying(self, action: Callable[[], None]) -> None:
        """Do something, again after each part that was set aside because it cannot be read."""
        while True:
            before = self._set_aside
            try:
                action()
                return
            except BrokenPart:
                if self._set_aside == before:
                    raise

    def unsound_parts(self) -> list[Part]:
        """The parts that are not what their checksums say; reads all that is stored.

        A cluster's replicas mend such parts from one another.
        """
        if self.layout.cluster:
            return []
        with self._client() as client:
            return unsound.unsound_parts(client)

    def set_aside(self, parts: Iterable[Part]) -> None:
        """Do without these parts from now on."""
        with self._client() as client:
            count = sum(unsound.set_aside(client, part) for part in parts)
        if count:
            self._set_aside += count
            self.on_reopened()

    def _do_without(self, error: BrokenPart) -> None:
        """Let the engine find a broken part by itself, else set it aside."""
        if self.layout.cluster:
            return
        if self.is_embedded and self.now_s() >= self._may_reopen_at:
            self._reopen_tables()
        with self._client() as client:
            parts = unsound.unsound_part_of(client, error.__cause__ or error)
        if parts:
            self.set_aside(parts)

    @contextmanager
    def alone(self) -> Iterator[Client]:
        """Lend a client while no other call runs; others wait."""
        with self._alone:
            idle = [self._idle.get() for _ in range(CLIENTS)]
            try:
                with clear_errors():
                    yield next(each for each in idle if each is not None)
            finally:
                for each in idle:
                    self._idle.put(each)

    def _reopen_tables(self) -> None:
        """Open the tables anew, once no call runs."""
        with self.alone() as client:
            self._half_open = True
            self._times_opened += 1
            try:
                unsound.reopen_tables(client)
                self._half_open = False
            finally:
                self._may_reopen_at = self.now_s() + REOPEN_EVERY_S
        self.on_reopened()


def _dict(parameters: Parameters | None) -> dict[str, Any] | None:
    return None if parameters is None else dict(parameters)
