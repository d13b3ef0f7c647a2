"""The private server: its tokens, and feeds of an account that has never traded."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from handlers.kraken.api import PATHS, PRIVATE, PUBLIC
from tests.handlers.kraken.conftest import API_KEY, TOKEN_SECONDS, Running
from tests.handlers.kraken.support import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def token(running: Running, key: str = API_KEY) -> Any:
    async with aiohttp.ClientSession(running.url) as session:
        path = "/kraken/0/private/GetWebSocketsToken"
        answer = await session.post(path, headers={"API-Key": key}, data={"nonce": "1"})
        assert answer.status == 200
        return await answer.json()


def subscribe(feed: str, granted: str, **more: object) -> dict[str, object]:
    return {"event": "subscribe", "subscription": {"name": feed, "token": granted, **more}}


async def test_a_private_feed_begins_empty_and_ends_with_its_token(running: Running) -> None:
    granted = await token(running)
    assert granted["error"] == []
    assert granted["result"]["expires"] == TOKEN_SECONDS
    async with Client.connect(running.url, PRIVATE) as client:
        for feed in ("ownTrades", "openOrders"):
            answer = await client.ask({**subscribe(feed, granted["result"]["token"]), "reqid": 1})
            assert answer == {
                "channelName": feed,
                "event": "subscriptionStatus",
                "reqid": 1,
                "status": "subscribed",
                "subscription": {"name": feed},
            }
            snapshot = await client.wait_for(lambda message: isinstance(message, list))
            assert snapshot == [[], feed, {"sequence": 1}]
        again = await client.ask(subscribe("ownTrades", granted["result"]["token"]))
        assert again["errorMessage"] == "Already subscribed"
        ended = [await client.wait_for(lambda m: "channelName" in m) for _ in range(2)]
        assert sorted(ended, key=lambda message: message["channelName"]) == [
            {
                "channelName": feed,
                "event": "subscriptionStatus",
                "status": "unsubscribed",
                "subscription": {"name": feed},
            }
            for feed in ("openOrders", "ownTrades")
        ]
        late = await client.ask(subscribe("ownTrades", granted["result"]["token"]))
        assert late["errorMessage"] == "ESession:Invalid session"


async def test_a_private_feed_can_be_left(running: Running) -> None:
    granted = (await token(running))["result"]["token"]
    leave = {"event": "unsubscribe", "subscription": {"name": "ownTrades", "token": granted}}
    async with Client.connect(running.url, PRIVATE) as client:
        await client.ask(subscribe("ownTrades", granted, snapshot=False))
        assert (await client.ask(leave))["status"] == "unsubscribed"
        assert (await client.ask(leave))["errorMessage"] == "Subscription Not Found"
        assert not [message for message in client.messages if isinstance(message, list)]


@pytest.mark.parametrize(
    ("subscription", "text"),
    [
        ({"name": "ownTrades", "token": "no token"}, "ESession:Invalid session"),
        ({"name": "ownTrades"}, "EGeneral:Invalid arguments"),
        ({"name": "ownTrades", "token": 7}, "EGeneral:Invalid arguments"),
        (
            {"name": "ticker"},
            "Public market data is unavailable on this endpoint. Try ws.kraken.com",
        ),
        ({"name": "orders", "token": "x"}, "Subscription name invalid"),
    ],
)
async def test_wrong_requests_are_refused(
    running: Running, subscription: dict[str, object], text: str
) -> None:
    async with Client.connect(running.url, PRIVATE) as client:
        answer = await client.ask({"event": "subscribe", "subscription": subscription})
        assert answer == {
            "errorMessage": text,
            "event": "subscriptionStatus",
            "status": "error",
            "subscription": subscription,
        }
        assert await client.ask({"event": "ping", "reqid": 1}) == {"event": "pong", "reqid": 1}


async def test_a_wrong_key_gets_no_token(running: Running) -> None:
    assert await token(running, "a guess") == {"error": ["EAPI:Invalid key"]}


@pytest.mark.parametrize("path", [PATHS[PUBLIC], PATHS[PUBLIC] + "/", PATHS[PRIVATE] + "/"])
async def test_a_slash_after_the_path_changes_nothing(running: Running, path: str) -> None:
    async with aiohttp.ClientSession(running.url) as session, session.ws_connect(path) as socket:
        assert (await socket.receive_json())["event"] == "systemStatus"
