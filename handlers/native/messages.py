"""Candles as the bytes that clients get: written once, sent to many.

The texts are put together by hand because they are the hot path; the tests hold them to the
document's schemas and to a generic encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.core.candle import Candle
from ingest.core.fixed import text
from ingest.core.status import DataStatus
from ingest.core.timeframe import label
from ingest.pipeline.pair import Pair


def ohlcv_update(pair: Pair, candle: Candle | None, status: DataStatus) -> bytes:
    """One candle as it is now, or null while the data is not complete."""
    data = "null" if candle is None else _candle(candle)
    return (
        f'{{"type":"ohlcv_update","symbol":"{pair.symbol}","timeframe":"{label(pair.timeframe)}",'
        f'"data":{data},"data_status":{data_status(status)}}}'
    ).encode()


def initial_history(
    pair: Pair, requested: int, candles: Sequence[Candle], status: DataStatus
) -> bytes:
    """The newest candles, oldest first."""
    timeframe = label(pair.timeframe)
    return (
        f'{{"type":"initial_history","symbol":"{pair.symbol}","timeframe":"{timeframe}",'
        f'"requested_candles":{requested},"actual_candles":{len(candles)},'
        f'"data_status":{data_status(status)},"candles":[{",".join(map(_candle, candles))}]}}'
    ).encode()


def heartbeat(timestamp_ms: int, connections: int) -> bytes:
    """A heartbeat, with the number of open connections."""
    return (
        f'{{"type":"heartbeat","timestamp":{timestamp_ms},"connections_count":{connections}}}'
    ).encode()


def _candle(candle: Candle) -> str:
    return (
        f'{{"candle_time":{candle.candle_time},"open":{text(candle.open)},'
        f'"high":{text(candle.high)},"low":{text(candle.low)},"close":{text(candle.close)},'
        f'"volume":{text(candle.volume)},"trades_count":{candle.trades_count},'
        f'"taker_buy_volume":{text(candle.taker_buy_volume)},'
        f'"taker_sell_volume":{text(candle.taker_sell_volume)}}}'
    )


def data_status(status: DataStatus) -> str:
    """How far the data can be relied upon."""
    last = "null" if status.last_complete_id is None else status.last_complete_id
    return (
        f'{{"historical_loading":{_boolean(status.historical_loading)},'
        f'"gap_recovery":{_boolean(status.gap_recovery)},'
        f'"data_quality":"{status.quality.value}","last_complete_timestamp":{last}}}'
    )


def _boolean(value: bool) -> str:
    return "true" if value else "false"
