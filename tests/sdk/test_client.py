"""The Python client against servers that disconnect, refuse, fall silent or send wrong messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from candlecast_client import (
    AccessRefused,
    Backoff,
    Candles,
    CandlesMissing,
    CandleUpdate,
    Client,
    ConnectionLost,
    ContractBroken,
    InvalidCall,
    RequestRefused,
    RestError,
    SubscriptionRefused,
)

from tests.sdk.scripted import MINUTE_MS, Peer, Scripted, history, update

QUICK = Backoff(first=0.01, most=0.02)


@pytest.fixture
def server() -> Scripted:
    return Scripted()


@pytest.fixture
async def url(server: Scripted) -> AsyncIterator[str]:
    async with server.serving() as base:
        yield base


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    async with Client(url, backoff=QUICK) as made:
        yield made


async def take(candles: Candles, count: int) -> list[tuple[str, int]]:
    """The next updates: state and minute."""
    async with asyncio.timeout(10):
        return [shown(await anext(candles)) for _ in range(count)]


def shown(update: CandleUpdate) -> tuple[str, int]:
    return update.state, update.candle.candle_time // MINUTE_MS


def asked(request: dict[str, Any]) -> dict[tuple[str, int], int]:
    """How much history a subscribe request asks for, by symbol and timeframe."""
    return {
        (part["symbol"], item["timeframe"]): item["initial_candles"]
        for part in request["subscriptions"]
        for item in part["timeframes"]
    }


async def test_a_lost_connection_is_made_again_and_what_was_missed_is_asked_for(
    server: Scripted, client: Client
) -> None:
    candles = client.candles("BTCUSDT", 1, history=2)
    peer = await server.peer()
    assert asked(await peer.accept()) == {("BTCUSDT", 1): 2}
    await peer.send(history(2, range(10, 12)))
    assert await take(candles, 2) == [("closed", 10), ("running", 11)]
    await peer.cut()
    peer = await server.peer()
    assert asked(await peer.accept()) == {("BTCUSDT", 1): 2}
    await peer.send(history(2, range(29, 31)))
    assert asked(await peer.accept()) == {("BTCUSDT", 1): 21}
    await peer.send(history(21, range(10, 31)))
    assert (await take(candles, 20))[:2] == [("closed", 11), ("closed", 12)]


async def test_it_keeps_trying_while_there_is_no_server(server: Scripted, url: str) -> None:
    lost: list[ConnectionLost] = []
    ready = asyncio.Event()

    def on_connection(error: ConnectionLost | None) -> None:
        lost.extend([error] if error else [])
        if len(lost) == 3:
            server.refuse_with = 0
        if error is None:
            ready.set()

    server.refuse_with = 502
    async with Client(url, backoff=QUICK, on_connection=on_connection) as client:
        client.candles("BTCUSDT", 1)
        async with asyncio.timeout(10):
            await ready.wait()
    assert len(lost) == 3
    assert "502" in str(lost[0])


async def test_a_refused_handshake_is_an_error(server: Scripted, client: Client) -> None:
    server.refuse_with = 403
    with pytest.raises(AccessRefused, match="403"):
        await anext(client.candles("BTCUSDT", 1))


async def test_a_gap_that_the_server_cannot_fill_is_an_error(
    server: Scripted, client: Client
) -> None:
    candles = client.candles("BTCUSDT", 1)
    peer = await server.peer()
    await peer.accept()
    await peer.send(update(10))
    assert await take(candles, 1) == [("running", 10)]
    await peer.cut()
    peer = await server.peer()
    await peer.accept()
    await peer.send(history(2, range(20, 21)))
    with pytest.raises(CandlesMissing) as caught:
        await anext(candles)
    assert (caught.value.from_time, caught.value.to_time) == (10 * MINUTE_MS, 20 * MINUTE_MS)


async def test_messages_and_fields_of_later_versions_are_passed_over(
    server: Scripted, client: Client
) -> None:
    candles = client.candles("BTCUSDT", 1)
    peer = await server.peer()
    await peer.accept()
    await peer.send({"type": "novelty", "what": 1}, {**update(5), "mood": "fine"})
    assert await take(candles, 1) == [("running", 5)]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '"x"', '{"type":"ohlcv_update","symbol":"BTCUSDT"}'],
)
async def test_a_broken_contract_is_raised_to_the_reader(
    server: Scripted, client: Client, text: str
) -> None:
    candles = client.candles("BTCUSDT", 1)
    peer = await server.peer()
    await peer.accept()
    await peer.text(text)
    with pytest.raises(ContractBroken):
        await anext(candles)


async def test_a_symbol_that_is_not_followed_ends_only_its_own_sequence(
    server: Scripted, client: Client
) -> None:
    wrong, right = client.candles("DOGEUSDT", 1), client.candles("BTCUSDT", 1)
    peer = await server.peer()
    request = await peer.receive()
    reason = {"symbol": "DOGEUSDT", "error_code": "SYMBOL_NOT_ACTIVE", "message": "no"}
    await peer.send(
        {
            "type": "subscription_result",
            "request_id": request["request_id"],
            "successful_subscriptions": {"BTCUSDT": [{"timeframe": 1, "initial_candles": 0}]},
            "failed_subscriptions": [reason],
            "message": "some",
        },
        update(3),
    )
    with pytest.raises(SubscriptionRefused, match="SYMBOL_NOT_ACTIVE"):
        await anext(wrong)
    assert await take(right, 1) == [("running", 3)]


async def test_a_refused_request_ends_what_it_names_and_the_rest_is_asked_for_again(
    server: Scripted, client: Client
) -> None:
    wrong, right = client.candles("BTCUSDT", 500_000), client.candles("BTCUSDT", 1)
    peer = await server.peer()
    request = await peer.receive()
    await peer.send(
        {
            "type": "error",
            "request_id": request["request_id"],
            "error_code": "INVALID_TIMEFRAME",
            "message": "too long",
            "details": {"symbol": "BTCUSDT", "timeframe": 500_000, "maximum": 525_600},
        }
    )
    with pytest.raises(RequestRefused, match="INVALID_TIMEFRAME"):
        await anext(wrong)
    assert asked(await peer.accept()) == {("BTCUSDT", 1): 0}
    await peer.send(update(3))
    assert await take(right, 1) == [("running", 3)]


async def test_a_transient_error_is_retried(server: Scripted, client: Client) -> None:
    candles = client.candles("BTCUSDT", 1)
    peer = await server.peer()
    request = await peer.receive()
    await peer.send(
        {
            "type": "error",
            "request_id": request["request_id"],
            "error_code": "INTERNAL_ERROR",
            "message": "oh",
            "details": {},
        }
    )
    peer = await server.peer()
    await peer.accept()
    await peer.send(update(3))
    assert await take(candles, 1) == [("running", 3)]


async def test_a_silent_server_is_pinged(server: Scripted, url: str) -> None:
    async with Client(url, backoff=QUICK, silence_seconds=0.05) as client:
        candles = client.candles("BTCUSDT", 1)
        peer = await server.peer()
        await peer.accept()
        ping = await peer.receive()
        assert ping["action"] == "ping"
        pong = {"type": "pong", "request_id": ping["request_id"], "timestamp": 1}
        await peer.send({**pong, "client_timestamp": None}, update(3))
        assert await take(candles, 1) == [("running", 3)]


async def test_sequences_of_a_pair_share_a_subscription_until_the_last_is_left(
    server: Scripted, client: Client
) -> None:
    async with client.candles("BTCUSDT", 1, history=3) as long:
        async with client.candles("BTCUSDT", 1, history=2) as short:
            peer = await server.peer()
            assert asked(await peer.accept()) == {("BTCUSDT", 1): 3}
            await peer.send(history(3, range(10, 13)))
            assert await take(long, 3) == [("closed", 10), ("closed", 11), ("running", 12)]
            assert await take(short, 3) == [("closed", 10), ("closed", 11), ("running", 12)]
        await peer.send(update(13))
        assert await take(long, 2) == [("closed", 12), ("running", 13)]
    await peer.leave()
    with pytest.raises(ConnectionError):  # without sequences the client disconnects
        await peer.receive()


async def test_many_sequences_are_asked_for_in_few_requests(
    server: Scripted, client: Client
) -> None:
    wanted = {("BTCUSDT", minutes) for minutes in range(1, 251)}
    for symbol, minutes in sorted(wanted):
        client.candles(symbol, minutes)
    peer = await server.peer()
    requests = [asked(await peer.accept()) for _ in range(3)]
    assert set().union(*requests) == wanted


async def test_clients_of_one_process_get_their_own_replies(
    server: Scripted, client: Client, url: str
) -> None:
    async with Client(url, backoff=QUICK) as other:
        mine, theirs = client.candles("BTCUSDT", 1), other.candles("ETHUSDT", 1)
        peers = [await server.peer(), await server.peer()]

        async def serve(peer: Peer) -> None:
            symbol = (await peer.accept())["subscriptions"][0]["symbol"]
            await peer.send(update(3 if symbol == "BTCUSDT" else 4, symbol=symbol))

        await asyncio.gather(*map(serve, peers))
        assert await take(mine, 1) == [("running", 3)]
        assert await take(theirs, 1) == [("running", 4)]


async def test_what_the_users_own_callback_raises_reaches_the_user(
    server: Scripted, client: Client
) -> None:
    def on_status(_: object) -> None:
        raise LookupError("mine")

    candles = client.candles("BTCUSDT", 1, on_status=on_status)
    peer = await server.peer()
    await peer.accept()
    await peer.send(update(3))
    with pytest.raises(LookupError, match="mine"):
        await anext(candles)


@pytest.mark.parametrize(
    ("symbol", "timeframe", "count"), [("btc", 1, 0), ("BTCUSDT", 0, 0), ("BTCUSDT", 1, 1001)]
)
async def test_arguments_that_no_server_takes_are_refused_at_once(
    client: Client, symbol: str, timeframe: int, count: int
) -> None:
    with pytest.raises(InvalidCall, match=r"symbol|timeframe|initial_candles"):
        client.candles(symbol, timeframe, history=count)


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://localhost", "http://", "http://a b"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidCall, match="http://localhost:8080"):
        Client(url)


@pytest.mark.parametrize("symbol", ["", ".", "..", "\ud800", None])
async def test_a_name_that_cannot_be_part_of_a_path_is_refused(client: Client, symbol: Any) -> None:
    with pytest.raises(InvalidCall, match="symbol must be a name"):
        await client.rest.get_ticker(symbol)


async def test_a_client_that_is_not_open_refuses_every_call(url: str) -> None:
    client = Client(url)
    with pytest.raises(InvalidCall, match="async with"):
        _ = client.rest
    async with client:
        rest = client.rest
    with pytest.raises(InvalidCall, match="closed"):
        client.candles("BTCUSDT", 1)
    with pytest.raises(InvalidCall, match="closed"):
        await rest.list_tickers()
    async with client:
        await client.candles("BTCUSDT", 1).aclose()


async def test_decimals_keep_every_digit(server: Scripted, client: Client) -> None:
    candles = client.candles("BTCUSDT", 1)
    peer = await server.peer()
    await peer.accept()
    await peer.text(json.dumps(update(3)).replace('"close": 1', '"close": 12345678901.12345678'))
    assert (await anext(candles)).candle.close == Decimal("12345678901.12345678")


TRADE = (
    '{"aggregate_id":1,"price":12345678901.12345678,"quantity":0.00000001,"first_trade_id":1,'
    '"last_trade_id":1,"timestamp":1,"is_buyer_maker":true}'
)


async def test_rest_passes_parameters_on_and_keeps_every_digit(
    server: Scripted, client: Client
) -> None:
    def answer(request: web.Request) -> web.Response:
        assert request.path_qs == "/api/v1/data/trades/BTCUSDT?limit=5&from_id=7"
        return web.Response(
            text=f'{{"success":true,"data":[{TRADE}],"message":"","timestamp":1,"error":null}}'
        )

    server.rest = answer
    page = await client.rest.get_trades("BTCUSDT", limit=5, from_id=7)
    assert page.data[0].price == Decimal("12345678901.12345678")


async def test_an_error_over_rest_says_what_and_when_to_try_again(
    server: Scripted, client: Client
) -> None:
    body: dict[str, Any] = {
        "success": False,
        "data": None,
        "message": "Failed",
        "timestamp": 1,
        "error": "slow down",
        "error_code": "RATE_LIMITED",
        "details": [],
    }
    server.rest = lambda _: web.Response(
        status=429, text=json.dumps(body), headers={"Retry-After": "7"}
    )
    with pytest.raises(RestError, match="RATE_LIMITED: slow down") as caught:
        await client.rest.list_tickers()
    assert (caught.value.status, caught.value.retry_after) == (429, 7.0)


async def test_an_answer_of_a_proxy_is_an_error_too(server: Scripted, client: Client) -> None:
    server.rest = lambda _: web.Response(status=502, text="<html>")
    with pytest.raises(RestError) as caught:
        await client.rest.get_health()
    assert caught.value.answer is None


async def test_a_server_that_cannot_be_reached_over_rest_is_an_error() -> None:
    async with Client("http://127.0.0.1:1") as client:
        with pytest.raises(ConnectionLost):
            await client.rest.get_health()


def test_pauses_grow_to_their_bound_and_no_client_waits_as_another() -> None:
    assert [Backoff().pause(n, lambda: 1.0) for n in (0, 1, 2, 3, 1000)] == [0.5, 1, 2, 4, 30]
    assert Backoff().pause(3, lambda: 0.0) == 2
