"""The exchange's klines, computed from the trades."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.market import Market
from simulator.trades import E8, Ints, Trades
from simulator.wire import decimal

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_MONDAY: Final = 4 * _DAY
"""The first Monday after the epoch, in milliseconds."""

INTERVALS: Final = {
    "1s": 1000, "1m": _MINUTE, "3m": 3 * _MINUTE, "5m": 5 * _MINUTE, "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE, "1h": 60 * _MINUTE, "2h": 120 * _MINUTE, "4h": 240 * _MINUTE,
    "6h": 360 * _MINUTE, "8h": 480 * _MINUTE, "12h": 720 * _MINUTE, "1d": _DAY, "3d": 3 * _DAY,
    "1w": 7 * _DAY, "1M": 0,
}  # fmt: skip
"""Lengths in milliseconds; 0 for a month, which has no fixed length."""

MAX_TRADES: Final = 2_000_000
"""Trades read for one response. A request that needs more gets fewer klines: page by time."""

_PIECE: Final = 1 << 17

CATCH_UP: Final = 1 << 18
"""Trades that are taken in at a time: a running kline of a month begins over several updates."""


@dataclass(frozen=True, slots=True)
class Kline:
    """One kline. Times in ms; prices and volumes in units of 1e-8; raw trades counted."""

    open_time: int
    close_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote_volume: int = 0
    trades: int = 0
    taker_buy_volume: int = 0
    taker_buy_quote_volume: int = 0
    first: int = -1
    last: int = -1

    def row(self) -> list[int | str]:
        """Return the 12 columns of REST and archive."""
        return [
            self.open_time,
            decimal(self.open),
            decimal(self.high),
            decimal(self.low),
            decimal(self.close),
            decimal(self.volume),
            self.close_time,
            decimal(self.quote_volume),
            self.trades,
            decimal(self.taker_buy_volume),
            decimal(self.taker_buy_quote_volume),
            "0",
        ]

    def event(self, symbol: str, interval: str, event_ms: int) -> str:
        """Write the data of a kline stream message."""
        closed = "true" if event_ms > self.close_time else "false"
        return (
            f'{{"e":"kline","E":{event_ms},"s":"{symbol}","k":{{"t":{self.open_time},'
            f'"T":{self.close_time},"s":"{symbol}","i":"{interval}","f":{self.first},'
            f'"L":{self.last},"o":"{decimal(self.open)}","c":"{decimal(self.close)}",'
            f'"h":"{decimal(self.high)}","l":"{decimal(self.low)}","v":"{decimal(self.volume)}",'
            f'"n":{self.trades},"x":{closed},"q":"{decimal(self.quote_volume)}",'
            f'"V":"{decimal(self.taker_buy_volume)}",'
            f'"Q":"{decimal(self.taker_buy_quote_volume)}","B":"0"}}}}'
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """The buckets of an interval, whose days and months are those of a time zone."""

    interval: str
    zone_ms: int = 0
    """The offset of the zone's clocks from UTC."""

    def opening(self, time_ms: int) -> int:
        """Find the open time of the kline that holds a time, in milliseconds."""
        local = time_ms + self.zone_ms
        if self.interval == "1M":
            return _month(_month_index(local)) - self.zone_ms
        width, shift = INTERVALS[self.interval], _MONDAY if self.interval == "1w" else 0
        return (local - shift) // width * width + shift - self.zone_ms

    def following(self, open_ms: int, count: int = 1) -> int:
        """Find the open time of the kline `count` intervals later."""
        if self.interval == "1M":
            return _month(_month_index(open_ms + self.zone_ms) + count) - self.zone_ms
        return open_ms + count * INTERVALS[self.interval]

    def openings(self, time_ms: Ints) -> Ints:
        """Find the open times of many times."""
        local = time_ms + self.zone_ms
        if self.interval == "1M":
            months = local.astype("datetime64[ms]").astype("datetime64[M]")
            return months.astype("datetime64[ms]").astype(np.int64) - self.zone_ms
        width, shift = INTERVALS[self.interval], _MONDAY if self.interval == "1w" else 0
        result: Ints = (local - shift) // width * width + shift - self.zone_ms
        return result


