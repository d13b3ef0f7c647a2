# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Trades as lines of the exchange's archive: the engine parses them, none becomes an object.

Columns: id, price, quantity, first id, last id, time, is buyer maker and, on spot, is best match.
Times are milliseconds or microseconds, distinguished by their magnitude.
"""

from __future__ import annotations

from clickhouse_connect.driver.exceptions import DatabaseError

from ..core.errors import MalformedTrade
from ..core.fixed import MAX_FIXED, text
from ..core.trade import MAX_NOTIONAL, MAX_RAW_TRADES
from .connection import LINES, Connection

FIRST_MICROSECOND_TIME = 10**14
"""As milliseconds this would be the year 5138."""

_INVALID_CODES = (
    395,  # throwIf
    407,  # a product of decimals that overflows
)

_PLAIN = r"'^[0-9]{1,11}(\\.[0-9]{1,8})?$'"
_MAX_DECIMAL = f"toDecimal128('{text(MAX_FIXED)}', 8)"
_MAX_NOTIONAL = text(MAX_NOTIONAL, 16)

_TIME = f"if(raw_time >= {FIRST_MICROSECOND_TIME}, intDiv(raw_time, 1000), raw_time)"

_INSERT = f"""
INSERT INTO trades (symbol, aggregate_id, price, quantity, first_trade_id, last_trade_id,
    timestamp, is_buyer_maker)
SELECT {{symbol:String}}, assumeNotNull(id), assumeNotNull(price), assumeNotNull(quantity),
    assumeNotNull(first), assumeNotNull(last), assumeNotNull(time), maker IN ('True', 'true')
FROM (
    SELECT splitByChar(',', line) AS columns,
        toInt64OrNull(columns[1]) AS id,
        toDecimal128OrNull(columns[2], 8) AS price,
        toDecimal128OrNull(columns[3], 8) AS quantity,
        toInt64OrNull(columns[4]) AS first,
        toInt64OrNull(columns[5]) AS last,
        toInt64OrNull(columns[6]) AS raw_time,
        {_TIME} AS time,
        columns[7] AS maker,
        length(columns) IN (7, 8) AND match(columns[2], {_PLAIN}) AND match(columns[3], {_PLAIN})
            AND maker IN ('True', 'true', 'False', 'false')
            AND ifNull(id >= 0 AND time >= {{since:Int64}} AND time < {{until:Int64}} AND (
                first = -1 AND last = -1 AND price = 0 AND quantity = 0
                OR first >= 0 AND first <= last AND last - first < {MAX_RAW_TRADES}
                    AND price > 0 AND quantity > 0
                    AND price <= {_MAX_DECIMAL} AND quantity <= {_MAX_DECIMAL}
                    AND price * quantity <= {_MAX_NOTIONAL}
            ), 0) AS valid
    FROM {LINES}
)
WHERE NOT throwIf(NOT valid)
"""

_FIND_MOVED = f"""
INSERT INTO moved (symbol, aggregate_id, timestamp)
SELECT DISTINCT {{symbol:String}}, stored.aggregate_id, stored.timestamp
FROM (
    SELECT aggregate_id, timestamp FROM trades WHERE symbol = {{symbol:String}}
        AND aggregate_id >= {{first:Int64}} AND aggregate_id <= {{last:Int64}}
) AS stored
INNER JOIN (
    SELECT toInt64OrNull(columns[1]) AS id, toInt64OrNull(columns[6]) AS raw_time, {_TIME} AS time
    FROM (SELECT splitByChar(',', line) AS columns FROM {LINES})
) AS new ON new.id = stored.aggregate_id
WHERE new.time != stored.timestamp
"""


def insert(connection: Connection, symbol: str, lines: bytes, since_ms: int, until_ms: int) -> None:
    """Store the trades of these lines, all with times in [since, until).

    Raises MalformedTrade when a line is no such trade: then some of the others may be stored.
    """
    parameters = {"symbol": symbol, "since": since_ms, "until": until_ms}
    try:
        connection.command_on_lines(_INSERT, parameters, lines)
    except DatabaseError as error:
        if error.code not in _INVALID_CODES:
            raise
        raise MalformedTrade(f"A line of the archive of {symbol} is no valid trade") from error


def find_moved(
    connection: Connection, symbol: str, lines: bytes, first_id: int, last_id: int
) -> None:
    """Note in the table `moved` the stored trades that have another time in these lines.

    Ids that are not from `first_id` to `last_id` are not looked for.
    """
    parameters = {"symbol": symbol, "first": first_id, "last": last_id}
    connection.command_on_lines(_FIND_MOVED, parameters, lines)
