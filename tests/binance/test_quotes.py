"""Quotes of the simulated exchange, over connections that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import aiohttp
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.binance.quotes import Quote, QuoteStream, rest_quote, rest_quotes, stream_quote
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import WeightCoordinator
from ingest.core.errors import ExchangeUnavailable
from tests.running import simulator

SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Taker:
    """Records its calls."""

    def __init__(self) -> None:
        self.quotes: list[tuple[str, Quote]] = []
        self.lost: list[str] = []

    def on_quote(self, symbol: str, quote: Quote) -> None:
        self.quotes.append((symbol, quote))

    def on_quotes_lost(self, symbols: Iterable[str]) -> None:
        self.lost += symbols

    @property
    def symbols(self) -> set[str]:
        return {symbol for symbol, _ in self.quotes}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # a condition of the program, not of the test
            await asyncio.sleep(0.02)


@pytest.fixture
async def exchange() -> AsyncIterator[str]:
    async with simulator("--symbols", ",".join(SYMBOLS), "--rate", "50") as url:
        yield url


async def streams(url: str) -> int:
    """How many connections the exchange has."""
    async with aiohttp.ClientSession(url) as session:
        state = await (await session.get("/control/state")).json()
        return int(state["connections"])


async def test_quotes_come_for_the_symbols_wanted_and_no_others(exchange: str) -> None:
    taker = Taker()
    stream = QuoteStream(exchange.replace("http", "ws", 1), taker)
    try:
        stream.add(["BTCUSDT"])
        await until(lambda: taker.symbols == {"BTCUSDT"})
        stream.add(["ETHUSDT"])
        stream.add(["ETHUSDT"])
        await until(lambda: taker.symbols == set(SYMBOLS))
        stream.remove(["BTCUSDT"])
        assert stream.symbols == {"ETHUSDT"}
        taker.quotes.clear()
        await until(lambda: len(taker.quotes) >= 5)
        assert taker.symbols == {"ETHUSDT"}
        assert all(0 < quote.bid < quote.ask for _, quote in taker.quotes)
    finally:
        await stream.close()


async def test_the_connection_ends_with_the_last_symbol(exchange: str) -> None:
    taker = Taker()
    stream = QuoteStream(exchange.replace("http", "ws", 1), taker)
    try:
        for _ in range(2):
            stream.add(["BTCUSDT"])
            await until(lambda: bool(taker.quotes))
            assert await streams(exchange) == 1
            stream.remove(["BTCUSDT"])
            async with asyncio.timeout(20):
                while await streams(exchange):  # noqa: ASYNC110  # the exchange has no event for it
                    await asyncio.sleep(0.05)
            taker.quotes.clear()
    finally:
        await stream.close()


async def test_quotes_come_again_after_a_cut_which_is_reported(exchange: str) -> None:
    taker = Taker()
    stream = QuoteStream(exchange.replace("http", "ws", 1), taker)
    try:
        stream.add(["BTCUSDT"])
        await until(lambda: bool(taker.quotes))
        async with aiohttp.ClientSession(exchange) as session:
            await session.post("/control/cut")
        await until(lambda: taker.lost == ["BTCUSDT"])
        taker.quotes.clear()
        await until(lambda: bool(taker.quotes))
    finally:
        await stream.close()


async def test_an_exchange_that_is_away_is_tried_again() -> None:
    taker = Taker()
    stream = QuoteStream("ws://127.0.0.1:1", taker)
    stream.add(["BTCUSDT"])
    await asyncio.sleep(0.1)
    await stream.close()
    assert taker.quotes == []


async def test_the_quotes_of_all_symbols_can_be_asked_for(exchange: str) -> None:
    async with BinanceRest(exchange, WeightCoordinator()) as rest:
        quotes = await rest.quotes()
        assert quotes.keys() >= {"BTCUSDT"}
        assert all(0 < quote.bid < quote.ask for quote in quotes.values())


async def test_the_quote_now_can_be_asked_for(exchange: str) -> None:
    async with BinanceRest(exchange, WeightCoordinator()) as rest:
        quote = await rest.quote("BTCUSDT")
    assert 0 < quote.bid < quote.ask
    assert quote.bid_quantity > 0
    assert quote.ask_quantity > 0


def test_a_message_of_the_exchange_is_read() -> None:
    data = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000",'
    data += b'"a":"25.36520000","A":"40.66000000","new":1}'
    message = b'{"stream":"bnbusdt@bookTicker","data":' + data + b"}"
    quote = Quote(2535190000, 3121000000, 2536520000, 4066000000, 400900217)
    assert stream_quote(message) == ("BNBUSDT", quote)


@given(st.binary() | st.just(b'{"result":null,"id":1}') | st.just(b"[" * 100_000))
def test_anything_else_is_no_quote(raw: bytes) -> None:
    assume(b"".join(raw.split()) != b"[]")  # of no symbol
    assert stream_quote(raw) is None
    for read in (rest_quote, rest_quotes):
        with pytest.raises(ExchangeUnavailable):
            read(raw)
