"""Trades and messages in the exchange's encoding: JSON texts and WebSocket frames."""

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

import numpy as np

from simulator.trades import E8, Bools, Ints, RawTrade, Trades

OP_TEXT: Final = 1
OP_BINARY: Final = 2
OP_PING: Final = 9
OP_PONG: Final = 10

_REST_ROW = '{"a":%d,"p":"%d.%08d","q":"%d.%08d","f":%d,"l":%d,"T":%d,"m":%s,"M":%s}'  # one trade
_EVENT = (
    '{"e":"aggTrade","E":%d,"s":"SYMBOL","a":%d,"p":"%d.%08d","q":"%d.%08d",'
    '"f":%d,"l":%d,"T":%d,"m":%s,"M":%s}'
)
_TOMBSTONE = ('"p":"0.00000000","q":"0.00000000"', '"p":"0","q":"0"')
_CLOSES = re.compile(r'"(?:T":[0-9]{13}(?=,"s")|C":[0-9]{13})')
_TIMES = re.compile(r'"(?:[EtO]|T)":[0-9]{13}(?![0-9])')
"""Of a message's data. A kline ends and a ticker closes at the end of their last millisecond."""
_SMALL_FRAME = 126
_MEDIUM_FRAME = 1 << 16
# Headers of short text frames as latin-1 text, so that joined frames are encoded once.
_HEADERS = ["\x81" + chr(n) for n in range(_SMALL_FRAME)] + [
    "\x81\x7e" + chr(n >> 8) + chr(n & 255) for n in range(_SMALL_FRAME, 1024)
]


def decimal(value: int) -> str:
    """Write a value in units of 1e-8 with its 8 decimals."""
    return f"{value // E8}.{value % E8:08d}"


def rest_rows(trades: Trades) -> list[str]:
    """Write trades as the rows of the JSON array of `GET /api/v3/aggTrades`."""
    return _write(_REST_ROW, _columns(trades), trades)


def events(symbol: str, trades: Trades) -> list[str]:
    """Write each trade as the data of an `aggTrade` stream message.

    The event time is the trade time, so that a message depends only on its trade.
    """
    columns = _columns(trades)
    return _write(_EVENT.replace("SYMBOL", symbol), [columns[7], *columns], trades)


def raw_row(trade: RawTrade) -> dict[str, object]:
    """Return a trade as a row of `GET /api/v3/trades`."""
    return {
        "id": trade.id,
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "quoteQty": decimal(trade.price * trade.quantity // E8),
        "time": trade.time_us // 1000,
        "isBuyerMaker": trade.buyer_maker,
        "isBestMatch": trade.best_match,
    }


def raw_event(symbol: str, trade: RawTrade) -> str:
    """Write a trade as the data of a `trade` stream message."""
    time_ms = trade.time_us // 1000
    maker, best = str(trade.buyer_maker).lower(), str(trade.best_match).lower()
    return (
        f'{{"e":"trade","E":{time_ms},"s":"{symbol}","t":{trade.id},"p":"{decimal(trade.price)}",'
        f'"q":"{decimal(trade.quantity)}","T":{time_ms},"m":{maker},"M":{best}}}'
    )


def in_microseconds(text: str) -> str:
    """Rewrite the times of a message's data, all of them in milliseconds, as microseconds."""
    text = _CLOSES.sub(r"\g<0>999", text)
    return _TIMES.sub(r"\g<0>000", text)


def combined(stream: str, data: Iterable[str]) -> list[str]:
    """Wrap stream data in the form of combined streams."""
    head = '{"stream":"' + stream + '","data":'
    return [head + text + "}" for text in data]


def frames(texts: list[str]) -> tuple[bytes, list[int]]:
    """Frame messages for a client; also return the offset of each frame, and of the end."""
    if not all(map(str.isascii, texts)):
        texts = [text.encode().decode("latin-1") for text in texts]  # a character is a byte
    framed = [_header(len(text)) + text for text in texts]
    offsets = [0, *accumulate(map(len, framed))]
    return "".join(framed).encode("latin-1"), offsets


def frame(payload: bytes, opcode: int = OP_TEXT) -> bytes:
    """Frame one message from server to client: final and unmasked."""
    size = len(payload)
    if size < _SMALL_FRAME:
        return bytes((0x80 | opcode, size)) + payload
    if size < _MEDIUM_FRAME:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8) + payload


def _header(size: int) -> str:
    if size < len(_HEADERS):
        return _HEADERS[size]
    return (frame(b"\0" * size)[:-size]).decode("latin-1")


def _columns(trades: Trades) -> list[list[object]]:
    return [
        trades.ids.tolist(),
        *_parts(trades.price),
        *_parts(trades.quantity),
        trades.first.tolist(),
        trades.last.tolist(),
        trades.time_ms.tolist(),
        _json_booleans(trades.buyer_maker),
        _json_booleans(trades.best_match),
    ]


def _parts(values: Ints) -> tuple[list[object], list[object]]:
    return (values // E8).tolist(), (values % E8).tolist()


def _json_booleans(values: Bools) -> list[object]:
    return ["true" if value else "false" for value in values.tolist()]


def _write(template: str, columns: list[list[object]], trades: Trades) -> list[str]:
    texts = [template % row for row in zip(*columns, strict=True)]
    for index in np.flatnonzero(trades.tombstones).tolist():
        texts[index] = texts[index].replace(*_TOMBSTONE)
    return texts
