"""Binance's streams carry what the exchange's own do: the same subscriptions to both."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from generated.native.facts import DataQuality
from handlers.binance.stream.names import MINI_TICKER
from server.app import Server
from tests import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYMBOL, NAME = "BTCUSDT", "btcusdt"
GENESIS, NOW = "2024-03-31T21:00:00Z", "2024-03-31T23:59:45Z"
"""A minute, an hour, a day, a week and a month end a moment after the clock starts."""
INTERVALS = ("1s", "1m", "5m", "1h", "1d", "1w", "1M")
OWN = ("173m", "7m", "90m")
"""Intervals that the exchange does not have."""
END_MS = 1_711_929_600_000
SECONDS_AFTER_END = 8
TIMED = ("E", "C", "b", "B", "a", "A")
"""Fields of a ticker that depend on the moment at which it is made."""
SUMS = ("q", "w")
"""Figures of the quote asset: the exchange cuts each trade's off, we cut off their sum."""


@dataclass
class Heard:
    """The messages of a connection, by stream."""

    ws: aiohttp.ClientWebSocketResponse
    data: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    answers: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        async for message in self.ws:
            value = json.loads(message.data)
            if "stream" in value:
                self.data[value["stream"]].append(value["data"])
            else:
                self.answers.append(value)


@dataclass
class Both:
    """The exchange and our server, and what both have sent."""

    session: aiohttp.ClientSession
    server: Server
    exchange: str
    ours: str
    theirs_heard: Heard
    ours_heard: Heard

    async def answer(self, url: str, **query: object) -> Any:
        async with self.session.get(url, params={n: str(v) for n, v in query.items()}) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    # The clock stands still, for it waits for one stream more than the server wants.
    options = ["--symbols", SYMBOL, "--rate", "6", "--genesis", GENESIS, "--clock-start", NOW]
    options += ["--wait-for-subscriber", "2"]
    async with running.simulator(*options) as exchange:
        chosen = running.settings(
            exchange, tmp_path_factory.mktemp("streams"), symbols=SYMBOL, history="40d"
        )
        async with running.server(chosen) as (server, ours), aiohttp.ClientSession() as session:
            feed = server.provider.feeds[SYMBOL]
            await running.until(lambda: feed.status.quality is DataQuality.COMPLETE)
            kinds = ["aggTrade", "miniTicker", "ticker", "bookTicker", "kline_1d@+08:00"]
            kinds += [f"kline_{interval}" for interval in INTERVALS]
            streams = "/".join(f"{NAME}@{kind}".replace("+", "%2B") for kind in kinds)
            own = "".join(f"/{NAME}@kline_{interval}" for interval in OWN)
            heard = []
            for base, names in ((ours, streams + own), (exchange, streams)):
                url = f"{base.replace('http', 'ws', 1)}/stream?streams={names}"
                heard.append(Heard(await session.ws_connect(url)))
            listening = [asyncio.create_task(each.listen()) for each in heard]
            clock = server.provider.clock
            await running.until(lambda: clock.now_ms() > END_MS + SECONDS_AFTER_END * 1000)
            yield Both(session, server, exchange, ours, heard[1], heard[0])
            for each in heard:
                await each.ws.close()
            await asyncio.gather(*listening)


