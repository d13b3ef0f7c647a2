"""Messages of the exchange's streams, sorted: trades, events of the connection, and neither.

Nothing malformed gets further. Fields and events that are not known are tolerated: the exchange
adds some now and then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec

from ingest.core.fixed import MAX_FIXED
from ingest.core.symbol import is_symbol
from ingest.core.trade import MAX_NOTIONAL, MAX_RAW_TRADES, Trade

from .page import Malformed
from .parse import (
    EXCERPT_CHARACTERS,
    FAULTS,
    FIRST_MICROSECOND_TIMESTAMP,
    Memo,
    Row,
    decimals,
    id_of,
    malformed_trade,
    trade_of,
)

_SYMBOL: Final = re.compile(rb'"s"\s*:\s*("[^"@]{1,120}")')
_STREAM_SYMBOL: Final = re.compile(rb'"stream"\s*:\s*("[^"@]{1,120})@aggTrade"')


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


class _TradeEvent(Row, gc=False, tag_field="e", tag="aggTrade"):
    s: str


class _Combined(msgspec.Struct, gc=False):
    stream: str
    data: _TradeEvent


_Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_FIXED)]


class _PlainEvent(msgspec.Struct, gc=False, tag_field="e", tag="aggTrade"):
    """A trade with ids in range and a time in milliseconds; others are no `_PlainEvent`."""

    a: _Id
    p: str
    q: str
    f: _Id
    l: _Id  # noqa: E741
    T: Annotated[int, msgspec.Meta(ge=0, lt=FIRST_MICROSECOND_TIMESTAMP)]
    m: bool
    s: str


class _PlainMessage(msgspec.Struct, gc=False):
    stream: str
    data: _PlainEvent


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


def trade_stream(symbol: str) -> str:
    """The name of the stream that carries a symbol's aggregate trades."""
    return f"{symbol.lower()}@aggTrade"


_trade_streams = Memo(trade_stream)


_decode_combined = msgspec.json.Decoder(_Combined).decode
_decode_plain = msgspec.json.Decoder(_PlainMessage).decode
_decode_event = msgspec.json.Decoder(_TradeEvent).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def stream_batch(messages: Sequence[bytes]) -> Batch:
    """Sort stream messages, combined (`/stream`) or raw (`/ws`), into trades and the rest.

    This runs once for every trade of the exchange: the loop takes the trades that are plain to
    see, which `_sort_carefully` would take too, and leaves it all others.
    """
    decode, values, streams = _decode_plain, decimals, _trade_streams
    batch = Batch({}, [], [])
    by_symbol = batch.trades
    for raw in messages:
        try:
            message = decode(raw)
            row = message.data
            price, quantity = values[row.p], values[row.q]
        except FAULTS:
            _sort_carefully(raw, batch)
            continue
        first, last, symbol = row.f, row.l, row.s
        if (
            first <= last < first + MAX_RAW_TRADES
            and 0 < price * quantity <= MAX_NOTIONAL
            and message.stream == streams[symbol]
        ):
            trade = Trade(row.a, price, quantity, first, last, row.T, row.m)
            try:
                by_symbol[symbol].append(trade)
            except KeyError:
                by_symbol[symbol] = [trade]
        else:
            _sort_carefully(raw, batch)
    return batch


def stream_event(raw: bytes) -> Event:
    """The event that a stream message without data is."""
    try:
        outer = _decode_envelope(raw)
        has_inner = bytes(outer.data).startswith(b"{")
        return _event(outer, _decode_envelope(outer.data) if has_inner else outer)
    except FAULTS:
        return UnknownEvent("unreadable")


def _sort_carefully(raw: bytes, batch: Batch) -> None:
    """Sort any message."""
    try:
        message = _decode_combined(raw)
        trade = trade_of(message.data)
    except FAULTS:
        _sort_unusual(raw, batch)
        return
    symbol = message.data.s
    if message.stream == trade_stream(symbol):
        batch.trades.setdefault(symbol, []).append(trade)
    else:
        batch.malformed.append(_of_another(raw, message.stream, symbol))


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
                trade = trade_of(row)
                batch.trades.setdefault(row.s, []).append(trade)
            return
    except FAULTS as error:
        symbol = _symbol_of(raw)
        batch.malformed.append(Malformed(symbol, raw, malformed_trade(raw, error), id_of(raw)))
        return
    batch.events.append(_event(outer, inner))


def _of_another(raw: bytes, stream: object, symbol: str) -> Malformed:
    """A trade whose symbol is not that of its stream: it may belong to either."""
    return Malformed(None, raw, malformed_trade(raw, f"{symbol} in the stream {stream}"))


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
    except ValueError:
        return None
    return name if is_symbol(name) else None
