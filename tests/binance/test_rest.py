"""The REST client against a simulated exchange that behaves, and one that does not."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from itertools import groupby

import pytest
from aiohttp import web

from ingest.binance.body import MAX_BODY_BYTES
from ingest.binance.budget import WeightBudget
from ingest.binance.kline import Kline, klines
from ingest.binance.rest import MAX_NAMED, BinanceRest, Edge
from ingest.binance.weight import Priority, WeightCoordinator
from ingest.core.errors import ExchangeUnavailable, RateLimited, RequestRefused
from ingest.core.trade import Trade
from simulator.app import Settings
from simulator.assets import names
from simulator.limits import Limits
from simulator.rest import MAX_ADDRESS_BYTES
from tests.factories import raw_trades

from .support import SimulatedExchange, served, simulated

START_MS = 1_704_164_645_000
"""2024-01-02T03:04:05Z."""


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    settings = Settings(
        symbols=("BTCUSDT", "ETHUSDT"),
        rate=20.0,
        tombstones=0.05,
        start_at="2024-01-02T03:04:05Z",
    )
    async with simulated(settings) as exchange:
        yield exchange


@pytest.fixture
def weight() -> WeightCoordinator:
    return WeightCoordinator(WeightBudget(limit=6000))


@pytest.fixture
async def rest(
    exchange: SimulatedExchange, weight: WeightCoordinator
) -> AsyncIterator[BinanceRest]:
    async with BinanceRest(exchange.url, weight) as rest:
        yield rest


async def test_pages_by_id_join_without_a_hole(rest: BinanceRest) -> None:
    newest = await rest.newest("BTCUSDT")
    assert newest is not None
    first = newest.aggregate_id - 2500
    trades: list[Trade] = []
    while len(trades) < 2500:
        next_id = trades[-1].aggregate_id + 1 if trades else first
        page = await rest.agg_trades("BTCUSDT", from_id=next_id)
        assert page.malformed == []
        trades += page.trades
    assert [t.aggregate_id for t in trades] == list(range(first, first + len(trades)))
    assert any(t.is_tombstone for t in trades)


async def test_trades_of_a_span_lie_within_it_oldest_first(rest: BinanceRest) -> None:
    start, end = START_MS - 60_000, START_MS - 50_000
    trades = (await rest.agg_trades("BTCUSDT", start_time=start, end_time=end)).trades
    assert trades
    assert all(start <= t.timestamp <= end for t in trades)
    first = await rest.first_at("BTCUSDT", start)
    assert first == Edge(trades[0].aggregate_id, trades[0])
    assert [t.aggregate_id for t in trades] == sorted(t.aggregate_id for t in trades)


async def test_there_is_no_trade_after_the_end_of_time(rest: BinanceRest) -> None:
    assert await rest.first_at("BTCUSDT", 253_402_300_799_999) is None


async def test_klines_are_what_their_trades_come_to(rest: BinanceRest) -> None:
    start = START_MS // 60_000 * 60_000 - 60_000
    trades: list[Trade] = []
    while not trades or trades[-1].timestamp < start + 60_000:
        if trades:
            page = await rest.agg_trades("BTCUSDT", from_id=trades[-1].aggregate_id + 1)
        else:
            page = await rest.agg_trades("BTCUSDT", start_time=start)
        trades += page.trades
    minute = [t for t in trades if t.timestamp < start + 60_000 and not t.is_tombstone]
    [kline] = await rest.klines("BTCUSDT", "1m", start_time=start, end_time=start)
    prices = [t.price for t in minute]
    assert (kline.open_time, kline.close_time) == (start, start + 59_999)
    assert (kline.open, kline.close) == (prices[0], prices[-1])
    assert (kline.high, kline.low) == (max(prices), min(prices))
    assert kline.volume == sum(t.quantity for t in minute)
    assert kline.trades_count == sum(raw_trades(t) for t in minute)
    assert kline.taker_buy_volume == sum(t.quantity for t in minute if not t.is_buyer_maker)


async def test_the_server_time_is_the_exchanges(rest: BinanceRest) -> None:
    assert START_MS <= await rest.server_time() < START_MS + 60_000


async def test_symbols_that_the_exchange_has_are_given_and_its_weight_limit_is_adopted(
    rest: BinanceRest, weight: WeightCoordinator, exchange: SimulatedExchange
) -> None:
    await exchange.order("status", symbol="ETHUSDT", status="BREAK")
    info = await rest.exchange_info(["NOSUCH", "BTCUSDT", "bad name", "ETHUSDT", "NONE"])
    assert {name: one.status for name, one in info.symbols.items()} == {
        "BTCUSDT": "TRADING",
        "ETHUSDT": "BREAK",
    }
    assert info.symbols["BTCUSDT"].quote_asset == "USDT"
    assert weight.statistics().limit == info.weight_per_minute == 6000


async def test_any_number_of_symbols_is_asked_for_in_few_short_requests(
    weight: WeightCoordinator,
) -> None:
    known = names(600)
    async with simulated(Settings(symbols=tuple(known))) as exchange:
        async with BinanceRest(exchange.url, weight) as rest:
            info = await rest.exchange_info([*known[:300], "NOSUCH", *known[300:], "NONE"])
        assert info.symbols.keys() == set(known)
        requests = (await exchange.state(requests=10))["requests"]
    assert isinstance(requests, list)
    assert len(requests) == 4  # all, the two that are not among them, and each of these
    assert weight.statistics().limit == 6000


async def test_the_longest_names_are_within_the_exchanges_bound(
    exchange: SimulatedExchange, rest: BinanceRest
) -> None:
    wanted = [chr(0x4E00 + number) * 20 for number in range(MAX_NAMED)]
    await exchange.order("answer", status=200, body='{"symbols":[]}')
    assert not (await rest.exchange_info(wanted)).symbols
    requests = (await exchange.state(requests=10))["requests"]
    assert isinstance(requests, list)
    assert MAX_ADDRESS_BYTES > len(requests[0]["path"]) > 0.8 * MAX_ADDRESS_BYTES


async def test_a_refusal_carries_the_exchanges_code_and_what_to_do(rest: BinanceRest) -> None:
    with pytest.raises(RequestRefused, match="check the symbol") as refused:
        await rest.agg_trades("NOSUCH")
    assert refused.value.code == -1121


@pytest.mark.parametrize("answer", [{"status": 503}, {"status": 500}, {"status": 0}])
async def test_passing_faults_are_tried_again(
    rest: BinanceRest, exchange: SimulatedExchange, answer: dict[str, object]
) -> None:
    await exchange.order("answer", count=2, **answer)
    assert await rest.newest("BTCUSDT") is not None


async def test_lasting_faults_are_raised_after_a_bounded_number_of_attempts(
    exchange: SimulatedExchange, weight: WeightCoordinator
) -> None:
    await exchange.order("answer", status=502, count=100)
    async with BinanceRest(exchange.url, weight, attempts=2) as rest:
        with pytest.raises(ExchangeUnavailable, match=r"2 attempts.*502"):
            await rest.newest("BTCUSDT")
    assert weight.statistics().requests == 2


async def test_a_late_answer_is_given_up(
    exchange: SimulatedExchange, weight: WeightCoordinator
) -> None:
    await exchange.order("answer", status=200, delay=30)
    async with BinanceRest(exchange.url, weight, attempts=1, timeout=0.1) as rest:
        with pytest.raises(ExchangeUnavailable, match="Timeout"):
            await rest.newest("BTCUSDT")


async def test_nobody_at_the_address_is_unavailable(weight: WeightCoordinator) -> None:
    async with served() as url:
        pass
    async with BinanceRest(url, weight, attempts=1) as rest:
        with pytest.raises(ExchangeUnavailable, match="check the network"):
            await rest.server_time()


@pytest.mark.parametrize("status", [403, 302, 404])
async def test_a_firewall_or_a_wrong_address_is_named_and_not_tried_again(
    exchange: SimulatedExchange, rest: BinanceRest, weight: WeightCoordinator, status: int
) -> None:
    await exchange.order("answer", status=status, count=1, body="<html>no</html>")
    with pytest.raises(ExchangeUnavailable, match=r"firewall|base URL"):
        await rest.newest("BTCUSDT")
    assert weight.statistics().requests == 1


@pytest.mark.parametrize("status", [429, 418])
async def test_no_task_sends_anything_before_the_retry_after_has_run_out(
    exchange: SimulatedExchange, status: int
) -> None:
    weight = WeightCoordinator(WeightBudget(limit=6000, max_in_flight=1))
    async with BinanceRest(exchange.url, weight) as rest:
        await rest.newest("BTCUSDT")
        await exchange.order("answer", status=status, retry_after=1, count=1)
        results = await asyncio.gather(
            *(rest.newest(symbol) for symbol in ("BTCUSDT", "ETHUSDT") * 10),
            return_exceptions=True,
        )
    limited = [result for result in results if isinstance(result, RateLimited)]
    assert len(limited) == 1
    assert sum(isinstance(result, Edge) for result in results) == 19
    state = await exchange.state()
    assert state["early_requests"] == 0
    assert weight.statistics().throttled == 1


async def test_a_request_whose_connection_is_made_during_a_ban_is_not_sent(
    exchange: SimulatedExchange, rest: BinanceRest, weight: WeightCoordinator
) -> None:
    request = asyncio.create_task(rest.newest("BTCUSDT"))
    await asyncio.sleep(0)
    weight.refused(429, 0.3)
    assert weight.statistics().reserved == 4
    await asyncio.sleep(0.1)
    state = await exchange.state()
    assert state["rest_statuses"] == {}
    assert weight.statistics().used == 0
    assert await request is not None


async def test_the_budget_is_kept_below_the_exchanges_limit() -> None:
    settings = Settings(
        symbols=("BTCUSDT",),
        start_at="2024-01-02T03:04:05Z",
        limits=Limits(weight=60, window_s=0.5),
    )
    weight = WeightCoordinator(WeightBudget(limit=60, share=0.7, window=0.5))
    async with simulated(settings) as exchange, BinanceRest(exchange.url, weight) as rest:
        await asyncio.gather(*(rest.newest("BTCUSDT") for _ in range(35)))
        assert (await exchange.state())["rest_statuses"] == {"200": 35}


async def test_weight_that_another_program_used_is_respected(exchange: SimulatedExchange) -> None:
    others = WeightCoordinator(WeightBudget(limit=6000))
    ours = WeightCoordinator(WeightBudget(limit=100, share=1.0))
    async with BinanceRest(exchange.url, others) as rest:
        for _ in range(3):
            await rest.exchange_info(["BTCUSDT"])
    async with BinanceRest(exchange.url, ours) as rest:
        await rest.newest("BTCUSDT")
    assert ours.statistics().used >= 64


@pytest.mark.parametrize("body", ["", "[{", "{}", "null", "<html>", '{"serverTime":-1}'])
async def test_unreadable_answers_are_reported(
    exchange: SimulatedExchange, rest: BinanceRest, body: str
) -> None:
    await exchange.order("answer", status=200, body=body, count=2)
    with pytest.raises(ExchangeUnavailable):
        await rest.server_time()
    with pytest.raises(ExchangeUnavailable):
        await rest.agg_trades("BTCUSDT")


async def test_an_endless_answer_is_not_read_to_its_end(weight: WeightCoordinator) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 4 * MAX_BODY_BYTES:
                await response.write(b"[" * 2**20)
                sent += 2**20
        except ConnectionError:
            pass
        return response

    async with (
        served(web.get("/api/v3/aggTrades", endless)) as url,
        BinanceRest(url, weight) as rest,
    ):
        with pytest.raises(ExchangeUnavailable, match="longer than"):
            await rest.agg_trades("BTCUSDT")
    assert sent < 2 * MAX_BODY_BYTES


async def test_an_answer_is_bounded_while_it_is_unpacked(weight: WeightCoordinator) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"[" * 2**20) for _ in range(300)) + packer.flush()
    assert len(bomb) < 2**20

    async with packed(bomb) as url, BinanceRest(url, weight) as rest:
        tracemalloc.start()
        try:
            with pytest.raises(ExchangeUnavailable, match="longer than"):
                await rest.agg_trades("BTCUSDT")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 3 * MAX_BODY_BYTES


async def test_packed_answers_are_read(weight: WeightCoordinator) -> None:
    async with (
        packed(gzip.compress(b'{"serverTime":1704164645000}')) as url,
        BinanceRest(url, weight) as rest,
    ):
        assert await rest.server_time() == START_MS


@pytest.mark.parametrize(
    ("body", "encoding", "why"),
    [
        (b"no gzip at all", "gzip", "unpacked"),
        (gzip.compress(b'{"serverTime":1704164645000}')[:-9], "gzip", "ends before"),
        (b"{}", "br", "'br'"),
    ],
    ids=["not packed", "cut short", "packed otherwise"],
)
async def test_what_cannot_be_unpacked_is_reported(
    weight: WeightCoordinator, body: bytes, encoding: str, why: str
) -> None:
    async with packed(body, encoding) as url, BinanceRest(url, weight, attempts=2) as rest:
        with pytest.raises(ExchangeUnavailable, match=why):
            await rest.server_time()


def packed(body: bytes, encoding: str = "gzip") -> AbstractAsyncContextManager[str]:
    """An exchange that answers with these bytes."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    return served(web.get("/api/v3/{any}", answer))


