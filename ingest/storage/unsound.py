"""Parts of tables whose files are not what their checksums say: found, and set aside.

A part that is set aside stays in the directory `detached` of its table.
"""

from __future__ import annotations

import json
import logging
import re
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

log = logging.getLogger(__name__)

_TABLES = (
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    " UNION DISTINCT SELECT table FROM system.detached_tables WHERE database = currentDatabase()"
)

_PATH = re.compile(r"/store/[0-9a-f]{3}/([0-9a-f-]{36})/([A-Za-z0-9_-]+)")
"""The path of a part in the engine's words: the table's UUID and the part's name."""

_NO_SUCH_PART = 232


class Part(NamedTuple):
    """A part of a table."""

    table: str
    name: str


def unsound_parts(client: Client) -> list[Part]:
    """Read all that is stored, and give the parts that are not sound."""
    return [part for table in _tables(client) for part in _failing(client, table)]


def unsound_part_of(client: Client, error: BaseException) -> list[Part]:
    """The part that an error of the engine names, when it is in use and not sound."""
    named = _PATH.search(str(error))
    if named is None:
        return []
    uuid, name = named.groups()
    rows = client.query(
        "SELECT table FROM system.parts WHERE database = currentDatabase() AND active"
        " AND name = {name:String} AND position(path, {uuid:String}) > 0",
        parameters={"uuid": uuid, "name": name},
    ).result_rows
    return [part for (table,) in rows for part in _failing(client, table, f"PART '{name}'")]


def set_aside(client: Client, part: Part) -> bool:
    """Let the engine do without a part; False when it is there no longer."""
    log.warning("The part %s of the table %s is not what its checksums say", part.name, part.table)
    try:
        client.command(f"ALTER TABLE {part.table} DETACH PART '{part.name}'")
    except Error as error:
        if error.code != _NO_SUCH_PART:
            raise
        return False
    return True


def reopen_tables(client: Client) -> None:
    """Let the engine look at its files again, as at a start; nothing else may run meanwhile.

    A disk that runs full during a merge can leave the result in use though it is not whole. The
    engine sets such a part aside when it opens the table, and goes back to those that it was made
    of.
    """
    log.warning("A part of a table cannot be read: the tables are opened anew")
    for table in _tables(client):
        client.command(f"ATTACH TABLE IF NOT EXISTS {table}")
        client.command(f"DETACH TABLE {table} SYNC")
        client.command(f"ATTACH TABLE {table}")


def _tables(client: Client) -> list[str]:
    return [table for (table,) in client.query(_TABLES).result_rows]


def _failing(client: Client, table: str, part: str = "") -> list[Part]:
    """The parts of a table, or the one, that fail the engine's own check."""
    check = f"CHECK TABLE {table} {part} SETTINGS check_query_single_value_result = 0"
    try:
        answer = client.raw_query(check, fmt="JSONCompactEachRow")
    except Error as error:
        if error.code == _NO_SUCH_PART:  # merged meanwhile
            return []
        raise
    rows = map(json.loads, answer.splitlines())
    return [Part(table, name) for name, is_sound, _ in rows if not is_sound]
