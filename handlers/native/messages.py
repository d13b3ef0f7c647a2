"""The messages that the stream sends by itself, as the bytes that clients get.

Each is encoded once and sent to many, by encoders that are generated from the document.
"""

from __future__ import annotations

from generated.native import encoders
from generated.native.encoders import (
    DataStatusJson,
    HeartbeatJson,
    InitialHistoryJson,
    OhlcvUpdateJson,
)
from handlers.native import forms
from ingest.core.candle import Candle
from ingest.core.status import DataStatus
from ingest.pipeline.pair import Pair
from ingest.pipeline.view import History


def ohlcv_update(pair: Pair, candle: Candle | None, status: DataStatus) -> OhlcvUpdateJson:
    """One candle as it is now, or null while the data is not complete."""
    return encoders.ohlcv_update(
        symbol=pair.symbol,
        timeframe=pair.label,
        data=None if candle is None else forms.candle_json(candle),
        data_status=data_status(status),
    )


def initial_history(pair: Pair, requested: int, history: History) -> InitialHistoryJson:
    """The newest candles, oldest first."""
    return encoders.initial_history(
        symbol=pair.symbol,
        timeframe=pair.label,
        requested_candles=requested,
        actual_candles=history.count,
        data_status=data_status(history.status),
        candles=forms.candles(history.closed, history.live),
    )


def heartbeat(timestamp_ms: int, connections: int) -> HeartbeatJson:
    """A heartbeat, with the number of open connections."""
    return encoders.heartbeat(timestamp=timestamp_ms, connections_count=connections)


def data_status(status: DataStatus) -> DataStatusJson:
    """How far the data can be relied upon."""
    return encoders.data_status(
        historical_loading=status.historical_loading,
        gap_recovery=status.gap_recovery,
        data_quality=status.quality,
        last_complete_timestamp=status.last_complete_id,
    )
