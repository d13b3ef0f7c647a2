"""Trades as Arrow columns, without a Decimal object on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import astuple

from ..core.fixed import DECIMALS
from ..core.trade import Trade

Int64s = npt.NDArray[np.int64]


def of_trades(batch: Mapping[str, Sequence[Trade]]) -> pa.Table:
    """The rows of the table `trades` for the trades of many symbols."""
    sizes = [len(part) for part in batch.values()]
    symbols = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    fields = _fields(chain.from_iterable(batch.values()), sum(sizes))
    return pa.table(
        {
            "symbol": pa.DictionaryArray.from_arrays(
                pa.array(symbols), pa.array(list(batch), pa.string())
            ),
            "aggregate_id": fields["aggregate_id"],
            "price": decimals(fields["price"]),
            "quantity": decimals(fields["quantity"]),
            "first_trade_id": fields["first_trade_id"],
            "last_trade_id": fields["last_trade_id"],
            "timestamp": fields["timestamp"],
            "is_buyer_maker": fields["is_buyer_maker"].astype(np.bool_),
        }
    )


def _fields(trades: Iterable[Trade], count: int) -> dict[str, Int64s]:
    """The values of each field of some trades: each trade is visited once, as one tuple."""
    names = Trade.__struct_fields__
    values = chain.from_iterable(map(astuple, trades))
    rows = np.fromiter(values, np.int64, count * len(names)).reshape(count, len(names))
    return dict(zip(names, np.ascontiguousarray(rows.T), strict=True))


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
