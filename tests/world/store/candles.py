"""Candles of a modelled store, and rows of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ingest.core.candle import Candle, filled
from ingest.core.rows import Rows
from ingest.core.timeframe import MINUTE_MS, width_ms
from ingest.storage.buckets import Buckets, Origin, Pair
from ingest.storage.forms import Form
from ingest.storage.pages import Pages
from ingest.storage.recompute import MINUTES, Frames, Terms

from .connection import ModelConnection
from .tables import month_of


class ModelBuckets(Buckets):
    """Minutes and candles on a disk."""

    _connection: ModelConnection

    def traded(
        self, symbol: str, timeframe: int, start: int, end: int, origin: Origin
    ) -> list[Candle]:
        """The buckets with trades in [start, end): of their own rows, or of the minutes alone."""
        disk = self._connection.reading()
        if timeframe == MINUTES:
            return disk.minutes[symbol].between(start, end)
        split = start
        if timeframe == origin.timeframe:
            split = max(start, min(end, origin.until_ms))
        written = disk.candles[symbol, timeframe].between(start, split)
        return written + disk.minutes[symbol].buckets(width_ms(timeframe), split, end)

    def parts(
        self, symbol: str, since: Mapping[int, int], until: int
    ) -> dict[tuple[int, int], Candle]:
        """The buckets of the minutes before a time, by timeframe and start."""
        minutes = self._connection.reading().minutes[symbol]
        return {
            (timeframe, candle.candle_time): candle
            for timeframe, start in since.items()
            for candle in minutes.buckets(width_ms(timeframe), start, until)
        }

    def last_minute(self, symbol: str, since: int, last: int) -> tuple[int, int] | None:
        """Start and close of the last minute that starts from `since` to `last`."""
        minute = self._connection.reading().minutes[symbol].last(since, last)
        return None if minute is None else (minute.candle_time, minute.close)

    def first_minute(self, symbol: str, since: int) -> int | None:
        """The start of the first minute from a time on."""
        return self._connection.reading().minutes[symbol].first(since)

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored; None when there is none."""
        starts = self._connection.reading().minutes[symbol].starts
        return starts[-1] if starts else None

    def with_rows(self, pairs: Collection[Pair]) -> frozenset[Pair]:
        """Those of some pairs that have candles."""
        if not pairs:
            return frozenset()
        candles = self._connection.reading().candles
        return frozenset(pair for pair in pairs if pair in candles and candles[pair].starts)

    def write_minutes(self, terms: Terms) -> None:
        """Write the minutes in these spans anew from the trades."""
        kind = "write minutes"
        disk = self._connection.begin(kind)
        parts: dict[int, list[tuple[str, Candle]]] = {}
        for (since, until), symbols in terms:
            for symbol in symbols:
                for candle in disk.trades[symbol].candles(since, until):
                    parts.setdefault(month_of(candle.candle_time), []).append((symbol, candle))
        for number, (month, part) in enumerate(parts.items()):
            if number:
                self._connection.begin(kind)
            disk.put_minutes(month, part)
        self._connection.end(kind)

    def write(self, terms: Terms, frames: Frames) -> None:
        """Write the buckets of these frames anew from the minutes."""
        disk = self._connection.begin("write candles")
        rows = []
        for _, symbols in terms:
            for symbol in symbols:
                for width, since, until in frames[symbol]:
                    candles = disk.minutes[symbol].buckets(width, since, until)
                    rows += [(symbol, width // MINUTE_MS, candle) for candle in candles]
        disk.put_candles(rows)
        self._connection.end("write candles")

    def fill(self, symbol: str, timeframe: int, start: int, end: int, origin: Origin) -> None:
        """Write all buckets in [start, end)."""
        disk = self._connection.begin("fill candles")
        candles = disk.minutes[symbol].buckets(width_ms(timeframe), start, end)
        disk.put_candles([(symbol, timeframe, candle) for candle in candles])
        self._connection.end("fill candles")

    def forget(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete the candles that begin at these times."""
        kind = "delete minutes" if timeframe == MINUTES else "delete candles"
        disk = self._connection.begin(kind)
        rows = disk.minutes[symbol] if timeframe == MINUTES else disk.candles[symbol, timeframe]
        rows.remove(times)
        self._connection.end(kind)

    def delete(self, pairs: Collection[Pair]) -> None:
        """Delete all candles of these pairs."""
        disk = self._connection.begin("delete candles")
        for pair in pairs:
            disk.candles.pop(pair, None)
        self._connection.end("delete candles")


class ModelPages(Pages):
    """Rows of candles as the engine writes them."""

    def _filled(
        self, symbol: str, timeframe: int, start: int, end: int, form: Form[Candle]
    ) -> Rows:
        traded = self._candles.traded(symbol, timeframe, start, end)
        candles = filled(traded, start, end, width_ms(timeframe), None)
        times = [candle.candle_time for candle in candles]
        return Rows(times, [form.encode(candle).encode() for candle in candles])
