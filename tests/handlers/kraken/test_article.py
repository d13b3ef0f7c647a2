"""The requests of the article's document, and the server's answers by its word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from asyncapi_server import Contract, check, load_document
from generated.native.facts import DataQuality
from handlers.kraken.api import PATHS, PRIVATE, PUBLIC
from support.article import Mend, mended
from tests.handlers.kraken.conftest import API_KEY, Running
from tests.handlers.kraken.support import Client, Judge, status, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FURTHER_MENDS = (
    Mend(
        """\
              type: integer
            interval:
              $ref: '#/components/schemas/interval'
            maxratecount:
              $ref: '#/components/schemas/maxratecount'
            name:
              $ref: '#/components/schemas/name'
""",
        """\
              type: integer
            interval:
              type: integer
            maxratecount:
              $ref: '#/components/schemas/maxratecount'
            name:
              type: string
""",
        "a status repeats an interval or a name that was refused, as it does a depth",
    ),
    Mend(
        """\
          required:
            - channelID
            - channelName
""",
        """\
          required:
            - channelName
""",
        "its own description says that private feeds have no channelID",
    ),
)
"""Lines with which the document is sound, and forbids answers that the API gives."""
UNDESCRIBED = ("error", "pingStatus")


def document(directory: Path) -> Path:
    """The mended document in a directory."""
    path = mended(directory)
    text = path.read_text("utf-8")
    for mend in FURTHER_MENDS:
        assert text.count(mend.old) == 1, mend.old
        text = text.replace(mend.old, mend.new)
    path.write_text(text, "utf-8")
    return path


class Reader(Client):
    """Holds events to the document.

    It describes neither data nor the answers to what is no request, which are let pass.
    """

    async def receive(self) -> Any:
        message = await self._socket.receive_json(timeout=20)
        if isinstance(message, dict) and message["event"] not in UNDESCRIBED:
            assert self._judge.names(message), message
        self.messages.append(message)
        return message

    async def text(self) -> str:
        """The next message as it comes."""
        return await self._socket.receive_str(timeout=20)


@asynccontextmanager
async def reading(running: Running, path: Path, server: str = PUBLIC) -> AsyncIterator[Reader]:
    """A client of the real server that holds its events to the article's document."""
    judge = Judge(Contract.from_document(load_document(path)))
    async with (
        aiohttp.ClientSession(running.url) as session,
        session.ws_connect(PATHS[server]) as socket,
    ):
        client = Reader(socket, judge)
        first = await client.receive()
        assert (first["event"], first["status"]) == ("systemStatus", "online")
        yield client


@pytest.fixture
def article(tmp_path: Path) -> Path:
    return document(tmp_path)


async def test_its_requests_are_answered_as_it_says(running: Running, article: Path) -> None:
    assert check(article) == []
    feed = running.server.provider.view.feed("BTCUSDT")
    await until(lambda: feed.status.quality is DataQuality.COMPLETE)
    async with reading(running, article) as client:
        assert await client.ask({"event": "ping", "reqid": 42}) == {"event": "pong", "reqid": 42}
        pairs = ["XBT/USDT", "ETH/XBT"]
        wanted = {"event": "subscribe", "pair": pairs, "reqid": 42}
        wanted_feed = {"name": "ohlc", "interval": 5}
        await client.send({**wanted, "subscription": wanted_feed})
        for name in pairs:
            answer = await client.wait_for(lambda message: "channelID" in message)
            assert (answer["pair"], answer["reqid"]) == (name, 42)
            assert answer["subscription"] == {"interval": 5, "name": "ohlc"}
        await client.data("ohlc-5", "XBT/USDT")
        leave = {"event": "unsubscribe", "pair": ["XBT/USDT"], "subscription": {"name": "trade"}}
        assert status(await client.ask(leave)) == ("error", "Subscription Not Found")
        await client.send({**wanted, "event": "unsubscribe", "subscription": wanted_feed})
        for _ in pairs:
            await client.wait_for(lambda message: "unsubscribed" in str(message))
        assert await client.wait_for(lambda message: message == {"event": "heartbeat"})


async def test_its_errors_come_word_for_word(running: Running, article: Path) -> None:
    async with reading(running, article) as client:
        private = {
            "name": "ownTrades",
            "token": "WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbiBnb2VzIGhlcmUu",
        }
        await client.send({"event": "subscribe", "subscription": private})
        assert await client.text() == (
            '{"errorMessage":"Private data and trading are unavailable on this endpoint. '
            'Try ws-auth.kraken.com","event":"subscriptionStatus","status":"error",'
            '"subscription":{"name":"ownTrades",'
            '"token":"WW91ciBhdXRoZW50aWNhdGlvbiB0b2tlbiBnb2VzIGhlcmUu"}}'
        )
        book = {"depth": 42, "name": "book"}
        await client.send({"event": "subscribe", "pair": ["XBT/USD"], "subscription": book})
        assert await client.text() == (
            '{"errorMessage":"Subscription depth not supported","event":"subscriptionStatus",'
            '"pair":"XBT/USD","status":"error","subscription":{"depth":42,"name":"book"}}'
        )
        for request, text in (
            ({"event": "subscribe", "pair": ["XBTUSD"]}, "Subscription(s) not found"),
            (
                {"event": "subscribe", "pair": ["XBTUSD"], "subscription": {"name": "trade"}},
                "Currency pair not in ISO 4217-A3 format XBTUSD",
            ),
            (
                {"event": "subscribe", "subscription": {"name": "trade"}},
                "Pair(s) not found",
            ),
            (
                {"event": "subscribe", "subscription": {"name": "trade", "interval": 7}},
                "Subscription ohlc interval not supported",
            ),
            ({"event": "ping", "reqid": "a"}, "Reqid field must be a positive integer"),
            ({"event": "hello"}, "Unsupported event"),
            ("{", "Malformed request"),
        ):
            answer = await client.ask(request)
            assert answer["event"] in ("subscriptionStatus", *UNDESCRIBED)
            assert answer["errorMessage"].startswith(text)


async def test_its_private_server_wants_a_token(running: Running, article: Path) -> None:
    async with (
        reading(running, article, PRIVATE) as client,
        aiohttp.ClientSession(running.url) as session,
    ):
        path = "/kraken/0/private/GetWebSocketsToken"
        granted = await (await session.post(path, headers={"API-Key": API_KEY})).json()
        wanted = {"name": "ownTrades", "token": granted["result"]["token"]}
        answer = await client.ask({"event": "subscribe", "subscription": wanted, "reqid": 1})
        assert answer == {
            "channelName": "ownTrades",
            "event": "subscriptionStatus",
            "reqid": 1,
            "status": "subscribed",
            "subscription": {"name": "ownTrades"},
        }
        for subscription, text in (
            ({"name": "ownTrades", "token": "no token"}, "ESession:Invalid session"),
            ({"name": "ownTrades"}, "EGeneral:Invalid arguments"),
            ({"name": "ticker"}, "Public market data is unavailable on this endpoint."),
        ):
            answer = await client.ask({"event": "subscribe", "subscription": subscription})
            assert answer["errorMessage"].startswith(text)
            assert answer["subscription"] == subscription
