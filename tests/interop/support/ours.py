"""The values to compare with: those of Candlecast's own API."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from tests.interop.support.place import OURS
from tests.interop.support.rows import CANDLE, TRADE, Row, Rows, fields, row

PAGE: Final = 10_000
SETTLE_SECONDS: Final = 20.0
"""A client may be quicker than the server that it is compared with."""


def candles(symbol: str, minutes: int, times: Iterable[int], width: int = len(CANDLE)) -> Rows:
    """The closed candles of the span of some times; `width` is the number of fields."""
    first, last = _span(times)
    query = {"timeframe": minutes, "limit": PAGE, "start_time": first, "end_time": last}

    def read() -> Rows:
        pages = _pages(f"/api/v1/data/candles/{symbol}", query)
        names = CANDLE[:width]
        return {each["candle_time"]: fields(names, each) for each in pages if each["closed"]}

    return _once(lambda found: last in found, read)


def trades(symbol: str, ids: Iterable[int], width: int = len(TRADE)) -> Rows:
    """The trades from the lowest of some ids to the highest; `width` is the number of fields."""
    first, last = _span(ids)

    def read() -> Rows:
        found: Rows = {}
        for each in _pages(f"/api/v1/data/trades/{symbol}", {"from_id": first, "limit": PAGE}):
            if each["aggregate_id"] > last:
                break
            found[each["aggregate_id"]] = fields(TRADE[:width], each)
        return found

    return _once(lambda found: last in found, read)


def trades_between(symbol: str, start: int, end: int, width: int = len(TRADE)) -> list[Row]:
    """The trades of a span of time, both ends included."""
    query = {"start_time": start, "end_time": end, "limit": PAGE}
    return [fields(TRADE[:width], each) for each in _pages(f"/api/v1/data/trades/{symbol}", query)]


def folded(symbol: str, start: int, end: int, width: int = len(CANDLE)) -> Rows:
    """The candle of a span after each of its trades, by the number of trades in it so far."""
    found: Rows = {}
    before = get(f"/api/v1/data/trades/{symbol}", end_time=start - 1, limit=1)["data"]
    for last in before:  # a candle without trades is flat
        found[0] = row(*[last["price"]] * 4, 0, 0, 0)[:width]
    prices: list[Decimal] = []
    volume = taken = Decimal(0)
    count, high, low = 0, Decimal(0), Decimal("Infinity")
    for price, quantity, _, is_buyer_maker, first_id, last_id in trades_between(symbol, start, end):
        prices.append(price)
        high, low = max(high, price), min(low, price)
        volume += quantity
        taken += 0 if is_buyer_maker else quantity
        count += int(last_id - first_id) + 1
        found[count] = row(prices[0], high, low, price, volume, count, taken)[:width]
    return found


def get(path: str, **query: Any) -> Any:
    """An answer of our own API, its decimals exact."""
    url = f"http://{OURS}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer, parse_float=Decimal)


def _pages(path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    page = get(path, **query)
    yield from page["data"]
    while page["data"] and page["next_cursor"] is not None:
        page = get(path, **query, cursor=page["next_cursor"])
        yield from page["data"]


def _span(keys: Iterable[int]) -> tuple[int, int]:
    chosen = list(keys)
    assert chosen, "the client has no rows"
    return min(chosen), max(chosen)


def _once(is_there: Callable[[Rows], bool], read: Callable[[], Rows]) -> Rows:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_there(found := read()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found
