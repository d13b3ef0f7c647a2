"""Recorded minutes as figures: the exchange's own candles are those of its trades."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from ingest.core.candle import Candle
from ingest.core.fixed import parse
from ingest.core.timeframe import MINUTE_MS
from ingest.core.trade import Trade
from ingest.storage import Store


class Minute(NamedTuple):
    """Trades, and the candle of the exchange."""

    symbol: str
    start_ms: int
    first_id: int
    first_raw_id: int
    trades: str
    """Of each trade: ms since the start, price, quantity (* its raw trades), what the taker did."""
    prices: tuple[str, str, str, str]
    volume: str
    quote_volume: str
    raw_trades: int
    bought: str

    def as_trades(self) -> list[Trade]:
        trades, raw_id = [], self.first_raw_id
        for number, item in enumerate(self.trades.split(";")):
            ms, price, size, side = item.split()
            quantity, _, raw = size.partition("*")
            last = raw_id + int(raw or 1) - 1
            trades.append(
                Trade(
                    self.first_id + number,
                    parse(price),
                    parse(quantity),
                    raw_id,
                    last,
                    self.start_ms + int(ms),
                    side == "s",
                )
            )
            raw_id = last + 1
        return trades


BTCUSDT = Minute(
    "BTCUSDT",
    1577977860000,
    202790230,
    222825338,
    """
    1153 7141.75 0.355312 s; 1158 7141.97 0.02392 b; 1301 7141.8 0.036331 s; 1396 7141.54
    0.032762 s; 2782 7141.98 0.035345 b; 3266 7141.6 0.131007 b; 4754 7141.97 0.019921 b; 4767
    7141.97 0.00002 b; 4767 7141.98 0.001636 b; 4861 7141.98 0.04508 b; 4964 7141.37 0.069096 s;
    5488 7141.37 0.069096 s; 5791 7141.37 0.069096 s; 6255 7141.43 0.108655 s; 6315 7141.43
    0.069095 s; 7184 7141.96 0.038006 b; 7184 7142 0.034773 b; 7184 7142.34 0.05 b; 7184 7143.34
    0.277221 b; 7270 7142.4 0.27703 b; 7561 7141.62 0.011553 s; 7998 7141.77 0.05251 s; 11968
    7143.41 0.177028 s; 11968 7142.59 0.027995 s; 11968 7142.58 0.117741 s; 11968 7142.55
    0.035262 s; 11968 7142.41 0.05526 s; 11968 7142.31 0.005926 s; 13198 7143.36 0.0016 b; 13882
    7142.32 0.016976 s; 14664 7142.32 0.011019 s; 14664 7142.25 0.038981 s; 14956 7142.71
    0.053702 b; 19424 7143.23 0.001602 b; 20711 7142.33 0.002754 s; 21638 7143.18 0.007271 b;
    22615 7142.28 0.045866 s; 24427 7142.29 0.012887 s; 25630 7143.18 0.001642 b; 27305 7142.87
    0.245386 b; 28040 7143.12 0.028634 b; 31199 7142.87 0.334976 b; 33862 7143.07 0.001628 b;
    34560 7143.07 0.10226 b; 34900 7142.3 0.072666 b; 34900 7143.32 0.073861*2 b; 34900 7143.38
    0.05 b; 34900 7143.44 0.149715 b; 34900 7144.03 0.053758 b; 36135 7143.94 0.003498 b; 37536
    7142.99 0.316427 b; 38226 7142.42 0.003394 s; 40980 7142.48 0.002402 s; 42096 7143.85
    0.001584 b; 42129 7143.85 0.001484 b; 42376 7143.33 0.209408 b; 48022 7142.69 0.007539 s;
    48316 7143.7 0.001675 b; 48628 7143.41 0.362871 b; 51160 7142.98 0.41503 b; 54514 7143.55
    0.001615 b; 54607 7143.27 0.130195 b; 54615 7143.55 0.048626 b; 57527 7143.67 0.00437 b;
    57647 7143.67 0.015162 b; 57704 7143.66 0.015162 s; 57822 7143.56 0.013874 s; 58343 7143.66
    0.011999 b; 59352 7143.61 0.095796 s; 59388 7143.56 0.001288 s; 59388 7142.69 0.040828*2 s
    """,
    ("7141.75", "7144.03", "7141.37", "7142.69"),
    "5.238088",
    "37414.19603641",
    73,
    "3.636604",
)
"""2 January 2020, 15:11 UTC: all figures are those of the exchange's kline, to its last decimal."""

XRPETH = Minute(
    "XRPETH",
    1570752000000,
    13519807,
    15373518,
    """
    11620 0.00141342 23 s; 11620 0.00141266 54 s; 17964 0.00141266 8 s; 28907 0.00141379 581 b;
    28990 0.00141379 590 b; 33759 0.00141557 11 b; 34552 0.00141536 201 s; 51054 0.0014148 11 s;
    51054 0.00141418 3 s
    """,
    ("0.00141342", "0.00141557", "0.00141266", "0.00141418"),
    "1482",
    "2.09550564",
    9,
    "1182",
)
"""11 October 2019, 00:00 UTC: fractions of the smallest unit in every product."""


@pytest.mark.parametrize("minute", [BTCUSDT, XRPETH], ids=["BTCUSDT", "XRPETH"])
def test_a_recorded_minute_is_the_candle_of_the_exchange(
    fresh_store: Store, minute: Minute
) -> None:
    end_ms = minute.start_ms + MINUTE_MS
    fresh_store.trades.insert({minute.symbol: minute.as_trades()})
    fresh_store.candles.recompute({minute.symbol: [(minute.start_ms, end_ms)]})
    (candle,) = fresh_store.candles.read(minute.symbol, 1, end_ms, 1)
    assert figures(candle) == (
        minute.start_ms,
        *map(parse, minute.prices),
        parse(minute.volume),
        minute.raw_trades,
        parse(minute.bought),
    )
    quote = Decimal(candle.quote_volume).scaleb(-16)
    assert quote.quantize(Decimal("1e-8"), rounding="ROUND_DOWN") == Decimal(minute.quote_volume)


def figures(candle: Candle) -> tuple[int, ...]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return (
        candle.candle_time,
        *prices,
        candle.volume,
        candle.trades_count,
        candle.taker_buy_volume,
    )
