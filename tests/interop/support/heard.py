"""What comes over streams, kept until it is compared."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.interop.support.place import STREAM_SECONDS, SYMBOLS
from tests.interop.support.report import STREAM, Report
from tests.interop.support.rows import COUNT, Row, Rows, event_kline, event_trade, minutes

Series = tuple[str, int]
"""A symbol and the minutes of its candles."""


class Heard:
    """The candles and trades that a client got over streams."""

    def __init__(self) -> None:
        self.closed: dict[Series, Rows] = defaultdict(dict)
        self.made: dict[tuple[Series, int], Rows] = defaultdict(dict)
        """The versions of each open candle, by their number of trades."""
        self.trades: dict[str, Rows] = defaultdict(dict)
        self._end = time.monotonic() + STREAM_SECONDS

    @property
    def seconds_left(self) -> float:
        """How long to listen on."""
        return max(0.0, self._end - time.monotonic())

    def event(self, event: Mapping[str, Any]) -> None:
        """Keep what Binance's streams send; others than candles and trades are passed over."""
        event = event.get("data", event)
        if event.get("e") == "aggTrade":
            self.trades[event["s"]][event["a"]] = event_trade(event)
        elif event.get("e") == "kline":
            kline = event["k"]
            series, at, values = (event["s"], minutes(kline["i"])), kline["t"], event_kline(kline)
            if kline["x"]:
                assert at not in self.closed[series], f"{series} {at} was closed twice"
                self.closed[series][at] = values
            else:
                self.made[series, at][kline["n"]] = values

    def version(self, series: Series, at: int, values: Row) -> None:
        """Keep a version of a candle, of a stream that does not say which is the last."""
        self.made[series, at][int(values[COUNT])] = values

    def finish(self) -> None:
        """Take the last version of a candle as final where a later candle came."""
        for series, at in self.made:
            if any(other == series and later > at for other, later in self.made):
                versions = self.made[series, at]
                self.closed[series][at] = versions[max(versions)]

    def compare(self, report: Report) -> None:
        """Compare all of it; each symbol needs a closed candle and a trade."""
        for symbol in SYMBOLS:
            assert self.trades[symbol], f"no trade of {symbol} came"
            report.trades(STREAM, symbol, self.trades[symbol])
        self.compare_candles(report)

    def compare_candles(self, report: Report) -> None:
        """Compare the candles; each symbol needs a closed one."""
        for symbol in SYMBOLS:
            assert self.closed[symbol, 1], f"no closed candle of {symbol} came"
        for (symbol, width), rows in self.closed.items():
            report.candles(STREAM, symbol, width, rows)
        for ((symbol, width), at), versions in self.made.items():
            report.open_candle(STREAM, symbol, width, at, versions)
