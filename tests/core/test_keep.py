from __future__ import annotations

import pytest

from ingest.core.keep import DAY_MS, parse_keep
from ingest.core.symbol import Symbols


def test_each_symbol_has_its_own_time_or_that_of_all_others() -> None:
    keep = parse_keep("BTCUSDT=30d, *=90d")
    now = 1000 * DAY_MS + 5
    assert keep.since_ms("BTCUSDT", now) == 970 * DAY_MS
    assert keep.since_ms("ETHUSDT", now) == 910 * DAY_MS
    assert keep.shortest_ms(Symbols(("ETHUSDT", "BTCUSDT"))) == 30 * DAY_MS
    assert keep.shortest_ms(Symbols.parse("BT*")) == 30 * DAY_MS
    assert keep.shortest_ms(Symbols.parse("E*,BTCUSDT,!B*")) == 90 * DAY_MS
    assert str(keep) == "BTCUSDT=30d,*=90d"
    assert parse_keep("7d") == parse_keep("*=7d")
    assert parse_keep("9999d").since_ms("BTCUSDT", now) == 0


def test_nothing_said_is_for_ever() -> None:
    assert parse_keep("").since_ms("BTCUSDT", 10**15) == 0
    assert parse_keep("BTCUSDT=1d").since_ms("ETHUSDT", 10**15) == 0
    assert parse_keep("BTCUSDT=1d").shortest_ms(Symbols(("ETHUSDT",))) is None


@pytest.mark.parametrize("text", ["0d", "30", "1h", "A=1d,A=2d", "1d,*=2d", "btc=1d", "-1d", ","])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="days such as"):
        parse_keep(text)
