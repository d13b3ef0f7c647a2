"""The embedded engine under the weather of a simulated world, and processes that end over it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

import pyarrow as pa

from ingest.core.errors import StoreUnavailable
from ingest.storage import Store
from ingest.storage.connection import Connection, Parameters, Row

from .weather import READ, Weather

P = ParamSpec("P")
T = TypeVar("T")

_CHANGED = re.compile(r"(?:INSERT INTO|DELETE FROM|ALTER TABLE) (\w+)")
_INSERTS = {
    "trades": "insert trades",
    "malformed": "insert malformed",
    "minutes": "write minutes",
    "candles": "write candles",
    "moved": "note moved",
    "progress": "note progress",
    "held": "note held",
    "kept": "note kept",
    "timeframes": "note timeframe",
    "levels": "note level",
    "confirmed_gaps": "note gap",
    "torn_parts": "note torn part",
}


def kind_of(sql: str) -> str:
    """The kind of a statement that writes, in the words of the model."""
    changed = _CHANGED.search(sql)
    if changed is None:
        return f"{sql.split()[0].lower()} {'view' if ' VIEW ' in sql else 'tables'}"
    table = changed[1]
    if sql.startswith("ALTER"):
        return f"expire {table}"
    if sql.startswith("DELETE"):
        return "forget moved" if table == "moved" else f"delete {table}"
    return _INSERTS.get(table, "create tables")


class EngineConnection(Connection):
    """One process' use of an engine that stays open: it shares the clients of a connection."""

    def __init__(self, opened: Connection, weather: Weather) -> None:
        self.__dict__.update(opened.__dict__)
        self.on_reopened = lambda: None
        self._set_aside = 0
        self._may_reopen_at = 0.0
        self._weather = weather
        self._is_dead = False

    @property
    def closed(self) -> bool:
        """Whether the process, or the engine, has ended."""
        return self._is_dead or not self._opened

    def close(self) -> None:
        """End the process, not the engine."""
        self._is_dead = True

    def now_s(self) -> float:
        """Seconds on the clock of the weather."""
        return self._weather.now_s()

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a call at once, after what the weather puts before it."""
        if self.closed:
            raise StoreUnavailable("The store is closed")
        await self._weather.before()
        result = call(*args, **kwargs)
        await self._weather.after()
        return result

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a query."""
        self._weather.statement(READ)
        return super().rows(sql, parameters)

    def formatted(self, sql: str, fmt: str, parameters: Parameters | None = None) -> bytes:
        """The result of a query as the engine itself formats it."""
        self._weather.statement(READ)
        return super().formatted(sql, fmt, parameters)

    async def stream(
        self, sql: str, fmt: str, parameters: Parameters | None = None
    ) -> AsyncIterator[bytes]:
        """The same in pieces."""
        self._weather.statement(READ)
        return await super().stream(sql, fmt, parameters)

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """A statement without a result."""
        kind = kind_of(sql.lstrip())
        self._weather.statement(kind)
        super().command(sql, parameters)
        self._weather.written(kind)

    def insert(self, table: str, data: pa.Table) -> None:
        """Insert rows."""
        self._weather.statement(_INSERTS[table])
        super().insert(table, data)
        self._weather.written(_INSERTS[table])

    def command_on_lines(self, sql: str, parameters: Parameters, lines: bytes) -> None:
        """An insert that the engine reads from lines."""
        kind = kind_of(sql.lstrip())
        self._weather.statement(kind)
        super().command_on_lines(sql, parameters, lines)
        self._weather.written(kind)


class EngineStore(Store):
    """One process' store over an open engine; another one over the same is the next process.

    All that it knows it reads from the tables. `close` ends it in order, `kill` as a killed process
    ends: its statements fail from then on, and the engine goes on.
    """

    def __init__(self, opened: Connection, weather: Weather) -> None:
        """Open the tables as a start of the process does; may raise what the weather raises."""
        self._start(EngineConnection(opened, weather))

    def kill(self) -> None:
        """End as a killed process does."""
        self.connection.close()
