"""Clients of the engine: how one is opened, and its errors in the words of this package."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error

from ..core.errors import SettingError, StoreInUse, StoreUnavailable
from .memory import release_library

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 120

EMBEDDED_OPTIONS = {"config-file": str(Path(__file__).with_name("engine.xml"))}
"""Options of the embedded engine; all clients of a process have to give the same."""

EMBEDDED_SETTINGS = {
    # The compiler takes 30 MB, and saves a tenth of the widest reads alone: years of minutes.
    "compile_aggregate_expressions": 0,
    "compile_expressions": 0,
    "compile_regular_expressions": 0,
    "compile_sort_description": 0,
    # Errors are known by code and text. For a stack trace the engine reads the symbols of each
    # library of the process, and keeps them.
    "calculate_text_stack_trace": 0,
    # Nothing reads the samples of the profilers; each thread of a statement sets two timers.
    "query_profiler_cpu_time_period_ns": 0,
    "query_profiler_real_time_period_ns": 0,
    "memory_profiler_step": 0,
}
"""Settings of statements to the embedded engine, apart from those that are the caller's."""

UNAVAILABLE_CODES = {
    33: "the data is cut short",
    74: "a file cannot be read",
    75: "a file cannot be written",
    76: "a file cannot be opened",
    159: "a query took too long",
    202: "too many queries at the same time",
    209: "a connection timed out",
    210: "a connection failed",
    241: "memory is short",
    242: "the table is read-only",
    243: "the disk is full",
    252: "too many parts are waiting to be merged",
    279: "no replica answers",
    285: "too few replicas are alive",
    319: "it is unknown whether the insert was stored",
    516: "user or password is wrong",
    999: "ClickHouse Keeper does not answer",
    1001: "the file system failed",
}
"""ClickHouse error codes that say nothing against the statement: it may be tried again."""


BROKEN_CODES = {33, 40, 107, 117, 246, 271}
"""Codes of a file that is missing or not what it should be; one of a table lies in `/store/`."""


class BrokenPart(StoreUnavailable):
    """The engine uses a part of a table that it cannot read."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what another try may mend into StoreUnavailable; a faulty statement stays as it is."""
    try:
        yield
    except Error as error:
        if error.code in BROKEN_CODES and "/store/" in str(error):
            raise BrokenPart(f"A part of a table cannot be read: {_short(error)}") from error
        if error.code is not None and error.code not in UNAVAILABLE_CODES:
            raise
        what = UNAVAILABLE_CODES.get(error.code or 0, "it does not answer")
        raise StoreUnavailable(f"The database is unavailable: {what}. {_short(error)}") from error
    except OSError as error:
        raise StoreUnavailable(f"The database is unavailable: {error}") from error


@contextmanager
def clear_refusal() -> Iterator[None]:
    """Turn the engine's refusal to create or read the tables into SettingError."""
    try:
        yield
    except Error as error:
        raise SettingError(
            "The database refuses to have its tables made or read: CANDLECAST_STORE names it and "
            f"its user, CANDLECAST_CLUSTER its cluster. {_short(error)}"
        ) from error


def open_client(dsn: str, settings: dict[str, Any]) -> Client:
    if dsn.startswith("chdb:"):
        try:
            client = clickhouse_connect.get_client(
                dsn=dsn, settings={**EMBEDDED_SETTINGS, **settings}, chdb_options=EMBEDDED_OPTIONS
            )
        except ClickHouseError as error:
            raise _embedded_fault(dsn, error) from error
        release_library()
        return client
    if not dsn.startswith(("http://", "https://")):
        raise SettingError(
            f"{dsn.partition(':')[0]}: is no database: use chdb:///path, http://... or https://..."
        )
    with clear_errors():
        return clickhouse_connect.get_client(
            dsn=dsn,
            settings=settings,
            autogenerate_session_id=False,
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=ANSWER_TIMEOUT_S,
        )


def database_path(dsn: str) -> Path:
    """Where an embedded database is."""
    return Path(urlsplit(dsn).path)


def _embedded_fault(dsn: str, error: ClickHouseError) -> StoreInUse | StoreUnavailable:
    path = database_path(dsn)
    holder = holder_of(path / "status")
    if holder:
        return StoreInUse(
            f"The database in {path} is open in another process ({holder}). "
            "End that one, or use a database of its own for each."
        )
    return StoreUnavailable(
        f"The database in {path} cannot be opened. Check that the directory can be written, "
        f"and that the process has no other database open. {_short(error)}"
    )


def holder_of(status: Path) -> str | None:
    """Who holds the engine's lock file, by its own words; None when nobody does."""
    try:
        with status.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                first = file.readline(100).decode("ascii", "replace").strip()
                return first or "unknown"
    except OSError:
        return None
    return None


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
