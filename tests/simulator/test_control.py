"""The controls: each does what it says, and the state reports what happened."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from simulator.app import Settings
from simulator.limits import GRACE_S
from tests.simulator.conftest import Client, Start, trades


@pytest.fixture
async def client(start: Start) -> Client:
    return await start(Settings(symbols=("BTCUSDT",), rate=200.0))


async def ended(socket: aiohttp.ClientWebSocketResponse[bool]) -> bool:
    """Read until the connection is gone."""
    while not socket.closed:
        await socket.receive(timeout=5)
    return True


async def test_cut_drops_every_connection_without_a_close(client: Client) -> None:
    async with client.connect("/ws/btcusdt@aggTrade") as one, client.connect("/ws") as other:
        await trades(one, 1)
        state = await client.control("cut")
        assert state["counts"]["cuts"] == 2
        assert await ended(one)
        assert await ended(other)
        assert (one.close_code, other.close_code) == (1006, 1006)


async def until(client: Client, what: Callable[[Any], bool]) -> Any:
    """Wait for a state of the exchange; gives it."""
    while True:
        async with client.session.get(f"{client.url}/control/state?requests=0") as response:
            state = await response.json()
        if what(state):
            return state
        await asyncio.sleep(0.01)


async def test_a_stall_is_silent_and_what_fell_into_it_is_missing(client: Client) -> None:
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        last, jump = (await trades(socket, 5))[-1]["a"], 1
        stalled = await client.control("stall", seconds=600)
        sent = stalled["symbols"]["BTCUSDT"]["sent"]
        await until(client, lambda state: state["symbols"]["BTCUSDT"]["sent"] > sent + 100)
        async with client.connect("/ws/btcusdt@aggTrade") as other:
            assert await trades(other, 1)
        await client.control("reset")
        while jump == 1:
            following = (await trades(socket, 1))[0]["a"]
            jump, last = following - last, following
        assert jump > 100


async def test_a_stall_can_hold_new_connections_too(client: Client) -> None:
    await client.control("stall", seconds=600, new=True)
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        await until(client, lambda state: state["symbols"]["BTCUSDT"]["sent"] > 50)
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.01)
        await client.control("reset")
        assert await trades(socket, 1)


async def test_ordered_answers_come_once_and_a_retry_after_is_kept(client: Client) -> None:
    await client.control("answer", status=500, count=2)
    await client.control("answer", status=200, body='[{"a":', path="/api/v3/aggTrades")
    assert (await client.get("time"))[0] == 500
    assert (await client.get("time"))[1]["code"] == -1000
    assert (await client.get("time"))[0] == 200
    async with client.session.get(f"{client.url}/api/v3/aggTrades?symbol=BTCUSDT") as response:
        assert (response.status, await response.text()) == (200, '[{"a":')
    await client.control("answer", status=418, retry_after=600)
    async with client.session.get(f"{client.url}/api/v3/time") as response:
        assert (response.status, response.headers["Retry-After"]) == (418, "600")
        assert (await response.json())["code"] == -1003
    await asyncio.sleep(2 * GRACE_S)
    assert (await client.get("time"))[0] == 418
    assert client.exchange.control.state()["early_requests"] == 1
    log = client.exchange.gate.tail(2)
    assert [(entry["status"], entry["early"]) for entry in log] == [(418, False), (418, True)]
    await client.control("reset")
    assert (await client.get("time"))[0] == 200


async def test_a_status_of_zero_resets_the_connection(client: Client) -> None:
    await client.control("answer", status=0)
    # A bare socket: an HTTP client may ask again by itself.
    host, port = client.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: simulator\r\n\r\n")
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    assert (await client.get("time"))[0] == 200


async def test_an_outage_cuts_everything_and_ends(client: Client) -> None:
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        await trades(socket, 1)
        await client.control("outage", seconds=600)
        assert await ended(socket)
    with pytest.raises(aiohttp.ClientError):
        await client.get("time")
    with pytest.raises(aiohttp.ClientError):
        await client.connect("/ws/btcusdt@aggTrade")
    await client.control("reset")
    assert (await client.get("time"))[0] == 200
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        assert await trades(socket, 1)


async def test_missing_ids_are_gone_from_stream_and_rest(client: Client) -> None:
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        first = (await trades(socket, 1))[0]["a"]
        state = await client.control("clock", hold=True)
        gap = state["symbols"]["BTCUSDT"]["last_id"] + 20
        state = await client.control("missing", symbol="BTCUSDT", from_id=gap, to_id=gap + 9)
        assert state["symbols"]["BTCUSDT"]["missing"] == [[gap, gap + 9]]
        await client.control("clock", release=True)
        ids = [event["a"] for event in await trades(socket, gap - first + 20)]
    assert ids == [*range(first + 1, gap), *range(gap + 10, gap + 31)]
    _, rows = await client.get("aggTrades", symbol="BTCUSDT", fromId=gap + 1, limit=20)
    assert [row["a"] for row in rows] == list(range(gap + 10, gap + 30))
    _, rows = await client.get("aggTrades", symbol="BTCUSDT", limit=1000)
    assert not {row["a"] for row in rows} & set(range(gap, gap + 10))
    assert len(rows) == 1000
    state = await client.control("found", symbol="BTCUSDT")
    assert state["symbols"]["BTCUSDT"]["missing"] == []
    _, rows = await client.get("aggTrades", symbol="BTCUSDT", fromId=gap + 1, limit=20)
    assert [row["a"] for row in rows] == list(range(gap + 1, gap + 21))


async def test_the_end_is_announced_and_comes(client: Client) -> None:
    combined = client.connect("/stream?streams=none@aggTrade")
    async with combined as wrapped, client.connect("/ws") as raw:
        await client.control("shutdown_event", cut_after=0.05)
        message = await wrapped.receive_json(timeout=5)
        assert message["stream"] == "!serverShutdown"
        assert message["data"]["e"] == "serverShutdown"
        assert (await raw.receive_json(timeout=5))["e"] == "serverShutdown"
        assert await ended(raw)
        assert await ended(wrapped)


async def test_the_clock_obeys(client: Client) -> None:
    await client.control("clock", hold=True)
    _, held = await client.get("time")
    assert (await client.get("time"))[1] == held
    await client.control("clock", advance_ms=3_600_000)
    _, later = await client.get("time")
    assert later["serverTime"] - held["serverTime"] == 3_600_000
    await client.control("clock", release=True)
    await asyncio.sleep(0.02)
    assert (await client.get("time"))[1]["serverTime"] > later["serverTime"]


async def test_faults_change_while_running_and_reset_ends_them(client: Client) -> None:
    state = await client.control("faults", drop=1.0)
    assert state["faults"]["drop"] == 1.0
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        await until(client, lambda state: state["fault_counts"].get("drop", 0) > 50)
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.01)
        state = await client.control("reset")
        assert (state["faults"]["drop"], state["requests"]) == (0.0, [])
        assert await trades(socket, 1)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", {"drop": 2}),
        ("faults", {"lose": 1}),
        ("stall", {"seconds": -1}),
        ("stall", {"seconds": "5"}),
        ("answer", {"status": 99}),
        ("answer", {"state": 429}),
        ("missing", {"symbol": "NOPE", "from_id": 1}),
        ("missing", {"symbol": "BTCUSDT"}),
        ("missing", {"symbol": "BTCUSDT", "from_id": 5, "to_id": 4}),
        ("archive", {"shorter": True}),
        ("archive", {"short": 1}),
        ("clock", {"advance_ms": 1.5}),
    ],
)
async def test_wrong_controls_are_refused(
    client: Client, name: str, body: dict[str, object]
) -> None:
    async with client.session.post(f"{client.url}/control/{name}", json=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]


async def test_the_state_tells_what_was_sent_and_asked(client: Client) -> None:
    async with client.connect("/ws/btcusdt@aggTrade") as socket:
        last = (await trades(socket, 50))[-1]["a"]
    await client.get("ping")
    async with client.session.get(f"{client.url}/control/state?requests=1") as response:
        state = await response.json()
    symbol = state["symbols"]["BTCUSDT"]
    assert symbol["sent"] >= 50
    assert symbol["last_id"] >= symbol["last_sent_id"] >= last
    assert [entry["path"] for entry in state["requests"]] == ["/api/v3/ping"]
    assert state["rest_statuses"] == {"101": 1, "200": 1}
