"""Parsers of the exchange's bytes: REST rows, stream messages, archive rows.

Live, history and replay all pass through here, and nothing malformed gets further. Fields and
events that are not known are tolerated: the exchange adds some now and then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from ingest.core import fixed
from ingest.core.errors import MalformedTrade
from ingest.core.symbol import is_symbol
from ingest.core.trade import Trade, checked

from .page import MAX_ROWS, Malformed, Page

EXCERPT_CHARACTERS: Final = 200
"""How much of a malformed message its error shows."""

FIRST_MICROSECOND_TIMESTAMP: Final = 10**14
"""Times from here on count microseconds, as the archive does from 2025 on and as anybody can ask
REST and the streams to. As milliseconds this would be the year 5138."""

_SYMBOL: Final = re.compile(rb'"s"\s*:\s*("[^"@]{1,120}")')
_STREAM_SYMBOL: Final = re.compile(rb'"stream"\s*:\s*("[^"@]{1,120})@aggTrade"')
_AGGREGATE_ID: Final = re.compile(rb'"a"\s*:\s*([0-9]{1,19})\s*[,}]')
_DIGITS: Final = re.compile(r"[0-9]{1,19}|-1", re.ASCII)
_BOOLEANS: Final = {"True": True, "true": True, "False": False, "false": False}


class Answer(NamedTuple):
    """The answer to a SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS; `error` is None on success."""

    id: int | None
    error: str | None


class ServerShutdown(NamedTuple):
    """The server is about to close the connection: reconnect at once."""


class UnknownEvent(NamedTuple):
    """A well-formed message that is nothing of ours."""

    name: str


Event = Answer | ServerShutdown | UnknownEvent


class Batch(NamedTuple):
    """Stream messages, sorted: trades by symbol in the order they came, and the rest."""

    trades: dict[str, list[Trade]]
    events: list[Event]
    malformed: list[Malformed]


class _Row(msgspec.Struct, gc=False):
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the exchange's name of the field
    T: int
    m: bool


class _TradeEvent(_Row, gc=False, tag_field="e", tag="aggTrade"):
    s: str


class _Combined(msgspec.Struct, gc=False):
    stream: str
    data: _TradeEvent


class _Envelope(msgspec.Struct):
    """The fields that distinguish messages, of any type: other events give them other meanings."""

    e: object = None
    stream: object = None
    data: msgspec.Raw = msgspec.Raw(b"")
    id: object = None
    result: object = msgspec.UNSET
    code: object = None
    msg: object = None
    error: object = None


_decimal = lru_cache(maxsize=16_384)(fixed.parse)
"""Prices and sizes repeat: on recorded days 6 of 10 prices and up to 8 of 10 quantities did."""


@lru_cache(maxsize=16_384)
def trade_stream(symbol: str) -> str:
    """The name of the stream that carries a symbol's aggregate trades."""
    return f"{symbol.lower()}@aggTrade"


_decode_rows = msgspec.json.Decoder(list[_Row]).decode
_decode_row = msgspec.json.Decoder(_Row).decode
_split_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_combined = msgspec.json.Decoder(_Combined).decode
_decode_event = msgspec.json.Decoder(_TradeEvent).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


_FAULTS: Final = (ValueError, RecursionError, MalformedTrade)
"""Errors that a hostile message can raise; RecursionError comes from deep nesting."""


def excerpt(raw: bytes) -> str:
    """The beginning of a message, printable, for an error or a log."""
    text = raw[:EXCERPT_CHARACTERS].decode("ascii", "backslashreplace")
    return text[:EXCERPT_CHARACTERS] + ("..." if len(raw) > EXCERPT_CHARACTERS else "")


def _malformed(raw: bytes, reason: object) -> MalformedTrade:
    return MalformedTrade(f"{str(reason)[:EXCERPT_CHARACTERS]}; it came as {excerpt(raw)}")


def _milliseconds(time: int) -> int:
    return time if time < FIRST_MICROSECOND_TIMESTAMP else time // 1000


def _trade(row: _Row) -> Trade:
    time_ms = _milliseconds(row.T)
    return checked(Trade(row.a, _decimal(row.p), _decimal(row.q), row.f, row.l, time_ms, row.m))


def _id_of(raw: bytes) -> int | None:
    """The id of a malformed trade, when it can be read."""
    found = _AGGREGATE_ID.search(raw)
    return int(found[1]) if found and int(found[1]) <= fixed.MAX_FIXED else None


