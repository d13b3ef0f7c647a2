"""Misbehaviour on request: the same every time, and REST always has what the stream lost."""

import json
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from aiohttp import WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from simulator import wire
from simulator.app import Settings
from simulator.assets import asset
from simulator.errors import SimulatorError
from simulator.faults import CORRUPTIONS, Faults, Spoiler
from simulator.seeded import SeededMarket
from tests.simulator.conftest import FEW, XRPETH, Start, needs_recordings

TRADES = SeededMarket(asset("BTCUSDT")).slice(5000, 3000)
MESSAGES = wire.events("BTCUSDT", TRADES)
SHARE = st.floats(0, 0.3)


def passed(faults: Faults, cuts: list[int]) -> tuple[list[str], Counter[str]]:
    """Give what comes out when the messages go in as pieces that end at the cuts."""
    counts: Counter[str] = Counter()
    spoiler, out = Spoiler("BTCUSDT", faults, counts), list[str]()
    for start, stop in zip([0, *cuts], [*cuts, len(MESSAGES)], strict=True):
        out += spoiler.spoil(TRADES.ids[start:stop], MESSAGES[start:stop], now=0.0)
    return out + spoiler.release(), counts


@FEW
@given(drop=SHARE, repeat=SHARE, reorder=SHARE, corrupt=SHARE, seed=st.integers(0, 9),
       cuts=st.lists(st.integers(0, 3000), max_size=5))  # fmt: skip
def test_faults_are_the_same_however_the_messages_are_cut_into_pieces(
    drop: float, repeat: float, reorder: float, corrupt: float, seed: int, cuts: list[int]
) -> None:
    faults = Faults(drop=drop, repeat=repeat, reorder=reorder, corrupt=corrupt, seed=seed)
    whole, counts = passed(faults, [])
    assert passed(faults, sorted(cuts)) == (whole, counts)
    assert len(whole) == len(MESSAGES) - counts["drop"] + counts["repeat"]


@FEW
@given(reorder=SHARE, repeat=SHARE, drop=SHARE)
def test_what_is_not_dropped_arrives(reorder: float, repeat: float, drop: float) -> None:
    out, counts = passed(Faults(reorder=reorder, repeat=repeat, drop=drop), [])
    assert set(out) <= set(MESSAGES)
    assert len(set(out)) == len(MESSAGES) - counts["drop"]
    arrived = {message: place for place, message in enumerate(out)}
    assert all(
        abs(place - arrived[message]) < 2000
        for place, message in enumerate(MESSAGES)
        if message in arrived
    )


def test_faults_have_about_their_share_and_another_seed_has_others() -> None:
    faults = Faults(drop=0.1, repeat=0.1, reorder=0.1, corrupt=0.1, unknown=0.1, delay=0.1)
    out, counts = passed(faults, [])
    assert set(counts) == {"drop", "repeat", "reorder", "corrupt", "unknown", "delay"}
    assert all(150 < count < 400 for count in counts.values())
    assert out != passed(Faults(drop=0.1, seed=1), [])[0]
    assert passed(Faults(drop=0.1), [])[0] != passed(Faults(drop=0.1, seed=1), [])[0]


def test_delayed_messages_come_when_they_are_due() -> None:
    spoiler = Spoiler("BTCUSDT", Faults(delay=1.0, delay_ms=1000), Counter())
    assert spoiler.spoil(TRADES.ids, MESSAGES, now=0.0) == []
    assert spoiler.overdue(0.499) == []
    some = spoiler.overdue(0.75)
    assert 1000 < len(some) < 2000
    assert set(some) | set(spoiler.overdue(1.0)) == set(MESSAGES)


def test_moved_messages_are_let_go_when_trades_are_quiet() -> None:
    spoiler = Spoiler("BTCUSDT", Faults(reorder=1.0), Counter())
    out = spoiler.spoil(TRADES.ids, MESSAGES, now=0.0)
    assert spoiler.overdue(0.1) == []
    assert sorted(out + spoiler.overdue(1.0)) == sorted(MESSAGES)


