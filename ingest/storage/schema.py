"""The tables.

| table | a row is |
|---|---|
| trades | one aggregate trade; a repeat of (symbol, aggregate_id) replaces it |
| moved | a stored trade that turns out to have another time, while it is taken out |
| minutes | one closed minute with trades, recomputed whole from them |
| timeframes | one (symbol, timeframe) in use |
| levels | a timeframe that is kept of a symbol though it may not be in use |
| candles | one bucket that ended of such a pair, recomputed whole from the minutes |
| progress | which minutes of a symbol have to be recomputed after a crash |
| confirmed_gaps | ids that the exchange itself does not have |
| followed | symbols that were chosen at run time, to be followed or not |
| jobs | what is known of a job, by revision; the newest counts |
| job_lines | a line that a job gave |
| kept | from where on a symbol's trades and candles are kept |
| held | the lowest id of a symbol that was stored |
| begins | the id from which on a server has a symbol, where older trades came later |
| torn_parts | a part of a table that was set aside, for it cannot be read |
| malformed | a message that was no valid trade, kept aside |
| schema_version | a version of this schema that was applied |

Candles replace by their number of aggregate trades: an older, partial recomputation never wins
over a newer one, in whatever order they are stored.
"""

from __future__ import annotations

from ..core.errors import SettingError
from .connection import Connection

VERSION = 3
"""2 has levels, 3 the raw ids of candles. A program of an earlier version would not keep them up to
date; what such a program has stored is brought up to date by `upgrade`."""

STORED_VERSION = "SELECT max(version) FROM schema_version"
"""The version that the database has, 0 for a new one."""

MALFORMED_KEPT_DAYS = 30

_FSYNC = "fsync_after_insert = 1, fsync_part_directory = 1"

_SHORT_READS = "index_granularity = 512, min_compress_block_size = 8192"
"""Most reads of minutes want a few hundred rows of each symbol: with the engine's defaults they
would unpack 8192 of each."""

RAW_ID = "Int64 DEFAULT -1 CODEC(Delta(8), LZ4)"

_FIGURES = f"""
    open Decimal(38, 8) CODEC(LZ4),
    high Decimal(38, 8) CODEC(LZ4),
    low Decimal(38, 8) CODEC(LZ4),
    close Decimal(38, 8) CODEC(LZ4),
    volume Decimal(38, 8) CODEC(LZ4),
    quote_volume Decimal(38, 16) CODEC(LZ4),
    trades_count Int64 CODEC(LZ4),
    taker_buy_volume Decimal(38, 8) CODEC(LZ4),
    taker_buy_quote_volume Decimal(38, 16) CODEC(LZ4),
    first_id Int64 CODEC(Delta(8), LZ4),
    last_id Int64 CODEC(Delta(8), LZ4),
    first_raw_id {RAW_ID},
    last_raw_id {RAW_ID},
    aggregates UInt64 CODEC(LZ4)"""
"""A new timeframe reads every minute there is, and most of that is unpacking: LZ4 does it in less
than half of ZSTD's time, for half as much disk again. Trades, which are the bulk, keep ZSTD."""

