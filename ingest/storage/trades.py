# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Trades in the store: inserting them, reading them, and which ids are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from generated.native.facts import TIMESTAMP_MS_MAXIMUM, TRADE_FIELDS

from ..core.blocks import Blocks
from ..core.candle import Candle
from ..core.continuity import Continuity, Gap
from ..core.fixed import MAX_FIXED
from ..core.rows import Rows
from ..core.timeframe import MINUTE_MS
from ..core.trade import Trade
from . import columns, fold, lines
from .connection import Connection, Parameters
from .forms import Form, trades_of
from .held import Held
from .moved import Moved, lowest_and_highest_id, times_of
from .progress import Progress
from .retention import Retention

_TABLE = {name: name for name in Trade.__struct_fields__}
TRADE_COLUMNS = {field: _TABLE[field] for field in TRADE_FIELDS}
"""The column of each field that is shown."""
_COLUMNS = ", ".join(TRADE_COLUMNS.values())
_TABLE |= {f"{name}_8": f"toDecimalString({name}, 8)" for name in ("price", "quantity")}
_TABLE["true"] = "true"
MIN_BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Selection:
    """Which trades of a symbol; all conditions that are given apply together, bounds included."""

    symbol: str
    start_time: int | None = None
    end_time: int | None = None
    from_id: int | None = None
    to_id: int | None = None

    @property
    def has_beginning(self) -> bool:
        """Whether its trades begin somewhere."""
        return self.from_id is not None or self.start_time is not None


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids of one symbol from `first` to `last`: `count` are stored, the holes are not."""

    first: int
    last: int
    count: int
    holes: list[Gap]
    """The missing ids between `first` and `last`."""

    def begun(self, begin: int, confirmed: Iterable[Gap]) -> IdRange:
        """The ids from `begin` on, and those before it from which on none is missing but for those
        that the exchange does not have."""
        older = Continuity(self.first, max(begin - 1, self.first), self.holes)
        for gap in confirmed:
            older.confirm(gap)
        first = max((min(gap.to_id + 1, begin) for gap in older.gaps), default=self.first)
        if first <= self.first:
            return self
        holes = [Gap(max(first, h.from_id), h.to_id) for h in self.holes if h.to_id >= first]
        missing = sum(hole.missing for hole in holes)
        return IdRange(first, self.last, self.last - first + 1 - missing, holes)


Extent = tuple[int, int, int]
"""The lowest and the highest of some ids, and how many there are."""

_LATEST_IDS = (
    "SELECT aggregate_id FROM trades"
    " WHERE symbol = {symbol:String} AND first_trade_id >= 0 AND timestamp <= {end_time:Int64}"
    " AND aggregate_id >= {kept_from:Int64}"
    " ORDER BY aggregate_id DESC LIMIT 1 BY aggregate_id LIMIT {limit:UInt32}"
)
"""Without FINAL the engine reads backwards and stops early."""


class Trades:
    """The table `trades`. A trade is its (symbol, aggregate_id): storing it again changes nothing.

    Tombstones are stored, for their ids count, and never shown.
    """

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        retention: Retention,
        held: Held,
        moved: Moved,
        blocks: Blocks,
    ) -> None:
        self._connection = connection
        self._progress = progress
        self._retention = retention
        self._held = held
        self._moved = moved
        self._blocks = blocks

    def insert(self, batch: Mapping[str, Sequence[Trade]]) -> int:
        """Store the trades of many symbols at once; returns how many.

        They are on disk when this returns. After StoreUnavailable they may or may not be: insert
        the same batch again. One that was stored with another time is there no longer, and leaves
        its minute unsettled.
        """
        count = sum(len(trades) for trades in batch.values())
        if not count:
            return 0
        lowest = {
            symbol: min(trade.aggregate_id for trade in trades)
            for symbol, trades in batch.items()
            if trades
        }
        with self._blocks.changing({trades_of(symbol): id_ for symbol, id_ in lowest.items()}):
            moved = self._moved.among(batch)
            times = {
                symbol: [*(trade.timestamp for trade in trades), *times_of(moved, symbol)]
                for symbol, trades in batch.items()
            }
            self._held.lower(lowest)
            for symbol, id_ in lowest.items():
                if id_ < self._retention.line(symbol).first_id:
                    self._admit(symbol, batch[symbol])
            with self._progress.storing(times):
                self._moved.take_out(moved)
                self._write(batch)
        return count

    def insert_lines(self, symbol: str, text: bytes, since_ms: int, until_ms: int) -> None:
        """Store trades that are lines of the exchange's archive; the engine itself parses them.

        All their times have to be in [since, until). Raises MalformedTrade when a line is no such
        trade: then some of the others may be stored, and `insert` can store the valid ones.
        """
        ids = lowest_and_highest_id(text)
        moved = self._moved.among_lines(symbol, text, ids) if ids is not None else {}
        # Beside a live feed the newest id is that of its trades, which may not be written yet.
        may_be_newest = ids is None or ids[1] > self._moved.newest(symbol)
        if ids is not None:
            self._held.lower({symbol: ids[0]})
            self._moved.reach(symbol, ids[1])
            if until_ms > self._retention.line(symbol).trades_since_ms:
                self._retention.admit(symbol, ids[0])
        times = [*range(since_ms, until_ms, MINUTE_MS), *times_of(moved, symbol)]
        since = 0 if ids is None else ids[0]
        with (
            self._blocks.changing({trades_of(symbol): since}),
            self._progress.storing({symbol: times}),
        ):
            self._moved.take_out(moved)
            try:
                self._write_lines(symbol, text, since_ms, until_ms)
            finally:
                if may_be_newest:
                    self._moved.forget_newest(symbol)

    def _admit(self, symbol: str, trades: Sequence[Trade]) -> None:
        """Keep those of these trades that are not too old, though their ids are below the line."""
        line = self._retention.line(symbol)
        kept = (t.aggregate_id for t in trades if t.timestamp >= line.trades_since_ms)
        self._retention.admit(symbol, min(kept, default=line.first_id))

    def remove_from(self, symbol: str, first_id: int) -> None:
        """Take the trades from this id on out; their minutes are unsettled then."""
        found = {symbol: self._moved.stored(symbol, first_id, MAX_FIXED)}
        with (
            self._blocks.changing({trades_of(symbol): first_id}),
            self._progress.storing({symbol: times_of(found, symbol)}),
        ):
            self._moved.take_out(found)
            self._moved.forget_newest(symbol)

    def missing(self, symbol: str, first_id: int, last_id: int) -> list[Gap]:
        """The ids from `first_id` to `last_id` that are not stored, oldest first."""
        count = self._count(symbol, first_id, last_id)
        return [] if count == last_id - first_id + 1 else self._holes(symbol, first_id, last_id)

    def page(self, selection: Selection, limit: int, form: Form[Trade]) -> Rows:
        """The first `limit` trades of a selection by id."""
        sql, parameters = self.query(selection, form.columns(_TABLE))
        sql, parameters = f"{sql} LIMIT {{limit:UInt32}}", {**parameters, "limit": limit}
        return self._rows(sql, parameters, limit, form)

    def seconds(self, symbol: str, start: int, end: int) -> list[Candle]:
        """The candles of the seconds that have trades in [start, end), in milliseconds."""
        rows = self._connection.rows(
            f"SELECT {fold.UNSCALED} FROM ("
            f"SELECT intDiv(timestamp, 1000) * 1000 AS candle_time, {fold.OF_TRADES}"
            " FROM trades FINAL WHERE symbol = {symbol:String} AND first_trade_id >= 0"
            " AND aggregate_id >= {kept_from:Int64}"
            " AND timestamp >= {start:Int64} AND timestamp < {end:Int64} GROUP BY candle_time"
            ") ORDER BY candle_time",
            {
                "symbol": symbol,
                "kept_from": self._retention.line(symbol).first_id,
                "start": start,
                "end": end,
            },
        )
        return [Candle(*row) for row in rows]

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of which trades were stored."""
        return self._held.symbols

    def bounds(self, symbol: str) -> range:
        """Ids among which are all that are stored and kept."""
        first = self._held.first(symbol) or 0
        first = max(first, self._retention.line(symbol).first_id)
        return range(first, self._moved.newest(symbol) + 1)

    def knows_bounds(self, symbol: str) -> bool:
        """Whether `bounds` needs no statement."""
        return self._moved.knows_newest(symbol)

    def last_id_of_page(self, selection: Selection, limit: int) -> int | None:
        """The id of the last trade of a page of `limit`, where trades may follow it."""
        sql, parameters = self.query(selection, "aggregate_id")
        rows = self._connection.rows(
            f"{sql} LIMIT 1 OFFSET {{offset:UInt32}}", {**parameters, "offset": limit - 1}
        )
        return int(rows[0][0]) if rows else None

    def query(self, selection: Selection, columns: str = _COLUMNS) -> tuple[str, Parameters]:
        """The statement, and its values, that gives the trades of a selection in order."""
        conditions = ["symbol = {symbol:String}", "first_trade_id >= 0"]
        parameters: dict[str, object] = {"symbol": selection.symbol}
        # Of the table: what is shown under the name of a column may be of another type.
        for name, condition, value in (
            ("from_id", "aggregate_id >= {from_id:Int64}", self._first_id(selection)),
            ("to_id", "aggregate_id <= {to_id:Int64}", selection.to_id),
            ("start_time", "trades.timestamp >= {start_time:Int64}", selection.start_time),
            ("end_time", "trades.timestamp <= {end_time:Int64}", selection.end_time),
        ):
            if value is not None:
                conditions.append(condition)
                parameters[name] = value
        return (
            f"SELECT {columns} FROM trades FINAL WHERE {' AND '.join(conditions)} "
            "ORDER BY aggregate_id",
            parameters,
        )

    def _first_id(self, selection: Selection) -> int:
        """The lowest id that a selection may have."""
        return max(selection.from_id or 0, self._retention.line(selection.symbol).first_id)

    def latest(
        self, symbol: str, limit: int, form: Form[Trade], *, end_time: int | None = None
    ) -> Rows:
        """The most recent `limit` trades by id with times up to `end_time`, in ascending order."""
        return self._rows(
            f"SELECT {form.columns(_TABLE)} FROM trades FINAL "
            "WHERE symbol = {symbol:String} AND first_trade_id >= 0"
            " AND timestamp <= {end_time:Int64} AND aggregate_id >= {kept_from:Int64}"
            f" AND aggregate_id >= (SELECT min(aggregate_id) FROM ({_LATEST_IDS}))"
            " ORDER BY aggregate_id",
            self._latest_parameters(symbol, limit, end_time),
            limit,
            form,
        )

    def latest_selection(self, symbol: str, limit: int, end_time: int | None) -> Selection:
        """The selection that has just these trades."""
        [[first, last]] = self._connection.rows(
            f"SELECT min(aggregate_id), max(aggregate_id) FROM ({_LATEST_IDS})",
            self._latest_parameters(symbol, limit, end_time),
        )
        return Selection(symbol, end_time=end_time, from_id=first, to_id=last)

    def _latest_parameters(
        self, symbol: str, limit: int, end_time: int | None
    ) -> dict[str, object]:
        return {
            "symbol": symbol,
            "limit": limit,
            "end_time": TIMESTAMP_MS_MAXIMUM if end_time is None else end_time,
            "kept_from": self._retention.line(symbol).first_id,
        }

    def _rows(self, sql: str, parameters: Parameters, limit: int, form: Form[Trade]) -> Rows:
        # By default the engine sets two threads and blocks of 65,000 rows to work on a page, which
        # costs more than to read it.
        sql = f"{sql} SETTINGS max_threads = 1, max_block_size = {max(limit, MIN_BLOCK_ROWS)}"
        return form.rows(self._connection.formatted(sql, form.engine_format, parameters))

    def since(self, symbol: str, time_ms: int) -> list[Trade]:
        """The trades of a symbol from a time on, in the order of their ids, tombstones too."""
        rows = self._connection.rows(
            "SELECT aggregate_id, toInt64(reinterpret(price, 'Int128')),"
            " toInt64(reinterpret(quantity, 'Int128')), first_trade_id, last_trade_id, timestamp,"
            " is_buyer_maker FROM trades FINAL"
            " WHERE symbol = {symbol:String} AND timestamp >= {time_ms:Int64}"
            " ORDER BY aggregate_id",
            {"symbol": symbol, "time_ms": time_ms},
        )
        return [Trade(*row) for row in rows]

    def folded(self, symbol: str, start: int, end: int) -> Candle | None:
        """The candle of the trades of [start, end), in milliseconds; None where there are none."""
        rows = self._connection.rows(
            f"SELECT {fold.UNSCALED} FROM (SELECT {{start:Int64}} AS candle_time,{fold.OF_TRADES}"
            " FROM trades FINAL WHERE symbol = {symbol:String} AND first_trade_id >= 0"
            " AND timestamp >= {start:Int64} AND timestamp < {end:Int64} GROUP BY candle_time)",
            {"symbol": symbol, "start": start, "end": end},
        )
        return Candle(*rows[0]) if rows else None

    def tombstones(self, symbol: str, start: int, end: int) -> int:
        """How many invalid duplicates have times in [start, end), in milliseconds."""
        [[count]] = self._connection.rows(
            "SELECT count() FROM trades FINAL WHERE symbol = {symbol:String}"
            " AND first_trade_id < 0"
            " AND timestamp >= {start:Int64} AND timestamp < {end:Int64}",
            {"symbol": symbol, "start": start, "end": end},
        )
        return int(count)

    def time_of(self, symbol: str, aggregate_id: int) -> int | None:
        """The time of a stored trade in ms; None when it is not stored."""
        rows = self._connection.rows(
            "SELECT timestamp FROM trades"
            " WHERE symbol = {symbol:String} AND aggregate_id = {aggregate_id:Int64} LIMIT 1",
            {"symbol": symbol, "aggregate_id": aggregate_id},
        )
        return int(rows[0][0]) if rows else None

    def newest_time_from(self, symbol: str, first_id: int) -> int | None:
        """The newest time in ms of the trades from this id on; None when there are none."""
        [[newest, count]] = self._connection.rows(
            "SELECT max(timestamp), count() FROM trades"
            " WHERE symbol = {symbol:String} AND aggregate_id >= {first:Int64}",
            {"symbol": symbol, "first": first_id},
        )
        return int(newest) if count else None

    def high_water(self) -> dict[str, int]:
        """The highest id stored of each symbol."""
        rows = self._connection.rows("SELECT symbol, max(aggregate_id) FROM trades GROUP BY symbol")
        return dict(rows)

    def newest_minutes(self) -> dict[str, int]:
        """The start of the minute of the newest trade of each symbol; it may go on."""
        rows = self._connection.rows("SELECT symbol, max(timestamp) FROM trades GROUP BY symbol")
        return {symbol: newest // MINUTE_MS * MINUTE_MS for symbol, newest in rows}

    def id_range(self, symbol: str) -> IdRange | None:
        """Which ids of a symbol are kept; None when it has none."""
        if self._held.first(symbol) is None:
            return None
        extent = self._extent(symbol, self._retention.line(symbol).first_id)
        return self._lost(symbol) if extent is None else self._id_range(symbol, extent)

    def id_ranges(self) -> dict[str, IdRange]:
        """Which ids are kept, of each symbol that has any."""
        kept = {symbol: line.first_id for symbol, line in self._retention.lines.items()}
        extents = self._extents(kept)
        found = {symbol: self._id_range(symbol, extent) for symbol, extent in extents.items()}
        lost = {symbol: self._lost(symbol) for symbol in self._held.symbols - found.keys()}
        return {**found, **{symbol: ids for symbol, ids in lost.items() if ids is not None}}

    def _id_range(self, symbol: str, extent: Extent) -> IdRange:
        first, last, count = extent
        held = self._held.first(symbol)
        first = first if held is None else min(first, held)
        whole = count == last - first + 1
        return IdRange(first, last, count, [] if whole else self._holes(symbol, first, last))

    def _lost(self, symbol: str) -> IdRange | None:
        """The range of a symbol of which nothing is left; None when nothing was stored."""
        first = self._held.first(symbol)
        return None if first is None else IdRange(first, first, 0, [Gap(first, first)])

    # Statements of the calls above ---------------------------------------------------------------

    def _write(self, batch: Mapping[str, Sequence[Trade]]) -> None:
        """Insert trades."""
        self._connection.insert("trades", columns.of_trades(batch))

    def _write_lines(self, symbol: str, text: bytes, since_ms: int, until_ms: int) -> None:
        """Insert trades that are lines."""
        lines.insert(self._connection, symbol, text, since_ms, until_ms)

    def _count(self, symbol: str, first_id: int, last_id: int) -> int:
        """How many trades have ids from the first to the last."""
        [[count]] = self._connection.rows(
            "SELECT count() FROM trades FINAL WHERE symbol = {symbol:String}"
            " AND aggregate_id >= {first:Int64} AND aggregate_id <= {last:Int64}",
            {"symbol": symbol, "first": first_id, "last": last_id},
        )
        return int(count)

    def _extent(self, symbol: str, kept_from: int) -> Extent | None:
        """The extent of the ids of a symbol from one on; None when there are none."""
        [[first, last, count]] = self._connection.rows(
            "SELECT min(aggregate_id), max(aggregate_id), count() FROM trades FINAL"
            " WHERE symbol = {symbol:String} AND aggregate_id >= {kept_from:Int64}",
            {"symbol": symbol, "kept_from": kept_from},
        )
        return (first, last, count) if count else None

    def _extents(self, kept_from: Mapping[str, int]) -> dict[str, Extent]:
        """The same for all symbols, of which some are kept from an id on."""
        rows = self._connection.rows(
            "SELECT symbol, min(aggregate_id), max(aggregate_id), count() FROM trades FINAL"
            " WHERE aggregate_id"
            " >= transform(symbol, {symbols:Array(String)}, {kept:Array(Int64)}, 0)"
            " GROUP BY symbol ORDER BY symbol",
            {"symbols": ["", *kept_from], "kept": [0, *kept_from.values()]},
        )
        return {symbol: (first, last, count) for symbol, first, last, count in rows}

    def _holes(self, symbol: str, first_id: int, last_id: int) -> list[Gap]:
        """The ids from the first to the last that are not stored."""
        rows = self._connection.rows(
            "SELECT previous + 1, aggregate_id - 1 FROM ("
            " SELECT aggregate_id, lagInFrame(aggregate_id, 1, {first:Int64} - 1)"
            "  OVER (ORDER BY aggregate_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
            "  AS previous"
            " FROM (SELECT aggregate_id FROM trades FINAL WHERE symbol = {symbol:String}"
            "   AND aggregate_id >= {first:Int64} AND aggregate_id <= {last:Int64}"
            "  UNION ALL SELECT {last:Int64} + 1)"
            ") WHERE previous + 1 < aggregate_id ORDER BY aggregate_id",
            {"symbol": symbol, "first": first_id, "last": last_id},
        )
        return [Gap(*row) for row in rows]