@pytest.mark.parametrize("kind", range(len(CORRUPTIONS)))
def test_a_corrupt_message_is_not_the_message(kind: int) -> None:
    assert CORRUPTIONS[kind](MESSAGES[0]) not in MESSAGES


@pytest.mark.parametrize(
    "text", ["drop=2", "drop=x", "lose=0.1", "drop=nan", "cut_every=-1", "delay_ms=1e9", "drop"]
)
def test_impossible_faults_are_refused(text: str) -> None:
    with pytest.raises(SimulatorError):
        Faults.parse(text)


def test_faults_are_read_from_the_command_line() -> None:
    read = Faults.parse("drop=0.01, repeat=0.05,delay=0.5,delay_ms=20,cut_every=500,seed=3")
    assert read == Faults(drop=0.01, repeat=0.05, delay=0.5, delay_ms=20, cut_every=500, seed=3)
    assert Faults.parse("") == Faults()


async def test_what_the_stream_lost_is_on_rest(start: Start) -> None:
    client = await start(
        Settings(
            symbols=("BTCUSDT",), rate=500.0, start_at="2024-01-01T06:00Z", end_at="+10",
            speed=None, wait_for=1, faults=Faults(drop=0.2, repeat=0.1, reorder=0.1, corrupt=0.05),
        )
    )  # fmt: skip
    source = client.exchange.markets["BTCUSDT"].source
    last = source.last_id(2**62)
    first = source.last_id(client.exchange.clock.now()) + 1
    seen: list[str] = []
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        expected, counts = [], Counter[str]()
        spoiler = Spoiler("BTCUSDT", client.exchange.feed.faults, counts)
        made = source.slice(first, last - first + 1)
        expected = spoiler.spoil(made.ids, wire.events("BTCUSDT", made), now=0.0)
        expected += spoiler.overdue(1.0)
        while len(seen) < len(expected):
            seen.append((await socket.receive(timeout=5)).data)
    assert seen == expected
    assert client.exchange.feed.counts == counts
    assert counts["drop"] > 500
    rows: list[int] = []
    while not rows or rows[-1] < last:
        _, page = await client.get(
            "aggTrades", symbol="BTCUSDT", fromId=rows[-1] + 1 if rows else first, limit=1000
        )
        rows += [row["a"] for row in page]
    assert np.array_equal(rows, made.ids)


async def test_connections_are_cut_after_about_so_many_messages(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), rate=5000.0, faults=Faults(cut_every=1000)))
    for _ in range(3):
        count = 0
        async with client.connect("/ws/btcusdt@aggTrade") as socket:
            async for _message in socket:
                count += 1
        assert count < 1000 * 1.5 + 5000


@needs_recordings
async def test_stream_and_rest_together_have_every_trade_through_cuts(start: Start) -> None:
    faults = Faults(drop=0.02, repeat=0.05, reorder=0.05, corrupt=0.01, cut_every=2000, seed=4)
    client = await start(
        Settings(replay=(("XRPETH", XRPETH),), speed=None, wait_for=1, faults=faults)
    )
    seen: set[int] = set()
    while client.exchange.clock.held or client.exchange.clock.driven:
        async with client.connect("/ws/xrpeth@aggTrade") as socket:
            with suppress(TimeoutError):  # after the last trade nothing more comes
                while (message := await socket.receive(timeout=0.5)).type is WSMsgType.TEXT:
                    with suppress(ValueError, TypeError, KeyError):
                        seen.add(json.loads(message.data)["a"])
    assert client.exchange.hub.counts["connections"] > 3
    lost = set(range(13519807, 13532284)) - seen
    assert len(lost) > 200
    for trade_id in sorted(lost)[:20]:
        _, rows = await client.get("aggTrades", symbol="XRPETH", fromId=trade_id, limit=1)
        assert rows[0]["a"] == trade_id
