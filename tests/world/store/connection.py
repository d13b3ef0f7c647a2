"""A connection without an engine: it lets the weather in, and refuses every statement of SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, ParamSpec, TypeVar

import pyarrow as pa

from ingest.core.errors import StoreUnavailable
from ingest.storage.connection import Connection, Parameters, Row
from ingest.storage.engine import BrokenPart
from ingest.storage.layout import Layout
from ingest.storage.unsound import Part

from .disk import Disk
from .weather import READ, Weather

P = ParamSpec("P")
T = TypeVar("T")


class ModelConnection(Connection):
    """Stands between the parts of a store and its disk."""

    def __init__(self, disk: Disk, weather: Weather) -> None:
        self.dsn = "chdb:///model"
        self.layout = Layout()
        self.on_reopened = lambda: None
        self._set_aside = 0
        self._disk = disk
        self._weather = weather
        self._is_closed = False
        disk.is_damage_met = True  # a part that cannot be read is set aside when a table is opened

    def begin(self, kind: str) -> Disk:
        """The disk, for a statement of this kind that takes effect now."""
        if self._is_closed:
            raise StoreUnavailable("The store is closed")
        self._weather.statement(kind)
        if not self._disk.is_damage_met:
            self._disk.is_damage_met = True
            self._set_aside += 1
            self.on_reopened()
            raise BrokenPart("A part of a table cannot be read")
        return self._disk

    def reading(self) -> Disk:
        """The disk, for a statement that reads."""
        return self.begin(READ)

    def end(self, kind: str) -> None:
        """Acknowledge a statement that writes, begun before."""
        self._weather.written(kind)

    def now_s(self) -> float:
        """Seconds on the clock of the weather."""
        return self._weather.now_s()

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a call at once, after what the weather puts before it."""
        if self._is_closed:
            raise StoreUnavailable("The store is closed")
        await self._weather.before()
        result = call(*args, **kwargs)
        await self._weather.after()
        return result

    @contextmanager
    def on_disk(self) -> Iterator[None]:
        """Read whether all is on disk; it always is."""
        yield
        self.reading()

    def unsound_parts(self) -> list[Part]:
        """No part but those that are set aside already."""
        self.reading()
        return []

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def close(self) -> None:
        """Make no statement any more, as after the end of the process."""
        self._is_closed = True

    # What would need an engine -------------------------------------------------------------------

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """Not modelled."""
        _refuse(sql)

    def formatted(self, sql: str, fmt: str, parameters: Parameters | None = None) -> bytes:
        """Not modelled."""
        _refuse(sql)

    async def stream(
        self, sql: str, fmt: str, parameters: Parameters | None = None
    ) -> AsyncIterator[bytes]:
        """Not modelled."""
        _refuse(sql)

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """Not modelled."""
        _refuse(sql)

    def insert(self, table: str, data: pa.Table) -> None:
        """Not modelled."""
        _refuse(f"INSERT INTO {table}")

    def command_on_lines(self, sql: str, parameters: Parameters, lines: bytes) -> None:
        """Not modelled."""
        _refuse(sql)


def _refuse(sql: str) -> NoReturn:
    raise AssertionError(f"This statement is not modelled: {sql}")