def paired(
    both: Both, stream: str, key: Callable[[dict[str, Any]], object]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Messages of both that are about the same state."""
    theirs = {key(data): data for data in both.theirs_heard.data[stream]}
    found = [(data, theirs.get(key(data))) for data in both.ours_heard.data[stream]]
    return [(ours, same) for ours, same in found if same is not None]


async def test_trades_are_those_of_the_exchange_and_none_is_left_out(both: Both) -> None:
    stream = f"{NAME}@aggTrade"
    pairs = paired(both, stream, lambda data: data["a"])
    assert len(pairs) > 50
    for ours, theirs in pairs:
        assert {**ours, "E": 0} == {**theirs, "E": 0}
        assert ours["E"] >= ours["T"]
    ids = [data["a"] for data in both.ours_heard.data[stream]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_quotes_are_those_of_the_exchange(both: Both) -> None:
    pairs = paired(both, f"{NAME}@bookTicker", lambda data: data["u"])
    assert len(pairs) > 20
    assert all(ours == theirs for ours, theirs in pairs)


@pytest.mark.parametrize("interval", [*INTERVALS, "1d@+08:00"])
async def test_candles_are_those_of_the_exchange(both: Both, interval: str) -> None:
    pairs = paired(both, f"{NAME}@kline_{interval}", lambda data: (data["k"]["t"], data["k"]["L"]))
    assert len(pairs) > 5
    for ours, theirs in pairs:
        got, expected = dict(ours["k"]), dict(theirs["k"])
        for each in (got, expected):
            del each["x"]  # the exchange's last one may be of a moment before
        for name in ("q", "Q"):
            off = Decimal(got.pop(name)) - Decimal(expected.pop(name))
            assert 0 <= off <= Decimal("1e-8") * got["n"]
        assert got == expected


@pytest.mark.parametrize("interval", [*INTERVALS, *OWN])
async def test_a_candle_ends_once_as_it_is_stored(both: Both, interval: str) -> None:
    messages = [data["k"] for data in both.ours_heard.data[f"{NAME}@kline_{interval}"]]
    assert all(one["t"] <= other["t"] for one, other in pairwise(messages))
    ended = [message for message in messages if message["x"]]
    assert len(ended) == len({message["t"] for message in messages}) - 1
    url, query = f"{both.ours}/api/v3/klines", {"symbol": SYMBOL, "interval": interval}
    for message in ended:
        (row,) = await both.answer(url, startTime=message["t"], limit=1, **query)
        names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
        assert row == [message[name] for name in names]
        later = messages[messages.index(message) + 1 :]
        assert all(each["t"] > message["t"] for each in later)


@pytest.mark.parametrize("kind", ["miniTicker", "ticker"])
async def test_tickers_are_those_of_the_exchange(both: Both, kind: str) -> None:
    def key(data: dict[str, Any]) -> object:
        return (data["v"], data["c"]) if kind == MINI_TICKER else (data["O"], data["L"])

    pairs = paired(both, f"{NAME}@{kind}", key)
    assert len(pairs) > 2
    for ours, theirs in pairs:
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            if name in SUMS:
                assert abs(Decimal(value) - Decimal(theirs[name])) <= Decimal("0.001")
            elif name not in TIMED:
                assert value == theirs[name], name


async def test_times_are_in_microseconds_where_they_are_asked_for(both: Both) -> None:
    url = f"{both.ours.replace('http', 'ws', 1)}/ws/{NAME}@kline_1M?timeUnit=microsecond"
    async with both.session.ws_connect(url) as ws:
        message = await ws.receive_json()
    assert message["k"]["t"] == END_MS * 1000
    assert message["k"]["T"] == 1_714_521_600_000_000 - 1
    assert message["E"] > END_MS * 1000


async def test_requests_are_answered_in_the_exchanges_words(both: Both) -> None:
    answers = []
    requests: tuple[object, ...] = (
        {"method": "SUBSCRIBE", "params": [f"{NAME}@aggTrade"], "id": 1},
        {"method": "SUBSCRIBE", "params": [f"{NAME}@aggTrade"], "id": "twice"},
        {"method": "LIST_SUBSCRIPTIONS", "id": 2},
        {"method": "UNSUBSCRIBE", "params": [f"{NAME}@aggTrade", f"{NAME}@ticker"], "id": 3},
        {"method": "LIST_SUBSCRIPTIONS", "id": None},
        {"method": "GET_PROPERTY", "params": ["combined"], "id": 4},
        {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5},
        {"method": "GET_PROPERTY", "params": ["combined"], "id": 6},
    )
    wrong: tuple[object, ...] = (
        {"method": "SUBSCRIBE", "params": [f"{NAME}@nothing"], "id": 10},
        {"method": "SET_PROPERTY", "params": ["combined", "no"], "id": 11},
        {"method": "GET_PROPERTY", "params": ["other"], "id": 12},
        {"method": "SUBSCRIBE", "id": 13},
        {"method": "NOTHING", "id": 14},
        {"method": "SUBSCRIBE", "params": [f"{NAME}@aggTrade"], "id": 15, "more": 1},
        {"method": "SUBSCRIBE", "params": [f"{NAME}@aggTrade"], "id": [16]},
        [],
        "no JSON",
    )
    for base in (both.exchange, both.ours):
        async with both.session.ws_connect(f"{base.replace('http', 'ws', 1)}/ws") as ws:
            of_base = []
            for request in (*requests, *wrong):
                text = request if isinstance(request, str) else json.dumps(request)
                await ws.send_str(text)
                while "e" in (answer := await ws.receive_json()) or "stream" in answer:
                    pass  # a trade
                of_base.append(answer)
                await asyncio.sleep(0.25)  # the exchange takes five a second
            answers.append(of_base)
    theirs, ours = answers
    assert ours[: len(requests)] == theirs[: len(requests)]
    for got, expected in zip(ours[len(requests) :], theirs[len(requests) :], strict=True):
        assert (got["code"], got.get("id")) == (expected["code"], expected.get("id"))
        assert got.keys() == expected.keys()


async def test_what_is_not_served_is_refused_beside_what_is(both: Both) -> None:
    names = [f"{NAME}@depth20@100ms", f"{NAME}@trade", "!ticker@arr", "nousdt@aggTrade"]
    names += [f"{NAME}@bookTicker", "BTCUSDT@aggTrade", f"{NAME}@ticker_173m"]
    query = "/".join(names)
    url = f"{both.ours.replace('http', 'ws', 1)}/stream?streams={query}"
    async with both.session.ws_connect(url) as ws:
        refused: list[dict[str, Any]] = []
        while len(refused) < len(names) - 1:
            answer = await ws.receive_json()
            if "code" in answer:
                refused.append(answer)
        assert {answer["code"] for answer in refused} == {2}
        assert "order books are not served here" in refused[0]["msg"]
        assert "single trades are not served here" in refused[1]["msg"]
        assert "all symbols together" in refused[2]["msg"]
        assert "not one that is followed here" in refused[3]["msg"]
        assert (await ws.receive_json())["stream"] == f"{NAME}@bookTicker"
        await ws.send_json({"method": "SUBSCRIBE", "params": names[:1], "id": 7})
        while "code" not in (answer := await ws.receive_json()):
            pass
        assert answer["id"] == 7


async def test_the_form_is_changed_without_a_trade_missed(both: Both) -> None:
    url = f"{both.ours.replace('http', 'ws', 1)}/ws/{NAME}@aggTrade"
    ids: list[int] = []
    async with both.session.ws_connect(url) as ws:
        for turn in range(12):
            await ws.send_json({"method": "SET_PROPERTY", "params": ["combined", not turn % 2]})
            deadline = asyncio.get_running_loop().time() + 0.4
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    while True:
                        message = await ws.receive_json()
                        trade = message.get("data", message)
                        ids += [trade["a"]] if "a" in trade else []
    assert len(ids) > 5
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_gap_keeps_the_streams_silent_until_it_is_filled(both: Both) -> None:
    url = f"{both.ours.replace('http', 'ws', 1)}/ws/{NAME}@aggTrade/{NAME}@kline_1m"
    feed = both.server.provider.feeds[SYMBOL]
    ids: list[int] = []
    silent: list[object] = []
    async with both.session.ws_connect(url) as ws:

        async def hear(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while True:
                        message = await ws.receive_json()
                        if message.get("e") == "aggTrade":
                            ids.append(message["a"])
                        elif "result" in message:
                            silent.append(message.get("silent"))

        await hear(1)
        async with both.session.post(f"{both.exchange}/control/cut"):
            pass
        await running.until(lambda: feed.status.quality is not DataQuality.COMPLETE)
        await ws.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await hear(6)
    names = {f"{NAME}@aggTrade", f"{NAME}@kline_1m"}
    assert isinstance(silent[0], dict)
    assert silent[0].keys() == names
    assert set(silent[0].values()) <= {"partial", "unknown"}
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 20