def rest_page(body: bytes, symbol: str | None = None) -> Page:
    """The trades of an `aggTrades` answer.

    A row that is no valid trade leaves the others usable. Raises MalformedTrade when the answer
    is no JSON array at all.
    """
    try:
        return Page([_trade(row) for row in _decode_rows(body)], [])
    except _FAULTS:
        pass  # some row is at fault: look at each by itself
    try:
        rows = _split_rows(body)
    except (ValueError, RecursionError) as error:
        raise _malformed(body, f"Not an array of trades: {error}") from None
    trades: list[Trade] = []
    malformed: list[tuple[int, Malformed]] = []
    last_named = -1
    for at, row in enumerate(rows):
        raw = bytes(row)
        try:
            trades.append(_trade(_decode_row(raw)))
            last_named = at
        except _FAULTS as error:
            malformed.append((at, Malformed(symbol, raw, _malformed(raw, error), _id_of(raw))))
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


def stream_batch(messages: Sequence[bytes]) -> Batch:
    """Sort stream messages, combined (`/stream`) or raw (`/ws`), into trades and the rest.

    This runs once for every trade of the exchange: the loop holds the usual case alone.
    """
    decode, decimal, microseconds = _decode_combined, _decimal, FIRST_MICROSECOND_TIMESTAMP
    batch = Batch({}, [], [])
    by_symbol = batch.trades
    for raw in messages:
        try:
            message = decode(raw)
            row = message.data
            time_ms = row.T if microseconds > row.T else row.T // 1000
            trade = checked(
                Trade(row.a, decimal(row.p), decimal(row.q), row.f, row.l, time_ms, row.m)
            )
        except _FAULTS:
            _sort_unusual(raw, batch)
            continue
        if message.stream != trade_stream(row.s):
            batch.malformed.append(_of_another(raw, message.stream, row.s))
            continue
        try:
            by_symbol[row.s].append(trade)
        except KeyError:
            by_symbol[row.s] = [trade]
    return batch


def stream_event(raw: bytes) -> Event:
    """The event that a stream message without data is."""
    try:
        outer = _decode_envelope(raw)
        has_inner = bytes(outer.data).startswith(b"{")
        return _event(outer, _decode_envelope(outer.data) if has_inner else outer)
    except _FAULTS:
        return UnknownEvent("unreadable")


def _sort_unusual(raw: bytes, batch: Batch) -> None:
    """Sort a message that is no valid trade of a combined stream."""
    try:
        outer = _decode_envelope(raw)
        inner = outer
        if bytes(outer.data).startswith(b"{"):
            inner = _decode_envelope(outer.data)
        if "aggTrade" in (inner.e, _kind(outer.stream)):
            row = _decode_event(outer.data or raw)
            if outer.stream not in (None, trade_stream(row.s)):
                batch.malformed.append(_of_another(raw, outer.stream, row.s))
            else:
                trade = _trade(row)
                batch.trades.setdefault(row.s, []).append(trade)
            return
    except _FAULTS as error:
        symbol = _symbol_of(raw)
        batch.malformed.append(Malformed(symbol, raw, _malformed(raw, error), _id_of(raw)))
        return
    batch.events.append(_event(outer, inner))


def _of_another(raw: bytes, stream: object, symbol: str) -> Malformed:
    """A trade whose symbol is not that of its stream: it may belong to either."""
    return Malformed(None, raw, _malformed(raw, f"{symbol} in the stream {stream}"))


def _event(outer: _Envelope, inner: _Envelope) -> Event:
    if inner.e == "serverShutdown" or outer.stream == "!serverShutdown":
        return ServerShutdown()
    identity = outer.id if isinstance(outer.id, int) else None
    if outer.error is not None:
        return Answer(identity, str(outer.error)[:EXCERPT_CHARACTERS])
    if outer.code is not None:
        return Answer(identity, f"{outer.code}: {outer.msg}"[:EXCERPT_CHARACTERS])
    if outer.result is not msgspec.UNSET:
        return Answer(identity, None)
    return UnknownEvent(str(outer.stream or inner.e or "unnamed")[:EXCERPT_CHARACTERS])


def _kind(stream: object) -> str:
    return stream.partition("@")[2] if isinstance(stream, str) else ""


def _symbol_of(raw: bytes) -> str | None:
    """Whose trade a malformed message was meant to be, when its two names agree."""
    names = {
        _name(found[1].rstrip(b'"') + b'"')
        for name in (_SYMBOL, _STREAM_SYMBOL)
        if (found := name.search(raw))
    }
    return names.pop() if len(names) == 1 else None


def _name(text: bytes) -> str | None:
    """The symbol that a JSON string names, in capitals; None when it is none."""
    try:
        name = msgspec.json.decode(text, type=str).upper()
    except msgspec.DecodeError:
        return None
    return name if is_symbol(name) else None


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
        raise _malformed(line, "the buyer-maker column is neither True nor False") from None
    except _FAULTS as error:
        raise _malformed(line, error) from None
