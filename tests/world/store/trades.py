"""Trades of a modelled store, and those that move in time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from generated.native.facts import TIMESTAMP_MS_MAXIMUM
from ingest.binance.parse import archive_row
from ingest.core.candle import Candle
from ingest.core.continuity import Gap
from ingest.core.errors import MalformedTrade
from ingest.core.rows import Rows
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage.forms import Form
from ingest.storage.lines import FIRST_MICROSECOND_TIME
from ingest.storage.moved import Moved
from ingest.storage.trades import Extent, Selection, Trades

from .connection import ModelConnection
from .disk import Disk, by_month
from .tables import folded

_PLAIN = re.compile(r"[0-9]{1,11}(\.[0-9]{1,8})?", re.ASCII)


class ModelTrades(Trades):
    """Trades on a disk."""

    _connection: ModelConnection

    def _write(self, batch: Mapping[str, Sequence[Trade]]) -> None:
        self._put([(symbol, trade) for symbol, trades in batch.items() for trade in trades])

    def _write_lines(self, symbol: str, text: bytes, since_ms: int, until_ms: int) -> None:
        trades = [_trade(line) for line in _lines(text)]
        if any(not since_ms <= trade.timestamp < until_ms for trade in trades):
            raise MalformedTrade(f"A line of the archive of {symbol} is no valid trade")
        self._put([(symbol, trade) for trade in trades])

    def _put(self, rows: Sequence[tuple[str, Trade]]) -> None:
        """Insert trades: one part a month, and something may happen before each."""
        kind = "insert trades"
        for month, part in by_month(rows).items() or ((0, ()),):
            self._connection.begin(kind).put_trades(month, part)
        self._connection.end(kind)

    def last_id_of_page(self, selection: Selection, limit: int) -> int | None:
        """The id of the last trade of a page of `limit`, where trades may follow it."""
        trades = self._selected(self._connection.reading(), selection)
        last = next(islice(trades, limit - 1, None), None)
        return None if last is None else last.aggregate_id

    def latest_selection(self, symbol: str, limit: int, end_time: int | None) -> Selection:
        """The selection of the last `limit` trades up to a time."""
        ids = self._latest_ids(self._connection.reading(), symbol, limit, end_time)
        first, last = (ids[-1], ids[0]) if ids else (0, 0)
        return Selection(symbol, end_time=end_time, from_id=first, to_id=last)

    def page(self, selection: Selection, limit: int, form: Form[Trade]) -> Rows:
        """The first trades of a selection."""
        return _rows(islice(self._selected(self._connection.reading(), selection), limit), form)

    def latest(
        self, symbol: str, limit: int, form: Form[Trade], *, end_time: int | None = None
    ) -> Rows:
        """The last trades up to a time."""
        disk = self._connection.reading()
        ids = self._latest_ids(disk, symbol, limit, end_time)
        first = ids[-1] if ids else self._retention.line(symbol).first_id
        return _rows(_shown(disk.trades[symbol].from_id(first), end_time=end_time), form)

    def _selected(self, disk: Disk, selection: Selection) -> Iterator[Trade]:
        rows, first = disk.trades[selection.symbol], self._first_id(selection)
        trades = (
            rows.from_id(first) if selection.to_id is None else rows.from_id(first, selection.to_id)
        )
        return _shown(trades, selection.start_time, selection.end_time)

    def _latest_ids(self, disk: Disk, symbol: str, limit: int, end_time: int | None) -> list[int]:
        """The highest ids of the trades up to a time, in descending order."""
        kept_from = self._retention.line(symbol).first_id
        ids: dict[int, None] = {}
        for trade in _shown(disk.trades[symbol].backwards(), end_time=end_time):
            if trade.aggregate_id < kept_from or len(ids) == limit:
                break
            ids[trade.aggregate_id] = None
        return list(ids)

    def since(self, symbol: str, time_ms: int) -> list[Trade]:
        """The trades from a time on in the order of their ids, tombstones too."""
        trades = self._connection.reading().trades[symbol].between(time_ms)
        return sorted(trades, key=lambda trade: trade.aggregate_id)

    def folded(self, symbol: str, start: int, end: int) -> Candle | None:
        """The candle of the trades of [start, end)."""
        minutes = list(self._connection.reading().trades[symbol].candles(start, end))
        return folded(minutes, start) if minutes else None

    def tombstones(self, symbol: str, start: int, end: int) -> int:
        """How many invalid duplicates have times in [start, end)."""
        trades = self._connection.reading().trades[symbol].between(start, end)
        return sum(trade.first_trade_id < 0 for trade in trades)

    def time_of(self, symbol: str, aggregate_id: int) -> int | None:
        """The time of a stored trade; None when it is not stored."""
        rows = self._connection.reading().trades[symbol].rows(aggregate_id)
        return rows[0].timestamp if rows else None

    def newest_time_from(self, symbol: str, first_id: int) -> int | None:
        """The newest time of the trades from this id on; None when there are none."""
        trades = self._connection.reading().trades[symbol].from_id(first_id)
        return max((trade.timestamp for trade in trades), default=None)

    def high_water(self) -> dict[str, int]:
        """The highest id stored of each symbol."""
        disk = self._connection.reading()
        return {symbol: disk.trades[symbol].ids[-1] for symbol in disk.symbols()}

    def newest_minutes(self) -> dict[str, int]:
        """The start of the minute of the newest trade of each symbol."""
        disk = self._connection.reading()
        newest = {symbol: disk.trades[symbol].newest_ms() for symbol in disk.symbols()}
        return {symbol: time // MINUTE_MS * MINUTE_MS for symbol, time in newest.items()}

    def _count(self, symbol: str, first_id: int, last_id: int) -> int:
        return self._connection.reading().trades[symbol].count(first_id, last_id)

    def _extent(self, symbol: str, kept_from: int) -> Extent | None:
        return _extent(self._connection.reading(), symbol, kept_from)

    def _extents(self, kept_from: Mapping[str, int]) -> dict[str, Extent]:
        disk = self._connection.reading()
        found = {s: _extent(disk, s, kept_from.get(s, 0)) for s in disk.symbols()}
        return {symbol: extent for symbol, extent in found.items() if extent is not None}

    def _holes(self, symbol: str, first_id: int, last_id: int) -> list[Gap]:
        ids = self._connection.reading().trades[symbol].ids_from(first_id, last_id)
        ends = (first_id - 1, *ids, last_id + 1)
        return [Gap(a + 1, b - 1) for a, b in pairwise(ends) if a + 1 < b]


class ModelMoved(Moved):
    """Trades that move, on a disk."""

    _connection: ModelConnection

    def stored(self, symbol: str, first_id: int, last_id: int) -> Sequence[tuple[int, int]]:
        """The stored trades with ids from the first to the last."""
        trades = self._connection.reading().trades[symbol].from_id(first_id, last_id)
        return [(trade.aggregate_id, trade.timestamp) for trade in trades]

    def _highest_id(self, symbol: str) -> int:
        ids = self._connection.reading().trades[symbol].ids
        return ids[-1] if ids else -1

    def _any_stored(self, symbol: str, first_id: int, last_id: int) -> bool:
        return bool(self._connection.reading().trades[symbol].count(first_id, last_id))

    def _delete(self, symbol: str, some: Sequence[tuple[int, int]]) -> None:
        rows = self._connection.begin("delete trades").trades[symbol]
        for id_, time in some:
            rows.remove(id_, time)
        self._connection.end("delete trades")

    def _note_moved(self, symbol: str, text: bytes, first_id: int, last_id: int) -> None:
        disk = self._connection.begin("note moved")
        moved: dict[tuple[int, int], None] = {}
        for id_, time in filter(None, map(_id_and_time, _lines(text))):
            if first_id <= id_ <= last_id:
                for row in disk.trades[symbol].rows(id_):
                    if row.timestamp != time:
                        moved[id_, row.timestamp] = None
        disk.moved.setdefault(symbol, []).extend(moved)
        self._connection.end("note moved")

    def _noted(self, symbol: str) -> Sequence[tuple[int, int]]:
        return list(self._connection.reading().moved.get(symbol, ()))

    def _forget_noted(self, symbol: str) -> None:
        self._connection.begin("forget moved").moved.pop(symbol, None)
        self._connection.end("forget moved")


def _extent(disk: Disk, symbol: str, kept_from: int) -> Extent | None:
    rows = disk.trades[symbol]
    at = bisect_left(rows.ids, kept_from)
    if at == len(rows.ids):
        return None
    return rows.ids[at], rows.ids[-1], rows.count(kept_from)


def _shown(
    trades: Iterator[Trade], start_time: int | None = None, end_time: int | None = None
) -> Iterator[Trade]:
    """The trades with times between these that are no tombstones."""
    since = 0 if start_time is None else start_time
    until = TIMESTAMP_MS_MAXIMUM if end_time is None else end_time
    for trade in trades:
        if trade.first_trade_id >= 0 and since <= trade.timestamp <= until:
            yield trade


def _rows(trades: Iterator[Trade], form: Form[Trade]) -> Rows:
    """Trades as the engine writes them."""
    shown = list(trades)
    texts = [form.encode(trade).encode() for trade in shown]
    return Rows([trade.aggregate_id for trade in shown], texts)


def _lines(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n") if text else []


def _trade(line: bytes) -> Trade:
    """The trade of a line; the engine takes no exponents, headers or blanks."""
    columns = line.decode("ascii", "replace").split(",")
    trade = archive_row(line) if all(map(_PLAIN.fullmatch, columns[1:3])) else None
    if trade is None:
        raise MalformedTrade("A line of the archive is no valid trade")
    return trade


def _id_and_time(line: bytes) -> tuple[int, int] | None:
    columns = line.split(b",")
    if len(columns) < 6 or not columns[0].isdigit() or not columns[5].isdigit():
        return None
    time = int(columns[5])
    return int(columns[0]), time // 1000 if time >= FIRST_MICROSECOND_TIME else time