def klines(
    market: Market,
    frame: Frame,
    start_ms: int | None,
    end_ms: int,
    now_us: int,
    limit: int | None = None,
) -> list[Kline]:
    """Return the first `limit` klines that open from `start_ms` to `end_ms`, both included.

    Oldest first; without `start_ms` the last ones. The first kline is that of the first trade, and
    the newest that of `now_us`, or of the end of the trading; a quiet bucket is flat at the
    previous close. When they need more than MAX_TRADES trades, fewer are returned.
    """
    first = market.slice(market.source.first_id, 1)
    if not len(first):
        return []
    newest = start_ms is None
    lowest = frame.opening(int(first.time_ms[0]))
    last_ms = min(frame.opening(end_ms), frame.opening(market.trading(now_us) // 1000))
    if start_ms is None:
        open_ms = lowest if limit is None else max(lowest, frame.following(last_ms, 1 - limit))
    else:
        open_ms = max(frame.opening(start_ms), lowest)
        if open_ms < start_ms:
            open_ms = frame.following(open_ms)
        if limit is not None:
            last_ms = min(last_ms, frame.following(open_ms, limit - 1))
    if open_ms > last_ms:
        return []
    start_id = market.source.id_at(open_ms * 1000)
    stop_us = min(frame.following(last_ms) * 1000 - 1, now_us)
    stop_id = market.source.last_id(stop_us) + 1
    if stop_id - start_id > MAX_TRADES and newest:
        cut = frame.opening(int(market.slice(stop_id - MAX_TRADES, 1).time_ms[0]))
        open_ms = min(frame.following(cut), last_ms)
        start_id = market.source.id_at(open_ms * 1000)
    elif stop_id - start_id > MAX_TRADES:
        cut = frame.opening(int(market.slice(start_id + MAX_TRADES, 1).time_ms[0]))
        last_ms = max(frame.following(cut, -1), open_ms)
        stop_us = min(frame.following(last_ms) * 1000 - 1, stop_us)
        stop_id = market.source.last_id(stop_us) + 1
    found = fold(market, frame, start_id, stop_id)
    return list(_filled(found, frame, open_ms, last_ms, close_before(market, start_id)))


class Running:
    """The newest kline of a market, updated with the trades since the last update."""

    def __init__(self, market: Market, frame: Frame) -> None:
        self._market = market
        self._frame = frame
        self._open_ms: int | None = None
        self._next_id = 0
        self._kline: Kline | None = None

    def update(self, now_us: int) -> list[Kline]:
        """Return the current kline, preceded by the previous one if that has just ended.

        None while the trades of the current one are still being taken in.
        """
        found: list[Kline | None] = []
        open_ms = self._frame.opening(now_us // 1000)
        if open_ms != self._open_ms:
            if self._open_ms is not None:
                end_us = self._frame.following(self._open_ms) * 1000 - 1
                found.append(self._extended(self._open_ms, end_us))
            self._next_id = self._market.source.id_at(open_ms * 1000)
            self._open_ms, self._kline = open_ms, None
        found.append(self._extended(open_ms, now_us))
        return [kline for kline in found if kline is not None]

    def _extended(self, open_ms: int, until_us: int) -> Kline | None:
        end_id = max(self._market.source.last_id(until_us) + 1, self._next_id)
        stop_id = min(end_id, self._next_id + CATCH_UP)
        new = fold(self._market, self._frame, self._next_id, stop_id).get(open_ms)
        self._next_id = stop_id
        if new is not None:
            self._kline = merge(self._kline, new) if self._kline else new
        if stop_id < end_id:
            return None
        if self._kline is not None:
            return self._kline
        close = close_before(self._market, self._next_id)
        return next(_filled({}, self._frame, open_ms, open_ms, close), None)


def close_before(market: Market, trade_id: int) -> int | None:
    """Return the price of the last trade before an id, if there is one."""
    before = market.before(trade_id, 16)
    before = before[~before.tombstones]
    return int(before.price[-1]) if len(before) else None


def fold(market: Market, frame: Frame, start_id: int, stop_id: int) -> dict[int, Kline]:
    """Fold the trades of a range of ids in pieces, so that any number fits in memory."""
    found: dict[int, Kline] = {}
    at = start_id
    while at < stop_id:
        piece = market.slice(at, min(_PIECE, stop_id - at))
        piece = piece[piece.ids < stop_id]
        if not len(piece):
            break
        at = int(piece.ids[-1]) + 1
        for kline in _buckets(piece[~piece.tombstones], frame):
            earlier = found.get(kline.open_time)
            found[kline.open_time] = merge(earlier, kline) if earlier else kline
    return found


def _buckets(trades: Trades, frame: Frame) -> Iterator[Kline]:
    """Fold one piece of trades, ids ascending, into klines."""
    if not len(trades):
        return
    opens = frame.openings(trades.time_ms)
    order = np.argsort(opens, kind="stable")
    opens = opens[order]
    price, quantity = trades.price[order], trades.quantity[order]
    first, last = trades.first[order], trades.last[order]
    taker_buys = np.where(trades.buyer_maker[order], 0, 1)
    quote = _product(price, quantity)
    starts = np.flatnonzero(np.concatenate([[True], opens[1:] != opens[:-1]]))
    ends = np.concatenate([starts[1:], [len(opens)]]) - 1
    sums = [
        _sums(values, starts)
        for values in (quantity, quote, quantity * taker_buys, quote * taker_buys)
    ]
    columns_out = zip(
        opens[starts].tolist(),
        price[starts].tolist(),
        np.maximum.reduceat(price, starts).tolist(),
        np.minimum.reduceat(price, starts).tolist(),
        price[ends].tolist(),
        np.add.reduceat(last - first + 1, starts).tolist(),
        first[starts].tolist(),
        last[ends].tolist(),
        *sums,
        strict=True,
    )
    for (
        at,
        open_,
        high,
        low,
        close,
        count,
        first_id,
        last_id,
        volume,
        quotes,
        buy,
        buys,
    ) in columns_out:
        end = frame.following(at) - 1
        yield Kline(
            at, end, open_, high, low, close, volume, quotes, count, buy, buys, first_id, last_id
        )


def _product(price: Ints, quantity: Ints) -> Ints:
    """Multiply, in units of 1e-8, truncated to 8 decimals as the exchange truncates each trade.

    An aggregate of several raw trades is truncated once, where the exchange truncates each one:
    its klines may be lower by 1e-8 for each raw trade.
    """
    whole, rest = quantity // E8, quantity % E8
    product: Ints = price * whole + price // E8 * rest + price % E8 * rest // E8
    return product


def _sums(values: Ints, starts: npt.NDArray[np.intp]) -> list[int]:
    """Sum each run exactly, since a month of volume may exceed 64 bits."""
    high = np.add.reduceat(values // E8, starts).tolist()
    low = np.add.reduceat(values % E8, starts).tolist()
    return [h * E8 + rest for h, rest in zip(high, low, strict=True)]


def merge(left: Kline, right: Kline) -> Kline:
    """Merge the klines of earlier and of later trades, as of the first one's bucket."""
    return Kline(
        left.open_time,
        left.close_time,
        left.open,
        max(left.high, right.high),
        min(left.low, right.low),
        right.close,
        left.volume + right.volume,
        left.quote_volume + right.quote_volume,
        left.trades + right.trades,
        left.taker_buy_volume + right.taker_buy_volume,
        left.taker_buy_quote_volume + right.taker_buy_quote_volume,
        left.first,
        right.last,
    )


def _filled(
    found: dict[int, Kline], frame: Frame, open_ms: int, last_ms: int, close: int | None
) -> Iterator[Kline]:
    """Fill missing klines with flat ones after the first close."""
    while open_ms <= last_ms:
        following_ms = frame.following(open_ms)
        kline = found.get(open_ms)
        if kline is None and close is not None:
            kline = Kline(open_ms, following_ms - 1, close, close, close, close)
        if kline is not None:
            yield kline
            close = kline.close
        open_ms = following_ms


def _month_index(time_ms: int) -> int:
    day = datetime.fromtimestamp(time_ms / 1000, UTC)
    return day.year * 12 + day.month - 1


def _month(index: int) -> int:
    return int(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
