"""Kraken's public server over a real socket, fed by the simulated exchange."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from generated.kraken.facts import INTERVAL_VALUES
from ingest.pipeline import quotes
from tests.handlers.kraken.conftest import SUBSCRIPTIONS, Running
from tests.handlers.kraken.support import Client, status, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbiBnb2VzIGhlcmUu"


def subscribe(*pairs: str, **subscription: object) -> dict[str, object]:
    return {"event": "subscribe", "pair": list(pairs), "subscription": subscription}


async def test_a_private_feed_is_refused_in_the_articles_words(running: Running) -> None:
    private = {"name": "ownTrades", "token": TOKEN}
    async with Client.connect(running.url) as client:
        answer = await client.ask({"event": "subscribe", "subscription": private})
    assert answer == {
        "errorMessage": "Private data and trading are unavailable on this endpoint. "
        "Try ws-auth.kraken.com",
        "event": "subscriptionStatus",
        "status": "error",
        "subscription": private,
    }


async def test_a_wrong_depth_is_refused_in_the_articles_words(running: Running) -> None:
    async with Client.connect(running.url) as client:
        answer = await client.ask(subscribe("XBT/USD", depth=42, name="book"))
    assert answer == {
        "errorMessage": "Subscription depth not supported",
        "event": "subscriptionStatus",
        "pair": "XBT/USD",
        "status": "error",
        "subscription": {"depth": 42, "name": "book"},
    }


ONE = ["XBT/USDT"]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (subscribe("XBT/TST", name="ohlc"), "Currency pair not supported XBT/TST"),
        (subscribe("BTC/USDT", name="trade"), "Currency pair not supported BTC/USDT"),
        (
            subscribe("BTCUSDT", name="trade"),
            "Currency pair not in ISO 4217-A3 format BTCUSDT",
        ),
        (subscribe(*ONE, name="test"), "Subscription name invalid"),
        (subscribe(*ONE, name="book"), "Subscription name invalid"),
        (subscribe(*ONE, name="book", depth=10), "Subscription name invalid"),
        (subscribe(*ONE, name=7), "Subscription name invalid"),
        (subscribe(*ONE), "Subscription name invalid"),
        (subscribe(*ONE, name="book", depth=20), "Subscription depth not supported"),
        (
            subscribe(*ONE, name="book", depth="10"),
            "Subscription book depth must be an integer",
        ),
        (
            subscribe(*ONE, name="ohlc", interval=20),
            "Subscription ohlc interval not supported",
        ),
        (
            subscribe(*ONE, name="ohlc", interval="5"),
            "Subscription ohlc interval must be an integer",
        ),
        (
            subscribe(*ONE, name="spread", depth=10),
            "Subscription spread doesn't require depth",
        ),
        (
            subscribe(*ONE, name="ticker", interval=5),
            "Subscription ticker doesn't require interval",
        ),
        (subscribe(*ONE, name="ticker", extra=1), "Subscription object unsupported field"),
        (subscribe(name="ticker"), "Pair(s) not found"),
        ({"event": "subscribe", "subscription": {"name": "ticker"}}, "Pair(s) not found"),
        (
            {"event": "subscribe", "pair": "XBT/USDT", "subscription": {"name": "ticker"}},
            "Pair field must be an array",
        ),
        ({"event": "subscribe", "pair": ONE}, "Subscription(s) not found"),
        (
            {"event": "subscribe", "pair": ONE, "subscription": "ticker"},
            "Subscription field must be an object",
        ),
        (
            {"event": "unsubscribe", "pair": ONE, "subscription": {"name": "ticker"}},
            "Subscription Not Found",
        ),
        ({"event": "unsubscribe", "channelID": 343}, "Subscription Not Found"),
        ({"event": "unsubscribe"}, "Subscription(s) not found"),
        ({"event": "subscribed"}, "Unsupported event"),
        ({}, "Event(s) not found"),
    ],
)
async def test_wrong_requests_get_krakens_errors(
    running: Running, request_: dict[str, Any], text: str
) -> None:
    async with Client.connect(running.url) as client:
        answer = await client.ask({**request_, "reqid": 9})
        assert answer["event"] == "subscriptionStatus"
        assert (answer["status"], answer["errorMessage"]) == ("error", text)
        assert answer["reqid"] == 9
        pairs = request_.get("pair")
        assert answer.get("pair") == (pairs[0] if isinstance(pairs, list) and pairs else None)
        assert await client.ask({"event": "ping"}) == {"event": "pong"}


@pytest.mark.parametrize("text", ["{", '"ping"', "[]", "null", "", "nan"])
async def test_what_is_no_request_is_malformed(running: Running, text: str) -> None:
    async with Client.connect(running.url) as client:
        answer = await client.ask(text)
        assert answer == {"errorMessage": "Malformed request", "event": "error"}


async def test_pings_are_answered_with_their_number(running: Running) -> None:
    async with Client.connect(running.url) as client:
        assert await client.ask({"event": "ping", "reqid": 42}) == {"event": "pong", "reqid": 42}
        assert await client.ask({"event": "ping"}) == {"event": "pong"}
        for wrong in ("a", -1, 1.5, 2**53, None):
            assert await client.ask({"event": "ping", "reqid": wrong}) == {
                "errorMessage": "Reqid field must be a positive integer less than 9007199254740992",
                "event": "pingStatus",
                "status": "error",
            }


async def test_a_silent_connection_gets_heartbeats(running: Running) -> None:
    async with Client.connect(running.url) as client:
        assert [await client.receive() for _ in range(2)] == [{"event": "heartbeat"}] * 2


async def test_each_pair_is_answered_by_itself(running: Running) -> None:
    async with Client.connect(running.url) as client:
        names = ["ETH/XBT", "XBT/USDT", "XBT/TST", "XDG/USDT", "XBT/USDT"]
        await client.send({**subscribe(*names, name="ohlc", interval=5), "reqid": 4})
        answers = [await client.wait_for(lambda m: "reqid" in m) for _ in range(4)]
        assert [status(answer) for answer in answers] == [
            ("subscribed", "ETH/XBT"),
            ("subscribed", "XBT/USDT"),
            ("error", "Currency pair not supported XBT/TST"),
            ("subscribed", "XDG/USDT"),
        ]
        assert answers[1] == {
            "channelID": answers[1]["channelID"],
            "channelName": "ohlc-5",
            "event": "subscriptionStatus",
            "pair": "XBT/USDT",
            "reqid": 4,
            "status": "subscribed",
            "subscription": {"interval": 5, "name": "ohlc"},
        }


async def test_a_channel_has_the_same_number_for_everybody(running: Running) -> None:
    async with Client.connect(running.url) as one, Client.connect(running.url) as two:
        first = await one.subscribe("XBT/USDT", "ETH/XBT", name="trade")
        second = await two.subscribe("ETH/XBT", "XBT/USDT", name="trade")
        assert [a["channelID"] for a in first] == [a["channelID"] for a in reversed(second)]
        message = await two.wait_for(lambda m: isinstance(m, list) and m[3] == "XBT/USDT")
        assert message[0] == first[0]["channelID"]


async def test_a_second_subscription_to_a_channel_is_refused(running: Running) -> None:
    async with Client.connect(running.url) as client:
        await client.subscribe("XBT/USDT", name="trade")
        answers = await client.subscribe("XBT/USDT", "ETH/XBT", name="trade")
        assert [status(answer) for answer in answers] == [
            ("error", "Already subscribed"),
            ("subscribed", "ETH/XBT"),
        ]


async def test_nothing_comes_after_unsubscribing(running: Running) -> None:
    async with Client.connect(running.url) as client:
        [trades] = await client.subscribe("XBT/USDT", name="trade")
        await client.subscribe("XBT/USDT", name="spread")
        await client.data("trade", "XBT/USDT")
        await client.data("spread", "XBT/USDT")
        left = await client.ask({"event": "unsubscribe", "channelID": trades["channelID"]})
        assert status(left) == ("unsubscribed", "XBT/USDT")
        [left] = await client.subscribe("XBT/USDT", event="unsubscribe", name="spread")
        assert left["status"] == "unsubscribed"
        client.messages.clear()
        # Others still get them, so that there would be something to come.
        async with Client.connect(running.url) as other:
            await other.subscribe("XBT/USDT", name="trade")
            for _ in range(3):
                await other.data("trade", "XBT/USDT")
        await client.ask({"event": "ping"})
        assert not [message for message in client.messages if isinstance(message, list)]


async def test_trades_come_once_each_in_order_as_the_store_has_them(running: Running) -> None:
    async with Client.connect(running.url) as client:
        await client.subscribe("XBT/USDT", name="trade")
        for _ in range(8):
            await client.data("trade", "XBT/USDT")
    received = [row for batch in client.received("trade", "XBT/USDT") for row in batch]
    feed = running.server.provider.view.feed("BTCUSDT")
    newest = feed.continuity.held if feed.continuity else 0
    await until(lambda: feed.trades_stored >= newest)
    start, end = (int(Decimal(row[2]) * 1000) for row in (received[0], received[-1]))
    window = f"start_time={start}&end_time={end}&limit=10000"
    async with aiohttp.ClientSession(running.url) as session:
        answer = await session.get(f"/api/v1/data/trades/BTCUSDT?{window}")
        body = await answer.json(loads=exact)
    kept = [
        (
            trade["price"],
            trade["quantity"],
            Decimal(trade["timestamp"]) / 1000,
            "s" if trade["is_buyer_maker"] else "b",
        )
        for trade in body["data"]
    ]
    rows = [(*(Decimal(text) for text in row[:3]), row[3]) for row in received]
    # Trades of one millisecond may lie on both sides of the subscription and of its end.
    first = kept.index(rows[0])
    assert kept[first : first + len(rows)] == rows
    assert len(rows) >= 8


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


async def test_candles_come_at_all_nine_intervals(running: Running) -> None:
    async with Client.connect(running.url) as client:
        for interval in INTERVAL_VALUES:
            [answer] = await client.subscribe("XBT/USDT", name="ohlc", interval=interval)
            assert answer["channelName"] == f"ohlc-{interval}"
        await client.subscribe("ETH/XBT", name="ohlc")
        for interval in INTERVAL_VALUES:
            name = f"ohlc-{interval}"
            rows = client.received(name, "XBT/USDT") or [await client.data(name, "XBT/USDT")]
            time, end = (Decimal(text) for text in rows[-1][:2])
            assert end - interval * 60 <= time < end
            assert end % (interval * 60) == 0
        [row] = (client.received("ohlc-1", "ETH/XBT") or [await client.data("ohlc-1", "ETH/XBT")])[
            -1:
        ]
        decimals = {len(text.partition(".")[2]) for text in row[2:7]}
        assert decimals == {8}  # the tick size of a pair that is quoted in bitcoin


async def test_each_trade_is_in_a_candle_at_once_and_no_candle_comes_twice(
    running: Running,
) -> None:
    async with Client.connect(running.url) as client, Client.connect(running.url) as late:
        await client.subscribe("XBT/USDT", name="trade")
        await client.subscribe("XBT/USDT", name="ohlc", interval=15)
        rows = [await client.data("ohlc-15", "XBT/USDT") for _ in range(12)]
        await late.subscribe("XBT/USDT", name="ohlc", interval=15)
        rows += [await client.data("ohlc-15", "XBT/USDT") for _ in range(12)]
        batches = len(client.received("trade", "XBT/USDT"))
        later = [await late.data("ohlc-15", "XBT/USDT") for _ in range(6)]
    print(f"{len(rows)} candles, {batches} batches of trades")
    assert 3 * len(rows) > batches  # those within a tenth of a second share a candle
    for received in (rows, later):
        shown = [tuple(row[1:]) for row in received]
        assert len(set(shown)) == len(shown)


async def test_a_ticker_shows_the_day_and_the_last_trade(running: Running) -> None:
    async with Client.connect(running.url) as client:
        await client.subscribe("XBT/USDT", name="trade")
        await client.data("trade", "XBT/USDT")
        await client.subscribe("XBT/USDT", name="ticker")
        figures = await client.data("ticker", "XBT/USDT")
        later = await client.data("ticker", "XBT/USDT")
        while later["t"] == figures["t"]:
            later = await client.data("ticker", "XBT/USDT")
        await client.data("trade", "XBT/USDT")
        trades = [row for batch in client.received("trade", "XBT/USDT") for row in batch]
    assert Decimal(figures["b"][0]) < Decimal(figures["a"][0])
    assert later["c"] in [row[:2] for row in trades]
    assert all(new > old for new, old in zip(later["t"], figures["t"], strict=True))
    for span in (0, 1):
        low, mean, high = (Decimal(later[key][span]) for key in "lph")
        assert low <= mean <= high
        assert low <= Decimal(later["o"][span]) <= high
    assert Decimal(later["v"][0]) <= Decimal(later["v"][1])
    assert int(Decimal(later["a"][2])) == later["a"][1]


async def test_quotes_are_followed_while_somebody_wants_them_and_a_moment_longer(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotes, "LINGER_SECONDS", 0.2)
    quotes_of = running.server.provider.quotes
    async with Client.connect(running.url) as client:
        for event in ("subscribe", "unsubscribe"):  # quotes of the test before may linger still
            await client.subscribe("XBT/USDT", event=event, name="spread")
        await until(lambda: not quotes_of.followed)
        await client.subscribe("XBT/USDT", name="spread")
        await client.subscribe("XBT/USDT", "ETH/XBT", name="ticker")
        bid, ask, time, *volumes = await client.data("spread", "XBT/USDT")
        assert Decimal(bid) < Decimal(ask)
        assert all(Decimal(volume) > 0 for volume in volumes)
        assert abs(Decimal(time) * 1000 - running.server.provider.clock.now_ms()) < 60_000
        assert quotes_of.followed == {"BTCUSDT", "ETHBTC"}
        await client.subscribe("XBT/USDT", event="unsubscribe", name="ticker")
        assert quotes_of.followed == {"BTCUSDT", "ETHBTC"}
        await client.subscribe("XBT/USDT", event="unsubscribe", name="spread")
        assert quotes_of.followed == {"BTCUSDT", "ETHBTC"}
        await until(lambda: quotes_of.followed == {"ETHBTC"})
    await until(lambda: not quotes_of.followed)


async def test_a_connection_may_have_so_many_subscriptions_and_no_more(running: Running) -> None:
    async with Client.connect(running.url) as client:
        answers = []
        for interval in INTERVAL_VALUES:
            answers += await client.subscribe(
                "XBT/USDT", "XDG/USDT", name="ohlc", interval=interval
            )
        assert [answer["status"] for answer in answers[:SUBSCRIPTIONS]] == [
            "subscribed"
        ] * SUBSCRIPTIONS
        refused = answers[SUBSCRIPTIONS:]
        assert {answer["errorMessage"] for answer in refused} == {"Subscription limit exceeded"}
        assert len(refused) == 2 * len(INTERVAL_VALUES) - SUBSCRIPTIONS
