"""The state of `watch`: candles and progress of each subscription, from server messages. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from generated.native.facts import CANDLE_COUNT_MAXIMUM, TIMESTAMP_MS_MAXIMUM, DataQuality
from generated.native.models import Loading
from ingest.pipeline.pair import Pair

MAX_DIGITS = 24
"""The digits accepted in a figure: with more, axes could not be exact."""
MAX_TEXT = 200


class Bar(NamedTuple):
    """One candle: its start in milliseconds, all else exact decimals."""

    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass
class Series:
    """The candles of one subscription and their status."""

    pair: Pair
    quality: str = "waiting"
    """The server's `data_quality`, or `waiting` before its first message, or `refused`."""
    note: str = ""
    """The reason of a refusal."""
    loading: Loading | None = None
    """How far the download of its history has come, if there is one."""
    _bars: dict[int, Bar] = field(default_factory=dict)

    @property
    def bars(self) -> Sequence[Bar]:
        """The newest candles, oldest first."""
        return [self._bars[time_ms] for time_ms in sorted(self._bars)[-CANDLE_COUNT_MAXIMUM:]]

    @property
    def is_settled(self) -> bool:
        """Whether the subscription is refused or has complete candles."""
        return self.quality == "refused" or (self.quality == "complete" and bool(self._bars))

    def replace(self, bars: Iterable[Bar]) -> None:
        """Replace all candles."""
        self._bars = {bar.time_ms: bar for bar in bars}

    def update(self, bar: Bar) -> None:
        """Add or update a candle."""
        self._bars[bar.time_ms] = bar
        if len(self._bars) > 2 * CANDLE_COUNT_MAXIMUM:
            self.replace(self.bars)


class Watched:
    """All subscriptions, updated by the server's messages."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.series = {pair: Series(pair) for pair in pairs}

    @property
    def is_loading(self) -> bool:
        """Whether the history of a symbol is being downloaded."""
        return any(series.quality == DataQuality.LOADING for series in self.series.values())

    def subscription(self, candles: int) -> str:
        """The request that subscribes to all of them."""
        timeframes: dict[str, list[dict[str, int]]] = {}
        for pair in self.series:
            wanted = {"timeframe": pair.timeframe, "initial_candles": candles}
            timeframes.setdefault(pair.symbol, []).append(wanted)
        subscriptions = [{"symbol": s, "timeframes": wanted} for s, wanted in timeframes.items()]
        return json.dumps({"action": "subscribe", "subscriptions": subscriptions})

    def hear(self, text: str) -> None:
        """Process a message; ignore a malformed one."""
        try:
            message = json.loads(
                text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
            )
            self._hear(message)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
            return

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "subscription_result":
            for failed in message["failed_subscriptions"]:
                self._refused(failed["symbol"], failed.get("timeframe"), failed["message"])
        elif kind == "error":
            for series in self.series.values():
                series.quality, series.note = "refused", printable(message["message"])
        elif kind == "initial_tickers":
            for row in message["tickers"]:
                self._progressed(row["symbol"], row["loading"])
        elif kind == "ticker_update":
            row = message["data"]
            self._progressed(message["symbol"], row and row["loading"])
        elif kind in ("initial_history", "ohlcv_update"):
            self._hear_candles(message)

    def _hear_candles(self, message: dict[str, Any]) -> None:
        pair = Pair(message["symbol"], int(message["timeframe"].removesuffix("m")))
        series = self.series[pair]
        series.quality = printable(message["data_status"]["data_quality"])
        if message["type"] == "initial_history":
            if bars := [_bar(candle) for candle in message["candles"]]:
                series.replace(bars)
        elif message["data"] is not None:
            series.update(_bar(message["data"]))

    def _progressed(self, symbol: str, loading: dict[str, Decimal | None] | None) -> None:
        of_symbol = [series for pair, series in self.series.items() if pair.symbol == symbol]
        if of_symbol:
            progress = _loading(loading) if loading is not None else None
            for series in of_symbol:
                series.loading = progress

    def _refused(self, symbol: str, timeframe: Decimal | None, words: str) -> None:
        for pair, series in self.series.items():
            if pair.symbol == symbol and timeframe in (None, pair.timeframe):
                series.quality, series.note = "refused", printable(words)


def _loading(figures: dict[str, Decimal | None]) -> Loading:
    """Parse the progress of a download; raises ValueError when it is invalid."""
    seconds_left = figures["seconds_left"]
    counts = {name: int(figures[name] or 0) for name in ("loaded", "total", "trades_per_second")}
    return Loading(**counts, seconds_left=None if seconds_left is None else float(seconds_left))


def _bar(candle: dict[str, Decimal]) -> Bar:
    """Parse a candle of a message; raises ValueError when it is invalid."""
    names = ("open", "high", "low", "close", "volume")
    bar = Bar(int(candle["candle_time"]), *(candle[name] for name in names))
    for figure in bar[1:]:
        digits = len(figure.as_tuple().digits)
        if figure < 0 or digits > MAX_DIGITS or abs(figure.adjusted()) > MAX_DIGITS:
            raise ValueError(f"{digits} digits are no price or volume")
    if not (0 <= bar.time_ms <= TIMESTAMP_MS_MAXIMUM and bar.low <= min(bar.open, bar.close)):
        raise ValueError("time or low is out of range")
    if bar.high < max(bar.open, bar.close):
        raise ValueError("high is out of range")
    return bar


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no decimal")


def printable(text: str) -> str:
    """Text of the server without terminal control characters."""
    return "".join(letter for letter in text[:MAX_TEXT] if letter.isprintable())
