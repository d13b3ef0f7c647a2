"""The stream client against a simulated exchange that cuts, stalls, shuts down and lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from ingest.binance.limits import SlidingLimit, pause_before
from ingest.binance.quotes import QuoteStream
from ingest.binance.rest import BinanceRest
from ingest.binance.stream import Stream
from ingest.binance.trades import TradeStream
from ingest.binance.weight import WeightCoordinator
from simulator.app import Settings
from simulator.faults import Faults

from .support import SimulatedExchange, Taker, served, simulated, until

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPETH")


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    settings = Settings(symbols=SYMBOLS, rate=100.0, start_at="2024-01-02T03:04:05Z")
    async with simulated(settings) as exchange:
        yield exchange


@pytest.fixture
def taker() -> Taker:
    return Taker()


def without_repeats(ids: list[int]) -> list[int]:
    return list(dict.fromkeys(ids))


def contiguous(ids: list[int]) -> bool:
    return ids == list(range(ids[0], ids[0] + len(ids)))


async def test_the_trades_of_every_symbol_come_whole_and_equal_those_of_rest(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker) as stream:
        stream.add(SYMBOLS)
        await until(lambda: all(len(taker.ids(s)) >= 50 for s in SYMBOLS))
    assert taker.calls[0] == ("connected", SYMBOLS)
    async with BinanceRest(exchange.url, WeightCoordinator()) as rest:
        for symbol in SYMBOLS:
            ids = taker.ids(symbol)
            assert contiguous(ids)
            page = await rest.agg_trades(symbol, from_id=ids[0], limit=50)
            assert page.trades == taker.trades[symbol][:50]


async def test_symbols_come_and_go_on_a_running_connection(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.ids("BTCUSDT"))
        stream.add(["ETHUSDT"])
        await until(lambda: taker.ids("ETHUSDT"))
        stream.remove(["BTCUSDT"])
        seen = len(taker.ids("BTCUSDT"))
        await until(lambda: len(taker.ids("ETHUSDT")) > 50)
        assert len(taker.ids("BTCUSDT")) == seen
        assert stream.attempts == 1
        await until_streams(exchange, 1)
        stream.add(["BTCUSDT"])
        await until(lambda: len(taker.ids("BTCUSDT")) > seen)
    assert contiguous(taker.ids("ETHUSDT"))


async def until_streams(exchange: SimulatedExchange, count: int) -> None:
    async with asyncio.timeout(10):
        while (await exchange.state())["streams"] != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_many_symbols_are_spread_over_connections(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker, streams_per_connection=2) as stream:
        stream.add(SYMBOLS)
        await until(lambda: all(taker.ids(s) for s in SYMBOLS))
        assert (stream.connections, len(stream.symbols)) == (2, 3)


async def test_a_cut_is_reported_and_the_connection_made_anew(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker) as stream:
        stream.add(SYMBOLS)
        for cuts in range(1, 4):
            await until(lambda n=cuts: taker.count("connected") == n)  # type: ignore[misc]
            await exchange.order("cut")
            await until(lambda n=cuts: taker.count("disconnected") == n)  # type: ignore[misc]
        await until(lambda: taker.count("connected") == 4)
    assert taker.calls[:2] == [("connected", SYMBOLS), ("disconnected", SYMBOLS)]
    assert stream.lost >= 3


async def test_an_exchange_that_is_away_is_waited_for(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.ids("BTCUSDT"))
        await exchange.order("outage", seconds=1)
        await until(lambda: taker.count("disconnected"))
        await until(lambda: taker.count("connected") == 2)
        assert stream.attempts > 2


async def test_an_announced_shutdown_loses_no_trade_and_is_not_noticed(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker, overlap=0.2) as stream:
        stream.add(SYMBOLS)
        await until(lambda: all(len(taker.ids(s)) > 10 for s in SYMBOLS))
        await exchange.order("shutdown_event", cut_after=2)
        await until(lambda: stream.replaced == 1)
        counts = {symbol: len(taker.ids(symbol)) for symbol in SYMBOLS}
        await until(lambda: all(len(taker.ids(s)) > counts[s] + 50 for s in SYMBOLS))
        assert taker.count("disconnected") == 0
    for symbol in SYMBOLS:
        assert contiguous(without_repeats(taker.ids(symbol)))


async def test_old_connections_are_replaced_without_losing_a_trade(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker, max_age=0.3, overlap=0.1) as stream:
        stream.add(SYMBOLS)
        await until(lambda: stream.replaced >= 3)
        assert taker.count("disconnected") == 0
    for symbol in SYMBOLS:
        assert contiguous(without_repeats(taker.ids(symbol)))


async def test_a_silent_connection_is_given_up(exchange: SimulatedExchange, taker: Taker) -> None:
    async with TradeStream(exchange.ws_url, taker, stall=0.4) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.ids("BTCUSDT"))
        await exchange.order("stall", seconds=30)
        await until(lambda: taker.count("connected") == 2)
    assert "nothing came" in taker.reasons[0]


async def test_a_quiet_symbol_is_no_stall(taker: Taker) -> None:
    """A ping of ours is answered, though no trade comes."""
    settings = Settings(symbols=("BTCUSDT",), rate=0.001, start_at="2024-01-02T03:04:05Z")
    async with (
        simulated(settings) as exchange,
        TradeStream(exchange.ws_url, taker, stall=0.2) as stream,
    ):
        stream.add(["BTCUSDT"])
        await until(lambda: taker.count("connected"))
        await asyncio.sleep(1)
        assert stream.lost == 0


async def test_faulty_messages_are_set_aside_and_the_others_all_delivered(taker: Taker) -> None:
    settings = Settings(
        symbols=("BTCUSDT",),
        rate=1000.0,
        start_at="2024-01-02T03:04:05Z",
        faults=Faults(repeat=0.1, reorder=0.1, corrupt=0.1, unknown=0.1, seed=1),
    )
    async with simulated(settings) as exchange, TradeStream(exchange.ws_url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: len(taker.ids("BTCUSDT")) > 1000)
        assert taker.count("disconnected") == 0
    ids = set(taker.ids("BTCUSDT"))
    missing = max(ids) - min(ids) + 1 - len(ids)
    assert 0 < missing <= len(taker.malformed) + 32  # moved ones at the end are on their way


async def test_a_replay_as_fast_as_possible_comes_whole(taker: Taker, tmp_path: Path) -> None:
    count = 20_000
    recording = tmp_path / "trades.csv"
    recording.write_text(
        "".join(
            f"{n},{n}.5,0.25,{n * 2},{n * 2 + 1},{1570752011620 + n},True,True\n"
            for n in range(1, count + 1)
        )
    )
    settings = Settings(replay=(("BTCUSDT", recording),), speed=None, wait_for=1)
    async with simulated(settings) as exchange, TradeStream(exchange.ws_url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: len(taker.ids("BTCUSDT")) >= count)
    assert taker.ids("BTCUSDT") == list(range(1, count + 1))


async def test_a_paused_stream_reads_nothing_and_loses_nothing(
    exchange: SimulatedExchange, taker: Taker
) -> None:
    async with TradeStream(exchange.ws_url, taker, stall=0.2) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.ids("BTCUSDT"))
        stream.pause()
        await asyncio.sleep(0.05)  # what has been received already is delivered
        seen = len(taker.ids("BTCUSDT"))
        await asyncio.sleep(0.5)
        assert len(taker.ids("BTCUSDT")) <= seen + 1
        stream.resume()
        await until(lambda: len(taker.ids("BTCUSDT")) > seen + 100)
        assert taker.count("disconnected") == 0
    assert contiguous(taker.ids("BTCUSDT"))


class FailingOnce(Taker):
    """Fails on the first trades."""

    failed = False

    def on_trades(self, symbol: str, trades: list) -> None:  # type: ignore[type-arg]
        if not self.failed:
            self.failed = True
            raise ZeroDivisionError("the taker's own fault")
        super().on_trades(symbol, trades)


async def test_trades_that_were_not_taken_cost_the_connection(
    exchange: SimulatedExchange, caplog: pytest.LogCaptureFixture
) -> None:
    taker = FailingOnce()
    async with TradeStream(exchange.ws_url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.ids("BTCUSDT"))
    assert [name for name, _ in taker.calls[:3]] == ["connected", "disconnected", "connected"]
    assert "ZeroDivisionError" in taker.reasons[0]
    assert "not taken" in caplog.text


@pytest.mark.parametrize("kind", [TradeStream, QuoteStream])
async def test_a_refused_upgrade_is_not_tried_again_before_its_retry_after(
    taker: Taker, kind: Callable[[str, Any], Stream[Any]]
) -> None:
    attempts: list[float] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) == 1:
            return web.Response(status=429, headers={"Retry-After": "1"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await answer_requests(socket)
        await socket.receive()
        return socket

    async with served(web.get("/stream", handle)) as url, kind(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: len(attempts) > 1)
    assert attempts[1] - attempts[0] >= 1.0


Behaviour = Callable[[web.WebSocketResponse], Awaitable[None]]


def route(behave: Behaviour) -> web.RouteDef:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await behave(socket)
        return socket

    return web.get("/stream", handle)


async def answer_requests(socket: web.WebSocketResponse, result: object = None) -> None:
    request = json.loads(await socket.receive_str())
    await socket.send_json({"result": result, "id": request["id"]})


async def test_pings_are_answered_with_their_payload(taker: Taker) -> None:
    pongs: list[bytes] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        await answer_requests(socket)
        await socket.ping(b"1704164645000")
        message = await socket.receive()
        assert message.type is WSMsgType.PONG
        pongs.append(message.data)
        await socket.receive()

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: pongs)
    assert pongs == [b"1704164645000"]


async def test_a_ping_that_comes_with_the_handshake_is_answered(taker: Taker) -> None:
    pongs: list[bytes] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.ping(b"early")
        async for message in socket:
            if message.type is WSMsgType.PONG:
                pongs.append(message.data)
            else:
                await socket.send_json({"result": None, "id": json.loads(message.data)["id"]})

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: pongs and taker.count("connected"))
    assert pongs == [b"early"]


async def test_of_many_pings_the_newest_is_answered_within_the_rate_of_messages(
    taker: Taker,
) -> None:
    pongs: list[bytes] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        await answer_requests(socket)
        for number in range(1000):
            await socket.ping(b"%d" % number)
        async for message in socket:
            assert message.type is WSMsgType.PONG
            pongs.append(message.data)

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: b"999" in pongs)
        assert stream.lost == 0
    assert len(pongs) < 10


async def test_a_thousand_symbols_are_asked_for_within_the_rate_of_messages(taker: Taker) -> None:
    symbols = [f"A{n:04}USDT" for n in range(1024)]
    arrived: list[float] = []
    asked: list[str] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            request = json.loads(message.data)
            arrived.append(asyncio.get_running_loop().time())
            asked.extend(request["params"])
            await socket.send_json({"result": None, "id": request["id"]})

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(symbols)
        await until(lambda: taker.count("connected"))
    assert sorted(asked) == [f"{symbol.lower()}@aggTrade" for symbol in symbols]
    for early, late in zip(arrived, arrived[5:], strict=False):
        assert late - early > 0.9


def trade_message(aggregate_id: int) -> dict[str, object]:
    data = {"e": "aggTrade", "s": "BTCUSDT", "p": "1.0", "q": "1.0", "m": True, "T": 1}
    return {"stream": "btcusdt@aggTrade", "data": data | dict.fromkeys("afl", aggregate_id)}


async def test_a_slow_old_connection_is_heard_out_before_a_fresh_one_takes_over(
    taker: Taker,
) -> None:
    fresh_has_sent = asyncio.Event()
    connections = 0

    async def behave(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        await answer_requests(socket)
        if connections == 1:
            await socket.send_json({"stream": "!serverShutdown", "data": {"e": "serverShutdown"}})
            await fresh_has_sent.wait()
            await asyncio.sleep(0.1)
            for aggregate_id in range(1, 7):
                await socket.send_json(trade_message(aggregate_id))
        else:
            for aggregate_id in range(5, 11):
                await socket.send_json(trade_message(aggregate_id))
            fresh_has_sent.set()
        await socket.receive()

    async with (
        served(route(behave)) as url,
        TradeStream(url, taker, overlap=0.6) as stream,
    ):
        stream.add(["BTCUSDT"])
        await until(lambda: 10 in taker.ids("BTCUSDT"))
    assert taker.ids("BTCUSDT") == [1, 2, 3, 4, 5, 6, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 2, "msg": "Invalid request: unknown property"},
        {"error": {"code": 2, "msg": "Invalid request"}},
    ],
)
async def test_a_refused_subscription_is_tried_again_on_a_new_connection(
    taker: Taker, answer: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    connections = 0

    async def behave(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        request = json.loads(await socket.receive_str())
        refusal = answer if connections == 1 else {"result": None}
        await socket.send_json(refusal | {"id": request["id"]})
        await socket.receive()

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.count("connected"))
    assert connections == 2
    assert "Invalid request" in caplog.text


async def test_a_message_of_any_size_does_not_end_the_client(taker: Taker) -> None:
    connections = 0

    async def behave(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        await answer_requests(socket)
        if connections == 1:
            await socket.send_str("[" * (2**20 + 1))
        await socket.receive()

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.count("connected") == 2)
    assert taker.count("disconnected") >= 1


async def test_trades_that_nobody_asked_for_are_counted_and_not_delivered(taker: Taker) -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await answer_requests(socket)
        await socket.send_json(trade_message(1))
        await socket.receive()

    async with served(route(behave)) as url, TradeStream(url, taker) as stream:
        stream.add(["ETHUSDT"])
        await until(lambda: stream.unexpected)
    assert taker.trades == {}


def test_a_sliding_limit_spaces_what_is_above_it() -> None:
    limit = SlidingLimit(3, 10.0)
    assert [limit.take(now) for now in (0.0, 1.0, 2.0, 3.0, 4.0)] == [0.0, 0.0, 0.0, 7.0, 7.0]
    assert limit.take(100.0) == 0.0


def test_pauses_between_attempts_grow_to_a_bound_and_are_never_nothing() -> None:
    pauses = [pause_before(attempt) for attempt in (1, 2, 3, 4, 100, 10_000)]
    assert 0.1 < pauses[0] <= 0.25
    assert all(0 < pause <= 3.0 for pause in pauses)
    assert min(pauses[4:]) >= 1.5
