"""Trades as Arrow columns, without a Decimal object on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..core.fixed import DECIMALS
from ..core.trade import Trade

Int64s = npt.NDArray[np.int64]


def of_trades(batch: Mapping[str, Sequence[Trade]]) -> pa.Table:
    """The rows of the table `trades` for the trades of many symbols."""
    trades = [trade for part in batch.values() for trade in part]
    sizes = [len(part) for part in batch.values()]
    symbols = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    count = len(trades)
    return pa.table(
        {
            "symbol": pa.DictionaryArray.from_arrays(
                pa.array(symbols), pa.array(list(batch), pa.string())
            ),
            "aggregate_id": _int64s([trade.aggregate_id for trade in trades]),
            "price": decimals(_int64s([trade.price for trade in trades])),
            "quantity": decimals(_int64s([trade.quantity for trade in trades])),
            "first_trade_id": _int64s([trade.first_trade_id for trade in trades]),
            "last_trade_id": _int64s([trade.last_trade_id for trade in trades]),
            "timestamp": _int64s([trade.timestamp for trade in trades]),
            "is_buyer_maker": np.fromiter(
                (trade.is_buyer_maker for trade in trades), dtype=np.bool_, count=count
            ),
        }
    )


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


def _int64s(values: Sequence[int]) -> Int64s:
    return np.array(values, dtype=np.int64)
