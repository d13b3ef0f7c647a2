"""The messages that the stream sends by itself, as the bytes that clients get.

Each is encoded once and sent to many, by encoders that are generated from the document.
"""

from __future__ import annotations

from generated.native import encoders
from generated.native.encoders import (
    DataStatusJson,
    HeartbeatJson,
    InitialHistoryJson,
    InitialTickersJson,
    LiveTickerJson,
    LoadingJson,
    OhlcvUpdateJson,
    TickerUpdateJson,
)
from handlers.native import forms
from ingest.core.candle import Candle
from ingest.core.fixed import DECIMALS, text
from ingest.core.loading import Loading
from ingest.core.status import DataStatus
from ingest.pipeline.feed import Feed
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


def initial_tickers(timestamp_ms: int, tickers: bytes) -> InitialTickersJson:
    """Every followed symbol in short."""
    return encoders.initial_tickers(timestamp=timestamp_ms, tickers=tickers)


def ticker_update(symbol: str, ticker: LiveTickerJson | None) -> TickerUpdateJson:
    """One symbol in short as it is now, or null when it is followed no longer."""
    return encoders.ticker_update(symbol=symbol, data=ticker)


def live_ticker(
    feed: Feed, exchange_status: str, total: Candle | None, download: Loading | None
) -> LiveTickerJson:
    """A symbol in short: its newest trade, and the sums of its latest hours where known."""
    last = feed.last_trade
    return encoders.live_ticker(
        symbol=feed.symbol,
        exchange_status=exchange_status,
        data_quality=feed.state.quality,
        price=None if last is None else text(last.price),
        last_trade_time=None if last is None else last.timestamp,
        since=None if total is None else total.candle_time,
        open=None if total is None else text(total.open),
        high=None if total is None else text(total.high),
        low=None if total is None else text(total.low),
        volume=None if total is None else text(total.volume),
        quote_volume=None if total is None else text(total.quote_volume, 2 * DECIMALS),
        loading=None if download is None else loading(download),
    )


def loading(download: Loading) -> LoadingJson:
    """How far the download of a symbol's history has come."""
    seconds = download.seconds_left
    return encoders.loading(
        loaded=download.loaded,
        total=download.total,
        trades_per_second=download.trades_per_second,
        seconds_left=None if seconds is None else str(seconds),
    )


def data_status(status: DataStatus) -> DataStatusJson:
    """How far the data can be relied upon."""
    return encoders.data_status(
        historical_loading=status.historical_loading,
        gap_recovery=status.gap_recovery,
        data_quality=status.quality,
        last_complete_timestamp=status.last_complete_id,
    )
