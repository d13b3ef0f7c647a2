"""Parsers of the exchange's trades: rows of REST and of the archive, and what all rows share.

Live, history and replay all pass through here, and nothing malformed gets further. Fields that are
not known are tolerated: the exchange adds some now and then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from ingest.core import fixed
from ingest.core.errors import MalformedTrade
from ingest.core.trade import Trade, checked

from .page import MAX_ROWS, Malformed, Page

T = TypeVar("T")

EXCERPT_CHARACTERS: Final = 200
"""How much of a malformed message its error shows."""

FIRST_MICROSECOND_TIMESTAMP: Final = 10**14
"""Times from here on count microseconds, as the archive does from 2025 on and as anybody can ask
REST and the streams to. As milliseconds this would be the year 5138."""

MAX_REMEMBERED: Final = 32_768
MAX_REMEMBERED_CHARACTERS: Final = 64
"""Texts that a `Memo` holds at a time, and how long each may be."""

_AGGREGATE_ID: Final = re.compile(rb'"a"\s*:\s*([0-9]{1,19})\s*[,}]')
_DIGITS: Final = re.compile(r"[0-9]{1,19}|-1", re.ASCII)
_BOOLEANS: Final = {"True": True, "true": True, "False": False, "false": False}


class Row(msgspec.Struct, gc=False):
    """The fields of a trade under the exchange's names."""

    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the exchange's name of the field
    T: int
    m: bool


class Memo(dict[str, T]):
    """Results of a function for texts; a look-up costs half of one in an `lru_cache`."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        made = self._make(text)
        if len(text) <= MAX_REMEMBERED_CHARACTERS:
            if len(self) >= MAX_REMEMBERED:
                self.clear()
            self[text] = made
        return made


decimals = Memo(fixed.parse)
"""Prices and sizes repeat: on recorded days 6 of 10 prices and up to 8 of 10 quantities did."""

_decode_rows = msgspec.json.Decoder(list[Row]).decode
_decode_row = msgspec.json.Decoder(Row).decode
_split_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


FAULTS: Final = (ValueError, RecursionError, MalformedTrade)
"""Errors that a hostile message can raise; RecursionError comes from deep nesting."""


def excerpt(raw: bytes) -> str:
    """The beginning of a message, printable, for an error or a log."""
    text = raw[:EXCERPT_CHARACTERS].decode("ascii", "backslashreplace")
    return text[:EXCERPT_CHARACTERS] + ("..." if len(raw) > EXCERPT_CHARACTERS else "")


def malformed_trade(raw: bytes, reason: object) -> MalformedTrade:
    """The error of a trade that cannot be one."""
    return MalformedTrade(f"{str(reason)[:EXCERPT_CHARACTERS]}; it came as {excerpt(raw)}")


def _milliseconds(time: int) -> int:
    return time if time < FIRST_MICROSECOND_TIMESTAMP else time // 1000


def trade_of(row: Row) -> Trade:
    """The trade of a row; raises what is in `FAULTS`."""
    time_ms = _milliseconds(row.T)
    price, quantity = decimals[row.p], decimals[row.q]
    return checked(Trade(row.a, price, quantity, row.f, row.l, time_ms, row.m))


def id_of(raw: bytes) -> int | None:
    """The id of a malformed trade, when it can be read."""
    found = _AGGREGATE_ID.search(raw)
    return int(found[1]) if found and int(found[1]) <= fixed.MAX_FIXED else None


def rest_page(body: bytes, symbol: str | None = None) -> Page:
    """The trades of an `aggTrades` answer.

    A row that is no valid trade leaves the others usable. Raises MalformedTrade when the answer
    is no JSON array at all.
    """
    try:
        return Page([trade_of(row) for row in _decode_rows(body)], [])
    except FAULTS:
        pass  # some row is at fault: look at each by itself
    try:
        rows = _split_rows(body)
    except (ValueError, RecursionError) as error:
        raise malformed_trade(body, f"Not an array of trades: {error}") from None
    trades: list[Trade] = []
    malformed: list[tuple[int, Malformed]] = []
    last_named = -1
    for at, row in enumerate(rows):
        raw = bytes(row)
        try:
            trades.append(trade_of(_decode_row(raw)))
            last_named = at
        except FAULTS as error:
            malformed.append((at, Malformed(symbol, raw, malformed_trade(raw, error), id_of(raw))))
    plausible = _ids_around(trades)
    others = []
    for at, item in malformed:
        if item.aggregate_id is not None and trades and item.aggregate_id not in plausible:
            item = item._replace(aggregate_id=None)  # as unreadable as the rest of the row
        if item.aggregate_id is not None:
            last_named = max(last_named, at)
        others.append(item)
    return Page(trades, others, len(rows) - 1 - last_named)


def _ids_around(trades: Sequence[Trade]) -> range:
    """The ids that other rows of a page with these trades may have."""
    ids = [trade.aggregate_id for trade in trades]
    return range(min(ids) - MAX_ROWS, max(ids) + MAX_ROWS + 1) if ids else range(0)


def archive_row(line: bytes) -> Trade | None:
    """The trade of a line of the archive's CSV, or None for a header or an empty line.

    Columns: id, price, quantity, first id, last id, timestamp, is buyer maker and, on spot, is
    best match. Raises MalformedTrade for anything else.
    """
    try:
        columns = line.decode("ascii").strip().split(",")
        if columns == [""] or columns[0] in ("agg_trade_id", "a"):
            return None
        if len(columns) not in (7, 8):
            raise ValueError(f"{len(columns)} columns, not 7 or 8")
        numbers = (columns[0], *columns[3:6])
        if not all(_DIGITS.fullmatch(number) for number in numbers):
            raise ValueError("an id or the time is no whole number")
        aggregate_id, first, last, timestamp = map(int, numbers)
        timestamp = _milliseconds(timestamp)
        price, quantity = fixed.parse_exact(columns[1]), fixed.parse_exact(columns[2])
        maker = _BOOLEANS[columns[6]]
        return checked(Trade(aggregate_id, price, quantity, first, last, timestamp, maker))
    except KeyError:
        raise malformed_trade(line, "the buyer-maker column is neither True nor False") from None
    except FAULTS as error:
        raise malformed_trade(line, error) from None
