"""A server that gives data only to those who have a key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from server import guard
from tests.server.keyring import Keyed, address, bearer, closed, handshake, keyed, said, ticket
from tests.server.test_key_attacks import NEED_READ, OPEN, OTHER_APIS, STREAM

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def closed_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Keyed]:
    """A server on which nobody may do anything without a key."""
    async with keyed(tmp_path_factory.mktemp("closed"), anonymous="none") as found:
        yield found


@pytest.mark.parametrize(("method", "path"), NEED_READ)
async def test_every_operation_needs_a_key(closed_server: Keyed, method: str, path: str) -> None:
    nobody = await closed_server.ask(address(path), method=method)
    assert (nobody.status, nobody.body["error_code"]) == (401, "UNAUTHORIZED")
    known = await closed_server.ask(address(path), bearer(closed_server.reader), method=method)
    assert known.status in (200, 404, 503), known.text


@pytest.mark.parametrize("path", OTHER_APIS)
async def test_so_do_the_other_apis(closed_server: Keyed, path: str) -> None:
    nobody = await closed_server.ask(path)
    known = await closed_server.ask(path, ("X-MBX-APIKEY", closed_server.reader))
    if path.startswith("/kraken"):
        assert nobody.body == {"error": ["EAPI:Invalid key"]}
        assert known.body != nobody.body
    else:
        assert (nobody.status, known.status in (200, 503)) == (401, True), known.text


async def test_the_measures_need_a_key(closed_server: Keyed) -> None:
    assert (await closed_server.ask("/metrics")).status == 401
    assert (await closed_server.ask("/metrics", bearer(closed_server.reader))).status == 200


async def test_health_and_pages_need_none(closed_server: Keyed) -> None:
    for method, path in OPEN:
        assert (await closed_server.ask(address(path), method=method)).status in (200, 503)
    for path in (
        "/console",
        "/docs",
        "/index.html",
        "/bundles/openapi.json",
        "/specs/openapi.yaml",
    ):
        assert (await closed_server.ask(path)).status == 200, path


@pytest.mark.parametrize("path", ["/ws", "/stream", "/ws/btcusdt@trade", "/kraken", "/kraken-auth"])
async def test_a_stream_of_another_api_opens_with_a_key(closed_server: Keyed, path: str) -> None:
    assert await handshake(closed_server, path) == 401
    assert await handshake(closed_server, path, bearer(closed_server.reader)) == 101
    text = await ticket(closed_server, bearer(closed_server.reader))
    assert await handshake(closed_server, f"{path}?ticket={text}") == 101


async def test_nobody_gets_a_ticket_without_a_key(closed_server: Keyed) -> None:
    reply = await closed_server.ask("/api/v1/auth/ticket", method="POST")
    assert (reply.status, reply.body["error_code"]) == (401, "UNAUTHORIZED")


async def test_the_stream_takes_its_key_by_a_message(closed_server: Keyed) -> None:
    asking = {"action": "subscribe_tickers", "request_id": "early"}
    candles = [{"symbol": "BTCUSDT", "timeframes": [{"timeframe": 1}]}]
    async with closed_server.client() as session, session.ws_connect(STREAM) as opened:
        for early in (asking, {"action": "subscribe", "subscriptions": candles}):
            await opened.send_json(early)
            assert (await said(opened, "error"))["error_code"] == "UNAUTHORIZED"
        await opened.send_json({"action": "ping"})
        await said(opened, "pong")
        await opened.send_json({"action": "authenticate", "api_key": closed_server.reader})
        result = await said(opened, "authentication_result")
        assert (result["label"], result["scopes"]) == ("charts", ["read"])
        assert result["expires_at"] is None
        await opened.send_json(asking)
        await said(opened, "tickers_subscription_result")
        await said(opened, "initial_tickers")


async def test_a_stream_without_a_key_gets_nothing_and_is_ended(
    closed_server: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "KEY_SECONDS", 1.0)
    async with closed_server.client() as session, session.ws_connect(STREAM) as opened:
        kinds = []
        while (message := await opened.receive(timeout=30)).type is aiohttp.WSMsgType.TEXT:
            kinds.append(json.loads(message.data)["type"])
        assert set(kinds) <= {"heartbeat"}
        assert await closed(opened) == 1008