TABLES = {
    "trades": f"""
CREATE TABLE IF NOT EXISTS trades (
    symbol LowCardinality(String),
    aggregate_id Int64 CODEC(Delta(8), ZSTD(1)),
    price Decimal(38, 8) CODEC(ZSTD(1)),
    quantity Decimal(38, 8) CODEC(ZSTD(1)),
    first_trade_id Int64 CODEC(Delta(8), ZSTD(1)),
    last_trade_id Int64 CODEC(Delta(8), ZSTD(1)),
    timestamp Int64 CODEC(Delta(8), ZSTD(1)),
    is_buyer_maker Bool CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(timestamp, 'UTC'))
ORDER BY (symbol, aggregate_id)
SETTINGS {_FSYNC}""",
    "moved": f"""
CREATE TABLE IF NOT EXISTS moved (
    symbol LowCardinality(String),
    aggregate_id Int64,
    timestamp Int64
) ENGINE = MergeTree
ORDER BY (symbol, aggregate_id)
SETTINGS {_FSYNC}""",
    "minutes": f"""
CREATE TABLE IF NOT EXISTS minutes (
    symbol LowCardinality(String),
    candle_time Int64 CODEC(Delta(8), LZ4),{_FIGURES}
) ENGINE = ReplacingMergeTree(aggregates)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(candle_time, 'UTC'))
ORDER BY (symbol, candle_time)
SETTINGS {_FSYNC}, {_SHORT_READS}""",
    "timeframes": f"""
CREATE TABLE IF NOT EXISTS timeframes (
    symbol LowCardinality(String),
    timeframe UInt32,
    state Enum8('filling' = 1, 'ready' = 2, 'dropped' = 3)
) ENGINE = ReplacingMergeTree
ORDER BY (symbol, timeframe)
SETTINGS {_FSYNC}""",
    "levels": f"""
CREATE TABLE IF NOT EXISTS levels (
    symbol LowCardinality(String),
    timeframe UInt32
) ENGINE = ReplacingMergeTree
ORDER BY (symbol, timeframe)
SETTINGS {_FSYNC}""",
    "candles": f"""
CREATE TABLE IF NOT EXISTS candles (
    symbol LowCardinality(String),
    timeframe UInt32,
    candle_time Int64 CODEC(Delta(8), LZ4),{_FIGURES}
) ENGINE = ReplacingMergeTree(aggregates)
ORDER BY (symbol, timeframe, candle_time)
SETTINGS {_FSYNC}""",
    "confirmed_gaps": f"""
CREATE TABLE IF NOT EXISTS confirmed_gaps (
    symbol LowCardinality(String),
    from_id Int64,
    to_id Int64,
    tries UInt32,
    confirmed_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree
ORDER BY (symbol, from_id, to_id)
SETTINGS {_FSYNC}""",
    "followed": f"""
CREATE TABLE IF NOT EXISTS followed (
    symbol LowCardinality(String),
    is_followed Bool
) ENGINE = ReplacingMergeTree
ORDER BY symbol
SETTINGS {_FSYNC}""",
    "jobs": f"""
CREATE TABLE IF NOT EXISTS jobs (
    job_id UInt64,
    revision UInt64,
    record String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(revision)
ORDER BY job_id
SETTINGS {_FSYNC}""",
    "job_lines": f"""
CREATE TABLE IF NOT EXISTS job_lines (
    job_id UInt64,
    number UInt64,
    text String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
ORDER BY (job_id, number)
SETTINGS {_FSYNC}""",
    "progress": f"""
CREATE TABLE IF NOT EXISTS progress (
    symbol LowCardinality(String),
    tail_ms Int64,
    late_from_ms Int64,
    late_until_ms Int64,
    closed_ms Int64
) ENGINE = ReplacingMergeTree
ORDER BY symbol
SETTINGS {_FSYNC}""",
    "kept": f"""
CREATE TABLE IF NOT EXISTS kept (
    symbol LowCardinality(String),
    first_id Int64,
    trades_since_ms Int64,
    candles_since_ms Int64,
    whole_from_ms Int64
) ENGINE = ReplacingMergeTree
ORDER BY symbol
SETTINGS {_FSYNC}""",
    "held": f"""
CREATE TABLE IF NOT EXISTS held (
    symbol LowCardinality(String),
    first_id Int64
) ENGINE = ReplacingMergeTree
ORDER BY symbol
SETTINGS {_FSYNC}""",
    "begins": f"""
CREATE TABLE IF NOT EXISTS begins (
    symbol LowCardinality(String),
    first_id Int64
) ENGINE = ReplacingMergeTree
ORDER BY symbol
SETTINGS {_FSYNC}""",
    "torn_parts": f"""
CREATE TABLE IF NOT EXISTS torn_parts (
    table String,
    name String,
    found_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (table, name)
SETTINGS {_FSYNC}""",
    "malformed": f"""
CREATE TABLE IF NOT EXISTS malformed (
    received_at DateTime64(3, 'UTC'),
    symbol LowCardinality(String),
    raw String CODEC(ZSTD(1)),
    error String CODEC(ZSTD(1)),
    stored_at DateTime DEFAULT now()
) ENGINE = MergeTree
ORDER BY received_at
TTL stored_at + INTERVAL {MALFORMED_KEPT_DAYS} DAY""",
    "schema_version": """
CREATE TABLE IF NOT EXISTS schema_version (
    version UInt32,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree
ORDER BY version""",
}


def create(connection: Connection) -> int:
    """Create what is missing; returns the version that the database has, 0 for a new one.

    Raises SettingError for a database of a later version, StoreUnavailable on a full disk.
    """
    [[database]] = connection.rows("SELECT currentDatabase()")
    for name, table in TABLES.items():
        for statement in connection.layout.create(table, database):
            connection.define(name, statement)
    [[stored]] = connection.rows(STORED_VERSION)
    check_version(stored)
    return int(stored)


def check_version(version: int) -> None:
    """Raise SettingError for a database of a later version."""
    if version > VERSION:
        raise SettingError(
            f"The database has version {version} of the tables, this program knows {VERSION}: "
            "update the program or use another database"
        )


def note_version(connection: Connection) -> None:
    """Note that the database has the version of this program."""
    connection.note(
        "INSERT INTO schema_version (version) SELECT {version:UInt32}", {"version": VERSION}
    )
