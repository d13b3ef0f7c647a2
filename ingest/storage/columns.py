"""Trades as Arrow columns, without a Decimal object on the way.

Arrays are made from their buffers: `pyarrow.array` imports pandas, where it is installed, only to
look whether it was given something of it, and that takes 33 MB of memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import astuple

from ..core.fixed import DECIMALS
from ..core.trade import Trade

Int64s = npt.NDArray[np.int64]

_INT64 = pa.int64()


def of_trades(batch: Mapping[str, Sequence[Trade]]) -> pa.Table:
    """The rows of the table `trades` for the trades of many symbols."""
    sizes = [len(part) for part in batch.values()]
    symbols = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    fields = _fields(chain.from_iterable(batch.values()), sum(sizes))
    return pa.table(
        {
            "symbol": pa.DictionaryArray.from_arrays(
                integers(symbols, pa.int32()), texts(map(str.encode, batch), pa.string())
            ),
            "aggregate_id": integers(fields["aggregate_id"]),
            "price": decimals(fields["price"]),
            "quantity": decimals(fields["quantity"]),
            "first_trade_id": integers(fields["first_trade_id"]),
            "last_trade_id": integers(fields["last_trade_id"]),
            "timestamp": integers(fields["timestamp"]),
            "is_buyer_maker": booleans(fields["is_buyer_maker"]),
        }
    )


def _fields(trades: Iterable[Trade], count: int) -> dict[str, Int64s]:
    """The values of each field of some trades: each trade is visited once, as one tuple."""
    names = Trade.__struct_fields__
    values = chain.from_iterable(map(astuple, trades))
    rows = np.fromiter(values, np.int64, count * len(names)).reshape(count, len(names))
    return dict(zip(names, np.ascontiguousarray(rows.T), strict=True))


def integers(values: npt.NDArray[Any], kind: pa.DataType = _INT64) -> pa.Array:
    """Integers, or times, that are as wide as those of this kind."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def booleans(values: Int64s) -> pa.Array:
    """A bit for each value: whether it is not 0."""
    bits = np.packbits(values != 0, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def texts(values: Iterable[bytes], kind: pa.DataType) -> pa.Array:
    """Strings in UTF-8, or byte strings: where each ends, then all of them as one."""
    parts = list(values)
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(kind, len(parts), buffers)


def decimals(values: Int64s) -> pa.Array:
    """Decimal128(38, 8) of integers in units of 1e-8.

    A Decimal128 is its unscaled value as a 128-bit little-endian integer: the value, then its sign.
    """
    wide = np.empty((len(values), 2), dtype="<i8")
    wide[:, 0] = values
    wide[:, 1] = values >> 63
    return pa.Array.from_buffers(
        pa.decimal128(38, DECIMALS), len(values), [None, pa.py_buffer(wide)]
    )
