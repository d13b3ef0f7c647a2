"""Candles of a modelled store, and pages of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generated.native.facts import HISTORY_CANDLE_FIELDS
from ingest.core.candle import Candle, flat
from ingest.core.fixed import text
from ingest.core.timeframe import MINUTE_MS, width_ms
from ingest.storage.candles import Candles
from ingest.storage.pages import CandlePage, Pages
from ingest.storage.recompute import MINUTES, Frames, Terms

from .connection import ModelConnection
from .tables import folded, month_of


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

    def _folded(self, symbol: str, timeframe: int, start: int, end: int) -> Candle | None:
        minutes = self._connection.reading().minutes[symbol].between(start, end)
        return folded(minutes, start) if minutes else None

    def _last_minute_from(self, symbol: str, since: int, last: int) -> tuple[int, int] | None:
        minute = self._connection.reading().minutes[symbol].last(since, last)
        return None if minute is None else (minute.candle_time, minute.close)

    def _first_minute_from(self, symbol: str, since: int) -> int | None:
        return self._connection.reading().minutes[symbol].first(since)

    def watermark(self, symbol: str) -> int | None:
        """The start of the last minute stored; None when there is none."""
        starts = self._connection.reading().minutes[symbol].starts
        return starts[-1] if starts else None

    def forget(self, symbol: str, timeframe: int, times: Sequence[int]) -> None:
        """Delete candles."""
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
    """Pages of candles as the engine formats them."""

    def candles_json(self, page: CandlePage) -> bytes:
        """The candles as a JSON array of objects."""
        assert page.start_ms <= page.end_ms, "the engine refuses a page that ends before it starts"
        given = self._given(page)
        rows = self._candles.traded(
            page.symbol, page.timeframe, page.start_ms, page.stored_until_ms
        )
        shown = _filled(page, sorted([*rows, *given], key=lambda candle: candle.candle_time))
        body = ",\n".join(_object(candle, page.live_from_ms) for candle in shown)
        return f"[\n{body}\n]\n".encode()


def _filled(page: CandlePage, candles: Iterable[Candle]) -> list[Candle]:
    """The candles of a page with flat ones where there are none."""
    width = width_ms(page.timeframe)
    shown: list[Candle] = []
    close, time = 0, page.start_ms
    for candle in candles:
        shown += [flat(quiet, close) for quiet in range(time, candle.candle_time, width)]
        close, time = candle.close, max(time, candle.candle_time + width)
        if candle.candle_time >= page.start_ms:
            shown.append(candle)
    return shown + [flat(quiet, close) for quiet in range(time, page.end_ms, width)]


def _object(candle: Candle, live_from_ms: int) -> str:
    if candle.is_flat:
        candle = flat(candle.candle_time, candle.close)
    values = {
        "candle_time": str(candle.candle_time),
        "trades_count": str(candle.trades_count),
        "closed": "true" if candle.candle_time < live_from_ms else "false",
    }
    fields = (
        f'"{name}":{values.get(name) or text(getattr(candle, name))}'
        for name in HISTORY_CANDLE_FIELDS
    )
    return "{" + ",".join(fields) + "}"
