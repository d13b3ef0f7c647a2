"""The WebSocket: streams, requests, limits, pings and ends, as the exchange documents them."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from simulator import stream
from simulator.app import Settings
from simulator.klines import Frame, klines
from simulator.limits import Limits
from simulator.ticker import Minutes
from tests.simulator.conftest import Client, Start, trades

FAST = Settings(symbols=("BTCUSDT", "ETHBTC"), rate=200.0)


async def ask(socket: aiohttp.ClientWebSocketResponse[bool], request: Any) -> Any:
    """Send a request and give the next message that is no stream data."""
    await (socket.send_str(request) if isinstance(request, str) else socket.send_json(request))
    while True:
        message = await socket.receive_json(timeout=5)
        if "e" not in message and "stream" not in message and "u" not in message:
            return message


async def closing(socket: aiohttp.ClientWebSocketResponse[bool]) -> int | None:
    """Read to the end; gives the close code."""
    while True:
        message = await socket.receive(timeout=5)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            return socket.close_code
        if message.type is aiohttp.WSMsgType.ERROR:
            return None


async def same_on_rest(client: Client, streamed: list[dict[str, Any]], symbol: str) -> bool:
    """Return whether REST has exactly these trades."""
    _, rows = await client.get(
        "aggTrades", symbol=symbol, fromId=streamed[0]["a"], limit=len(streamed)
    )
    return [{key: event[key] for key in "apqflTmM"} for event in streamed] == list(rows)


async def test_a_raw_stream_gives_what_rest_has(start: Start) -> None:
    client = await start(FAST)
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        found = await trades(socket, 100)
    assert {event["s"] for event in found} == {"BTCUSDT"}
    assert all(event["e"] == "aggTrade" and event["E"] >= event["T"] for event in found)
    assert await same_on_rest(client, found, "BTCUSDT")


async def test_a_combined_stream_wraps_each_message_with_its_name(start: Start) -> None:
    client = await start(FAST)
    seen: dict[str, list[dict[str, Any]]] = {}
    async with client.connect("/stream?streams=btcusdt@aggTrade/ethbtc@aggTrade") as socket:
        for _ in range(200):
            message = await socket.receive_json(timeout=5)
            seen.setdefault(message["stream"], []).append(message["data"])
    assert set(seen) == {"btcusdt@aggTrade", "ethbtc@aggTrade"}
    assert await same_on_rest(client, seen["btcusdt@aggTrade"], "BTCUSDT")
    assert await same_on_rest(client, seen["ethbtc@aggTrade"], "ETHBTC")


async def test_requests_change_what_a_connection_has(start: Start) -> None:
    client = await start(FAST)
    async with client.connect("/ws") as socket:
        names = ["btcusdt@aggTrade", "ethbtc@bookTicker"]
        request = {"method": "SUBSCRIBE", "params": names, "id": 1}
        assert await ask(socket, request) == {"result": None, "id": 1}
        listed = await ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": "two"})
        assert listed == {"result": names, "id": "two"}
        request = {"method": "UNSUBSCRIBE", "params": names[:1], "id": 3}
        assert await ask(socket, request) == {"result": None, "id": 3}
        request = {"method": "SET_PROPERTY", "params": ["combined", True], "id": 4}
        assert await ask(socket, request) == {"result": None, "id": 4}
        message = await socket.receive_json(timeout=5)
        assert message["stream"] == "ethbtc@bookTicker"
        assert set(message["data"]) == {"u", "s", "b", "B", "a", "A"}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("{", 3),
        ("[]", 2),
        ("null", 2),
        ({"params": ["btcusdt@aggTrade"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": "btcusdt@aggTrade", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [1], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": ["BTCUSDT@aggTrade"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": ["btcusdt@nothing"], "id": 1}, 2),
        ({"method": "subscribe", "params": ["btcusdt@aggTrade"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": -1}, 2),
        ({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1, "x": 1}, 2),
        ({"method": "SET_PROPERTY", "params": ["colour", True], "id": 1}, 0),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1),
    ],
)
async def test_wrong_requests_are_answered_and_the_connection_lives(
    start: Start, request_: Any, code: int
) -> None:
    client = await start(Settings(symbols=("BTCUSDT",)))
    async with client.connect("/ws") as socket:
        answer = await ask(socket, request_)
        assert answer["code"] == code
        assert answer["msg"]
        listed = await ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": 9})
        assert listed == {"result": [], "id": 9}


async def test_more_streams_than_allowed_are_refused(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), limits=Limits(streams=2)))
    async with client.connect("/ws/a@aggTrade/b@aggTrade") as socket:
        answer = await ask(socket, {"method": "SUBSCRIBE", "params": ["c@aggTrade"], "id": 1})
        assert (answer["code"], answer["id"]) == (2, 1)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await client.connect("/ws/a@aggTrade/b@aggTrade/c@aggTrade")


async def test_a_talkative_client_is_disconnected(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",)))
    async with client.connect("/ws") as socket:
        for _ in range(6):
            await socket.ping()
        assert await closing(socket) == 1008


async def test_pings_come_with_a_payload_and_a_clients_ping_is_echoed(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), ping_s=0.05))
    async with client.connect("/ws") as socket:
        ping = await socket.receive(timeout=5)
        assert ping.type is aiohttp.WSMsgType.PING
        assert ping.data.isdigit()
        await socket.pong(ping.data)
        await socket.ping(b"mine")
        received: list[Any] = []
        while not any(message.type is aiohttp.WSMsgType.PONG for message in received):
            received.append(await socket.receive(timeout=5))
        assert received[-1].data == b"mine"


async def test_a_connection_ends_after_its_lifetime(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), lifetime_s=0.1))
    async with client.connect("/ws") as socket:
        assert await closing(socket) == 1000


async def test_kline_streams_give_the_running_kline(start: Start) -> None:
    client = await start(FAST)
    async with client.connect("/ws/btcusdt@kline_1m") as socket:
        event = await socket.receive_json(timeout=5)
    kline = event["k"]
    _, rows = await client.get("klines", symbol="BTCUSDT", interval="1m", limit=2)
    row = next(row for row in rows if row[0] == kline["t"])
    assert (event["e"], kline["i"], kline["o"], kline["T"]) == ("kline", "1m", row[1], row[6])


@pytest.mark.parametrize(
    ("kind", "frame"),
    [("kline_1d@+08:00", Frame("1d", 8 * 3_600_000)), ("kline_1M", Frame("1M"))],
)
async def test_klines_of_any_interval_are_streamed(start: Start, kind: str, frame: Frame) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), start_at="2024-03-01T20:00:01Z"))
    async with client.connect(f"/ws/btcusdt@{kind}") as socket:
        event = await socket.receive_json(timeout=5)
    market, now = client.exchange.markets["BTCUSDT"], event["E"]
    possible = [klines(market, frame, None, now, us, 1) for us in (now * 1000, now * 1000 + 999)]
    assert event in [json.loads(k.event("BTCUSDT", frame.interval, now)) for [k] in possible]
    assert event["k"]["t"] == frame.opening(now)


async def test_tickers_are_streamed_each_second(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), start_at="2024-03-01T12:00:01Z"))
    async with client.connect("/stream?streams=btcusdt@ticker/btcusdt@miniTicker") as socket:
        events = [(await socket.receive_json(timeout=5))["data"] for _ in range(4)]
    market = client.exchange.markets["BTCUSDT"]
    assert [event["e"] for event in events].count("24hrTicker") == 2
    for event in events:
        now = event["E"]
        made = [Minutes(market).ticker(us) for us in (now * 1000, now * 1000 + 999)]
        if event["e"] == "24hrTicker":
            assert event in [each.event(market, now) for each in made if each]
        else:
            assert event in [each.mini_event(now) for each in made if each]


async def test_unknown_names_in_an_address_are_no_fault(start: Start) -> None:
    """Clients number their connections so, and some ask for what there is not."""
    client = await start(FAST)
    async with client.connect("/ws/0") as socket:
        request = {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}
        assert await ask(socket, request) == {"result": None, "id": 1}
        assert len(await trades(socket, 3)) == 3
    async with client.connect("/stream?streams=btcusdt@nothing/btcusdt@aggTrade") as socket:
        assert len(await trades(socket, 3)) == 3


async def test_raw_trades_are_those_of_rest(start: Start) -> None:
    client = await start(FAST)
    async with client.connect("/ws/btcusdt@trade") as socket:
        seen = [await socket.receive_json(timeout=5) for _ in range(5)]
    _, rows = await client.get("trades", symbol="BTCUSDT", limit=1000)
    by_id = {row["id"]: row for row in rows}
    for event in seen:
        row = by_id[event["t"]]
        assert (event["e"], event["p"], event["q"]) == ("trade", row["price"], row["qty"])
        assert (event["T"], event["m"]) == (row["time"], row["isBuyerMaker"])


async def test_times_are_in_microseconds_on_request(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",)))
    names = ["aggTrade", "trade", "kline_1m", "ticker", "miniTicker", "bookTicker"]
    query = "/".join(f"btcusdt@{name}" for name in names)
    path = f"/stream?streams={query}&timeUnit=MICROSECOND"
    found: dict[str, Any] = {}
    async with client.connect(path) as socket:
        while len(found) < len(names):
            message = await socket.receive_json(timeout=5)
            found[message["stream"].partition("@")[2]] = message["data"]
    for name in ("aggTrade", "trade", "kline_1m", "ticker", "miniTicker"):
        assert len(str(found[name]["E"])) == 16
    for name in ("aggTrade", "trade"):
        assert len(str(found[name]["T"])) == 16
    kline, ticker = found["kline_1m"]["k"], found["ticker"]
    assert kline["T"] - kline["t"] == 60_000_000 - 1
    assert (len(str(ticker["O"])), ticker["C"] % 1000) == (16, 999)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await client.connect("/ws/btcusdt@aggTrade?timeUnit=NANOSECOND")


async def test_a_held_clock_waits_for_its_subscribers_and_loses_nothing(start: Start) -> None:
    client = await start(
        Settings(
            symbols=("BTCUSDT", "ETHBTC"),
            rate=100.0,
            start_at="2024-01-01T06:00Z",
            end_at="+30",
            speed=None,
            wait_for=2,
        )
    )
    _, before = await client.get("time")
    source = client.exchange.markets["BTCUSDT"].source
    first, last = source.last_id(before["serverTime"] * 1000), source.last_id(2**62)
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
        assert (await client.get("time"))[1] == before
        await socket.send_json({"method": "SUBSCRIBE", "params": ["ethbtc@bookTicker"], "id": 1})
        found: list[int] = []
        while not found or found[-1] < last:
            event = await socket.receive_json(timeout=5)
            if event.get("e") == "aggTrade":
                found.append(event["a"])
    assert found == list(range(first + 1, last + 1))


async def test_clients_get_1001_when_the_exchange_ends(start: Start) -> None:
    client = await start(FAST)
    async with client.connect("/ws") as socket:
        await asyncio.gather(client.exchange.hub.close(), closing(socket))
        assert socket.close_code == 1001


async def test_who_does_not_answer_pings_is_disconnected(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PONG_TIMEOUT_S", 0.05)
    client = await start(Settings(symbols=("BTCUSDT",), ping_s=0.05))
    async with client.connect("/ws") as socket:
        assert await closing(socket) == 1008


async def test_who_does_not_read_is_cut_and_others_are_not(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_BUFFER_BYTES", 1 << 16)
    client = await start(Settings(symbols=("BTCUSDT",), rate=20_000.0))
    host, port = client.url.removeprefix("http://").split(":")
    async with client.connect("/ws/btcusdt@bookTicker") as reading:
        # No await reads from this socket, and its buffers are small: they fill up.
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(
            b"GET /ws/btcusdt@aggTrade HTTP/1.1\r\nHost: simulator\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        while client.exchange.hub.counts["connections"] < 2:
            assert await reading.receive_json(timeout=5)
        while len(client.exchange.hub.connections) > 1:
            assert await reading.receive_json(timeout=5)
        assert await reading.receive_json(timeout=5)
        writer.close()
