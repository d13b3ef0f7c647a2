"""Candles of a modelled store, and rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.core.candle import Candle, filled
from ingest.core.rows import Rows
from ingest.core.timeframe import MINUTE_MS, width_ms
from ingest.storage.candles import Candles
from ingest.storage.forms import Form
from ingest.storage.pages import Pages
from ingest.storage.recompute import MINUTES, Frames, Terms

from .connection import ModelConnection
from .tables import month_of


class ModelCandles(Candles):
    """Candles on a disk."""

    _connection: ModelConnection

    def traded(self, symbol: str, timeframe: int, start: int, end: int) -> list[Candle]:
        """The buckets with trades in [start, end)."""
        disk = self._connection.reading()
        if timeframe == MINUTES:
            return disk.minutes[symbol].between(start, end)
        split = self._written_until(symbol, timeframe, end)
        width = width_ms(timeframe)
        if split is None:
            return disk.minutes[symbol].buckets(width, start, end)
        written = disk.candles[symbol, timeframe].between(start, split)
        if split < end:
            written += disk.minutes[symbol].buckets(width, max(split, start), end)
        return written

    def _parts(
        self, symbol: str, since: Mapping[int, int], until: int
    ) -> dict[tuple[int, int], Candle]:
        minutes = self._connection.reading().minutes[symbol]
        return {
            (timeframe, candle.candle_time): candle
            for timeframe, start in since.items()
            for candle in minutes.buckets(width_ms(timeframe), start, until)
        }

    def _last_minute_from(self, symbol: str, since: int, last: int) -> tuple[int, int] | None:
        minute = self._connection.reading().minutes[symbol].last(since, last)
        return None if minute is None else (minute.candle_time, minute.close)

    def _first_minute_from(self, symbol: str, since: int) -> int | None:
        return self._connection.reading().minutes[symbol].first(since)

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored; None when there is none."""
        starts = self._connection.reading().minutes[symbol].starts
        return starts[-1] if starts else None

    def _delete(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        kind = "delete minutes" if timeframe == MINUTES else "delete candles"
        disk = self._connection.begin(kind)
        rows = disk.minutes[symbol] if timeframe == MINUTES else disk.candles[symbol, timeframe]
        rows.remove(times)
        self._connection.end(kind)

    def _write_minutes(self, terms: Terms) -> None:
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

    def _write_buckets(self, terms: Terms, frames: Frames) -> None:
        disk = self._connection.begin("write candles")
        rows = []
        for _, symbols in terms:
            for symbol in symbols:
                for width, since, until in frames[symbol]:
                    candles = disk.minutes[symbol].buckets(width, since, until)
                    rows += [(symbol, width // MINUTE_MS, candle) for candle in candles]
        disk.put_candles(rows)
        self._connection.end("write candles")


class ModelPages(Pages):
    """Rows of candles as the engine writes them."""

    def _filled(
        self, symbol: str, timeframe: int, start: int, end: int, form: Form[Candle]
    ) -> Rows:
        traded = self._candles.traded(symbol, timeframe, start, end)
        candles = filled(traded, start, end, width_ms(timeframe), None)
        times = [candle.candle_time for candle in candles]
        return Rows(times, [form.encode(candle).encode() for candle in candles])
