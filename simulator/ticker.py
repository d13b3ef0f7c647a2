"""The figures of the latest 24 hours, and of shorter windows."""

import threading
from dataclasses import dataclass, replace
from typing import Final

from simulator.book import last_quote
from simulator.klines import CATCH_UP, Frame, Kline, close_before, fold, merge
from simulator.market import Market
from simulator.trades import E8
from simulator.wire import decimal

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1440
AVERAGE_MINUTES: Final = 5


@dataclass(frozen=True, slots=True)
class Ticker:
    """The figures of a window of one symbol, in units of 1e-8; times in milliseconds."""

    symbol: str
    kline: Kline
    """All trades of the window as one; its open time is the window's."""
    close_ms: int
    before: int
    """The close before the window, or its open where there is none."""
    last_quantity: int

    @property
    def average(self) -> int:
        """The average price, weighted by volume."""
        kline = self.kline
        return kline.quote_volume * E8 // kline.volume if kline.volume else kline.close

    def figures(self) -> dict[str, object]:
        """Return the fields that every window has."""
        kline, change = self.kline, self.kline.close - self.kline.open
        return {
            "symbol": self.symbol,
            "priceChange": _signed(change),
            "priceChangePercent": _percent(change, kline.open),
            "weightedAvgPrice": decimal(self.average),
            "openPrice": decimal(kline.open),
            "highPrice": decimal(kline.high),
            "lowPrice": decimal(kline.low),
            "lastPrice": decimal(kline.close),
            "volume": decimal(kline.volume),
            "quoteVolume": decimal(kline.quote_volume),
            "openTime": kline.open_time,
            "closeTime": self.close_ms,
            "firstId": kline.first,
            "lastId": kline.last,
            "count": kline.trades,
        }

    def mini(self) -> dict[str, object]:
        """Return the fields of a ticker of the type MINI."""
        figures = self.figures()
        dropped = ("priceChange", "priceChangePercent", "weightedAvgPrice")
        return {name: value for name, value in figures.items() if name not in dropped}

    def full(self, market: Market, now_us: int) -> dict[str, object]:
        """Return the fields of `ticker/24hr`."""
        figures, made = self.figures(), last_quote(market, now_us)
        quote = made.answer(self.symbol) if made else {}
        return (
            figures
            | quote
            | {
                "prevClosePrice": decimal(self.before),
                "lastQty": decimal(self.last_quantity),
            }
        )

    def mini_event(self, event_ms: int) -> dict[str, object]:
        """Return the data of a `miniTicker` stream message."""
        kline = self.kline
        return {
            "e": "24hrMiniTicker",
            "E": event_ms,
            "s": self.symbol,
            "c": decimal(kline.close),
            "o": decimal(kline.open),
            "h": decimal(kline.high),
            "l": decimal(kline.low),
            "v": decimal(kline.volume),
            "q": decimal(kline.quote_volume),
        }

    def event(self, market: Market, event_ms: int) -> dict[str, object]:
        """Return the data of a `ticker` stream message."""
        full = self.full(market, event_ms * 1000)
        short = {
            "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice",
            "x": "prevClosePrice", "c": "lastPrice", "Q": "lastQty", "b": "bidPrice",
            "B": "bidQty", "a": "askPrice", "A": "askQty", "o": "openPrice", "h": "highPrice",
            "l": "lowPrice", "v": "volume", "q": "quoteVolume", "O": "openTime",
            "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
        }  # fmt: skip
        head = {"e": "24hrTicker", "E": event_ms, "s": self.symbol}
        return head | {key: full[name] for key, name in short.items()}


class Minutes:
    """The minutes of the latest 24 hours of one market, each folded once; for any thread."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._lock = threading.Lock()
        self._minutes: dict[int, Kline] = {}
        self._next_id = 0
        self._revision = market.revision

    def ticker(self, now_us: int, minutes: int = DAY_MINUTES) -> Ticker | None:
        """Return the figures of a window; None before the first trade."""
        with self._lock:
            while not self._take(now_us):
                pass
            return self._ticker(now_us, minutes)

    def next_ticker(self, now_us: int) -> Ticker | None:
        """Return the figures of a day; None while its trades are still being taken in."""
        with self._lock:
            return self._ticker(now_us, DAY_MINUTES) if self._take(now_us) else None

    def _ticker(self, now_us: int, minutes: int) -> Ticker | None:
        market, now_ms = self._market, now_us // 1000
        open_ms = now_ms // MINUTE_MS * MINUTE_MS - (minutes - 1) * MINUTE_MS
        last = market.last_trade(now_us)
        if not len(last):
            return None
        before = close_before(market, market.source.id_at(open_ms * 1000))
        whole: Kline | None = None
        for time_ms, kline in self._minutes.items():
            if time_ms >= open_ms:
                whole = merge(whole, kline) if whole else kline
        if whole is None:
            close = int(last.price[0])
            whole = Kline(open_ms, now_ms, close, close, close, close)
        return Ticker(
            market.symbol,
            replace(whole, open_time=open_ms),
            now_ms,
            whole.open if before is None else before,
            int(last.quantity[0]),
        )

    def _take(self, now_us: int) -> bool:
        """Fold trades since the last time, and drop old minutes; return whether that is all."""
        source = self._market.source
        oldest = (now_us // 60_000_000 - DAY_MINUTES + 1) * MINUTE_MS
        if self._revision != self._market.revision:
            self._revision, self._next_id = self._market.revision, 0
            self._minutes.clear()
        start_id = max(source.id_at(oldest * 1000), self._next_id)
        end_id = max(start_id, source.last_id(now_us) + 1)
        stop_id = min(end_id, start_id + CATCH_UP)
        for time_ms, kline in fold(self._market, Frame("1m"), start_id, stop_id).items():
            known = self._minutes.get(time_ms)
            self._minutes[time_ms] = merge(known, kline) if known else kline
        self._next_id = stop_id
        self._minutes = {t: kline for t, kline in self._minutes.items() if t >= oldest}
        return stop_id == end_id


def _signed(value: int) -> str:
    return f"-{decimal(-value)}" if value < 0 else decimal(value)


def _percent(change: int, of: int) -> str:
    thousandths = abs(change) * 100_000 // of if of else 0
    sign = "-" if change < 0 and thousandths else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d}"
