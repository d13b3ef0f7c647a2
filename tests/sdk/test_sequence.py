"""A sequence of candles has no gap and no repeat, whatever order messages come in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from candlecast_client import CandlesMissing, CandleUpdate, models
from candlecast_client.sequence import MINUTE_MS, CandleSequence
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = json.loads(Path(__file__).with_name("sequences.json").read_text())["cases"]


def candle(minute: int, close: int) -> models.Candle:
    """A candle with one price."""
    price = Decimal(close)
    return models.Candle(
        candle_time=minute * MINUTE_MS,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(1),
        trades_count=1,
        taker_buy_volume=Decimal(1),
        taker_sell_volume=Decimal(0),
    )


def short(updates: list[CandleUpdate]) -> list[list[object]]:
    """Updates as the cases state them."""
    return [[p.state, p.candle.candle_time // MINUTE_MS, int(p.candle.close)] for p in updates]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_messages_become_updates(case: dict[str, Any]) -> None:
    sequence = CandleSequence("BTCUSDT", case.get("timeframe", 1), case["history"])
    for step in case["steps"]:
        updates: list[CandleUpdate] = []
        if "missing" in step:
            with pytest.raises(CandlesMissing) as caught:
                sequence.on_history([candle(*c) for c in step["history"]], step["requested"])
            found = [caught.value.from_time // MINUTE_MS, caught.value.to_time // MINUTE_MS]
            assert found == step["missing"]
        elif "history" in step:
            updates = sequence.on_history([candle(*c) for c in step["history"]], step["requested"])
        elif "update" in step:
            updates = sequence.on_update(candle(*step["update"]))
        else:
            sequence.resume(step["resume"])
        assert short(updates) == step.get("gives", [])
        assert sequence.awaited == step.get("awaited", sequence.awaited)


@settings(deadline=None)
@given(
    st.integers(0, 10),
    st.lists(
        st.tuples(st.sampled_from(["tick", "tick", "tick", "cut", "late"]), st.integers(1, 30)),
        max_size=40,
    ),
)
def test_any_cuts_and_corrections_give_each_candle_once_and_right(
    history: int, events: list[tuple[str, int]]
) -> None:
    """A server that follows the document, cut at any time, corrected at any place."""
    truth = {minute: minute for minute in range(101)}
    sequence = CandleSequence("BTCUSDT", 1, history)
    seen: list[CandleUpdate] = []

    def serve_history() -> None:
        while sequence.awaited:
            count, now = sequence.awaited, max(truth)
            window = range(max(0, now - count + 1), now + 1)
            seen.extend(sequence.on_history([candle(m, truth[m]) for m in window], count))

    serve_history()
    seen.extend(sequence.on_update(candle(100, truth[100])))
    for event, amount in events:
        now = max(truth)
        if event == "tick":
            truth[now] += amount
            seen.extend(sequence.on_update(candle(now, truth[now])))
            truth[now + 1] = now + 1
            seen.extend(sequence.on_update(candle(now + 1, truth[now + 1])))
        elif event == "late":
            minute = now - min(amount, 5)
            truth[minute] += 1000
            seen.extend(sequence.on_update(candle(minute, truth[minute])))
        else:
            for minute in range(now, now + amount):
                truth[minute] += 7
                truth[minute + 1] = minute + 1
            sequence.resume((amount % 3) * MINUTE_MS)  # an estimate that is often too small
            serve_history()
    closed = [p.candle.candle_time // MINUTE_MS for p in seen if p.state == "closed"]
    assert closed == list(range(closed[0], closed[0] + len(closed))) if closed else True
    assert not closed or closed[-1] == max(truth) - 1
    final = {
        p.candle.candle_time // MINUTE_MS: int(p.candle.close) for p in seen if p.state != "running"
    }
    assert final == {minute: truth[minute] for minute in closed}
