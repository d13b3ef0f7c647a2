"""Names of streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.binance.stream.names import KINDS, KLINE, NotServed, Stream, stream_of

SYMBOLS = ("BTCUSDT", "1000SATSUSDT", "币安人生USDT")
NAMES = st.sampled_from([symbol.lower() for symbol in SYMBOLS])
PLAIN = [kind for kind in KINDS if kind != KLINE]


@given(NAMES, st.sampled_from(PLAIN))
def test_a_plain_stream_has_no_interval(name: str, kind: str) -> None:
    assert stream_of(f"{name}@{kind}", SYMBOLS) == Stream(f"{name}@{kind}", kind, name.upper())
    with pytest.raises(NotServed, match="no other kind"):
        stream_of(f"{name}@{kind}_1m", SYMBOLS)


@given(NAMES, st.integers(1, 525_600), st.booleans())
def test_candles_have_an_interval_and_may_have_a_zone(name: str, minutes: int, zoned: bool) -> None:
    stream = stream_of(f"{name}@kline_{minutes}m" + "@+08:00" * zoned, SYMBOLS)
    assert (stream.symbol, stream.bucket.minutes) == (name.upper(), minutes)
    assert stream.bucket.name == f"{minutes}m"
    assert stream.bucket.shift == (480 % minutes if zoned else 0)


def test_months_are_no_minutes() -> None:
    assert stream_of("btcusdt@kline_1M", SYMBOLS).bucket.minutes == 0
    assert stream_of("btcusdt@kline_1m", SYMBOLS).bucket.minutes == 1
    assert stream_of("btcusdt@kline_1w", SYMBOLS).bucket.minutes == 10_080


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("btcusdt@depth", "order books"),
        ("btcusdt@depth20@100ms", "order books"),
        ("btcusdt@trade", "single trades"),
        ("!miniTicker@arr", "name each symbol"),
        ("!bookTicker", "name each symbol"),
        ("BTCUSDT@aggTrade", "in lower case"),
        ("ethusdt@aggTrade", "followed here"),
        ("btcusdt@kline", "takes an interval"),
        ("btcusdt@kline_0m", "no stream"),
        ("btcusdt@kline_525601m", "at most 525600 minutes"),
        ("btcusdt@kline_2w", "no stream"),
        ("btcusdt@kline_1m@+09:00", "no stream"),
        ("btcusdt@aggTrade@+08:00", "no stream"),
        ("btcusdt@kline_1s@+08:00", "no stream"),
        ("btcusdt@AGGTRADE", "no stream"),
        ("btcusdt@avgPrice", "no stream"),
        ("btcusdt", "no stream"),
        ("", "no stream"),
    ],
)
def test_any_other_name_is_refused_with_a_reason(name: str, why: str) -> None:
    with pytest.raises(NotServed, match=why):
        stream_of(name, SYMBOLS)


@given(st.text(max_size=200))
def test_any_text_is_a_stream_or_refused(name: str) -> None:
    with pytest.raises(NotServed):
        stream_of(name, SYMBOLS)
