# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Trades and candles as the engine itself formats them: no row becomes an object here.

JSON is rows that can be kept. Tables come in pieces, as the engine makes them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from generated.native.facts import HISTORY_CANDLE_FIELDS

from ..core.candle import Candle, flat
from ..core.fixed import text
from ..core.rows import Rows
from ..core.timeframe import width_ms
from .candles import Candles
from .connection import Connection, Parameters
from .forms import Form
from .tables import Table
from .trades import TRADE_COLUMNS, Selection, Trades


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Which candles of a symbol: those of all buckets in [start, end), in milliseconds.

    `start_ms` must not be before the first candle. Buckets before `live_from_ms` are the store's;
    `live` has the later ones, as they are now.
    """

    symbol: str
    timeframe: int
    start_ms: int
    end_ms: int
    live_from_ms: int
    live: Sequence[Candle]

    @property
    def stored_until_ms(self) -> int:
        """The end of the buckets that are the store's."""
        return max(self.start_ms, min(self.end_ms, self.live_from_ms))


class Pages:
    """Formats pages of one store."""

    def __init__(self, connection: Connection, trades: Trades, candles: Candles) -> None:
        self._connection = connection
        self._trades = trades
        self._candles = candles

    def candle_rows(
        self,
        symbol: str,
        timeframe: int,
        start: int,
        end: int,
        form: Form[Candle],
        whole_from_ms: int = 0,
    ) -> Rows:
        """The candles of all buckets in [start, end), quiet ones flat, from the first trade on.

        Both are starts of buckets. Trades before `whole_from_ms` are missing: buckets that begin
        earlier count for nothing.
        """
        start = max(start, self._candles.beginning(symbol, timeframe, whole_from_ms))
        if start >= end:
            return Rows()
        rows = self._filled(symbol, timeframe, start, end, form)
        quiet = range(start, rows.keys[0] if len(rows) else end, width_ms(timeframe))
        if not quiet:
            return rows
        close = self._candles.previous_close(symbol, timeframe, start, whole_from_ms)
        if close is None:
            return rows
        return form.written((time, flat(time, close)) for time in quiet) + rows

    async def candles_table(self, page: CandlePage, table: Table) -> AsyncIterator[bytes]:
        """The candles of a page as a table; what fails does so before this returns."""
        sql, parameters = await self._connection.run(self.candles_query, page, table)
        return await self._connection.stream(sql, table.format, parameters)

    async def trades_table(self, selection: Selection, table: Table) -> AsyncIterator[bytes]:
        """All trades of a selection as a table; what fails does so before this returns."""
        sql, parameters = self.trades_query(selection, table)
        return await self._connection.stream(sql, table.format, parameters)

    def trades_query(self, selection: Selection, table: Table) -> tuple[str, Parameters]:
        """The statement, and its values, that gives the trades of a selection as a table."""
        sql, parameters = self._trades.query(selection, table.columns(TRADE_COLUMNS))
        return sql + table.settings, parameters

    def candles_query(self, page: CandlePage, table: Table) -> tuple[str, Parameters]:
        """The statement, and its values, that gives the candles of a page as a table."""
        rows, parameters = self._candles.source(
            page.symbol, page.timeframe, page.start_ms, page.stored_until_ms
        )
        sql = (
            _CANDLES.replace(_COLUMNS, table.columns(_SHOWN_FIELDS)).replace(_ROWS, rows)
            + table.settings
        )
        return sql, {
            **parameters,
            "page_start": page.start_ms,
            "page_end": page.end_ms,
            "page_width": width_ms(page.timeframe),
            "given": list(map(_texts, self._given(page))),
            "live_from": page.live_from_ms,
        }

    def _filled(
        self, symbol: str, timeframe: int, start: int, end: int, form: Form[Candle]
    ) -> Rows:
        """The candles of the buckets in [start, end) from the first one with trades on."""
        rows, parameters = self._candles.source(symbol, timeframe, start, end)
        filled = _FILLED.replace(_ROWS, rows)
        sql = f"SELECT {form.columns(_FIELDS)} FROM ({filled}) AS f {ONE_THREAD}"
        return form.rows(
            self._connection.formatted(
                sql,
                form.engine_format,
                {**parameters, "end_ms": end, "width_ms": width_ms(timeframe)},
            )
        )

    def _given(self, page: CandlePage) -> list[Candle]:
        """The candles of a page that the store's buckets lack, and the close before it as one."""
        start, end = page.start_ms, page.end_ms
        given = [candle for candle in page.live if start <= candle.candle_time < end]
        close = None
        if start < end:
            close = self._candles.previous_close(page.symbol, page.timeframe, start)
        if close is not None:
            given.append(flat(start - width_ms(page.timeframe), close))
        return given


