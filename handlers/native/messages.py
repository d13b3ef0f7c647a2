"""The messages that the stream sends by itself, as the bytes that clients get.

Each is encoded once and sent to many, by encoders that are generated from the document.
"""

from __future__ import annotations

from collections.abc import Sequence

from generated.native import encoders
from generated.native.encoders import (
    CandleJson,
    DataStatusJson,
    HeartbeatJson,
    InitialHistoryJson,
    OhlcvUpdateJson,
)
from ingest.core.candle import Candle
from ingest.core.fixed import text
from ingest.core.status import DataStatus
from ingest.pipeline.pair import Pair


def ohlcv_update(pair: Pair, candle: Candle | None, status: DataStatus) -> OhlcvUpdateJson:
    """One candle as it is now, or null while the data is not complete."""
    return encoders.ohlcv_update(
        symbol=pair.symbol,
        timeframe=pair.label,
        data=None if candle is None else _candle(candle),
        data_status=data_status(status),
    )


def initial_history(
    pair: Pair, requested: int, candles: Sequence[Candle], status: DataStatus
) -> InitialHistoryJson:
    """The newest candles, oldest first."""
    return encoders.initial_history(
        symbol=pair.symbol,
        timeframe=pair.label,
        requested_candles=requested,
        actual_candles=len(candles),
        data_status=data_status(status),
        candles=map(_candle, candles),
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


def _candle(candle: Candle) -> CandleJson:
    return encoders.candle(
        candle_time=candle.candle_time,
        open=text(candle.open),
        high=text(candle.high),
        low=text(candle.low),
        close=text(candle.close),
        volume=text(candle.volume),
        trades_count=candle.trades_count,
        taker_buy_volume=text(candle.taker_buy_volume),
        taker_sell_volume=text(candle.taker_sell_volume),
    )