async def test_gaps_and_the_clock_go_before_history(exchange: SimulatedExchange) -> None:
    weight = WeightCoordinator(WeightBudget(limit=6000, max_in_flight=1))
    order: list[str] = []

    async def ask(client: BinanceRest, symbol: str, priority: Priority) -> None:
        await client.newest(symbol, priority=priority)
        order.append(priority.name)

    async with BinanceRest(exchange.url, weight) as client, asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(ask(client, "BTCUSDT", Priority.HISTORY))
        tasks.create_task(ask(client, "BTCUSDT", Priority.GAP))
        tasks.create_task(ask(client, "ETHUSDT", Priority.CLOCK))
    # The first one had its turn before the others asked.
    assert [name for name, _ in groupby(order)] == ["HISTORY", "CLOCK", "GAP", "HISTORY"]


def test_klines_have_exact_decimals_of_any_size() -> None:
    row = b'[[1,"2.5","3","2","2.75","9",59999,"999999999999.12345678",7,"4","11.0","0"]]'
    assert klines(row) == [
        Kline(
            *(1, 250_000_000, 300_000_000, 200_000_000, 275_000_000, 900_000_000, 59_999),
            int(Decimal("999999999999.12345678") * 10**8),
            *(7, 400_000_000, 1_100_000_000),
        )
    ]


@pytest.mark.parametrize(
    "body", [b"[[1]]", b'[[1,"-2","3","2","2","9",5,"9",7,"4","1","0"]]', b"x"]
)
def test_klines_that_cannot_be_read_are_reported(body: bytes) -> None:
    with pytest.raises(ExchangeUnavailable):
        klines(body)