_ROWS = "/* rows */"
_COLUMNS = "/* columns */"

ONE_THREAD = "SETTINGS max_threads = 1"
"""By default the engine sets several threads to work, which costs more than to read a page."""

_SHOWN = "candle_time, open, high, low, close, volume, trades_count, taker_buy_volume, aggregates"

_GIVEN = """
    toInt64(r[1]) AS candle_time, toDecimal128(r[2], 8) AS open, toDecimal128(r[3], 8) AS high,
    toDecimal128(r[4], 8) AS low, toDecimal128(r[5], 8) AS close, toDecimal128(r[6], 8) AS volume,
    toInt64(r[7]) AS trades_count, toDecimal128(r[8], 8) AS taker_buy_volume,
    toUInt64(r[9]) AS aggregates"""

_FIELDS = {
    "candle_time": "f.candle_time",
    "open": "if(f.aggregates = 0, f.close, f.open)",
    "high": "if(f.aggregates = 0, f.close, f.high)",
    "low": "if(f.aggregates = 0, f.close, f.low)",
    "close": "f.close",
    "volume": "f.volume",
    "trades_count": "f.trades_count",
    "taker_buy_volume": "f.taker_buy_volume",
    "taker_sell_volume": "f.volume - f.taker_buy_volume",
    "closed": "CAST(f.candle_time < {live_from:Int64}, 'Bool')",
}

_WITH_PLACES = {
    **{name: _FIELDS[name] for name in ("open", "high", "low", "close", "volume")},
    **{
        name: f"f.{name}" for name in ("quote_volume", "taker_buy_volume", "taker_buy_quote_volume")
    },
}
_FIELDS |= {
    # Decimals with eight places as text; further ones are cut off.
    **{
        f"{name}_8": f"toDecimalString(toDecimal128({v}, 8), 8)" for name, v in _WITH_PLACES.items()
    },
    "close_time": "f.candle_time + {width_ms:Int64} - 1",
    "nothing": "'0'",
}

_SHOWN_FIELDS = {name: _FIELDS[name] for name in HISTORY_CANDLE_FIELDS}

_CANDLES = f"""
SELECT {_COLUMNS} FROM (
    SELECT {_SHOWN} FROM (
        SELECT {_SHOWN} FROM ({_ROWS})
        UNION ALL SELECT {_GIVEN} FROM (SELECT arrayJoin({{given:Array(Array(String))}}) AS r)
    )
    ORDER BY candle_time WITH FILL FROM {{page_start:Int64}} TO {{page_end:Int64}}
        STEP {{page_width:Int64}} INTERPOLATE (close)
) AS f
WHERE f.candle_time >= {{page_start:Int64}}
ORDER BY f.candle_time
"""
"""Quiet buckets take the close before them; that of the first is given in a row before the page."""


_FILLED = f"""
SELECT {_SHOWN}, quote_volume, taker_buy_quote_volume FROM ({_ROWS})
ORDER BY candle_time WITH FILL TO {{end_ms:Int64}} STEP {{width_ms:Int64}} INTERPOLATE (close)
"""


def _texts(candle: Candle) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return [
        str(candle.candle_time),
        *map(text, prices),
        str(candle.trades_count),
        text(candle.taker_buy_volume),
        str(candle.aggregates),
    ]
