"""Access control through real sockets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiohttp import WSServerHandshakeError

from ingest.core.errors import SettingError
from server.edge.access import AccessPolicy
from server.edge.address import parse_networks
from server.edge.limits import NS_PER_SECOND
from tests.server.conftest import EVERYBODY, STREAM, Start

PATHS = ("/api/v1/tickers/", "/docs", "/", "/api/v1/openapi.json", "/nope", STREAM)
LOOPBACK = parse_networks("127.0.0.1")


async def test_addresses_off_the_whitelist_get_403_everywhere(start: Start) -> None:
    edge = await start(AccessPolicy(whitelist=parse_networks("192.0.2.0/24")))
    for path in PATHS:
        async with edge.session.get(path, allow_redirects=False) as answer:
            body = await answer.json()
        assert (answer.status, body["error_code"]) == (403, "IP_NOT_ALLOWED"), path
        assert "127.0.0.1" in body["error"]
        assert "RateLimit-Limit" not in answer.headers
    with pytest.raises(WSServerHandshakeError) as refused:
        await edge.session.ws_connect(STREAM)
    assert refused.value.status == 403


async def test_forwarded_addresses_count_from_trusted_proxies_only(start: Start) -> None:
    policy = AccessPolicy(whitelist=parse_networks("192.0.2.0/24"))
    headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}
    untrusting = await start(policy)
    async with untrusting.session.get("/api/v1/tickers/", headers=headers) as answer:
        assert answer.status == 403
    trusting = await start(AccessPolicy(whitelist=policy.whitelist, trusted_proxies=LOOPBACK))
    async with trusting.session.get("/api/v1/tickers/", headers=headers) as answer:
        assert answer.status == 200
    spoofing = {"X-Forwarded-For": "192.0.2.1, 203.0.113.9"}
    async with trusting.session.get("/api/v1/tickers/", headers=spoofing) as answer:
        assert answer.status == 403
    async with trusting.session.ws_connect(STREAM, headers=headers) as stream:
        assert await stream.receive_str() == "192.0.2.1"


async def test_the_rate_is_on_every_answer_and_kept(start: Start) -> None:
    now_ns = 0
    policy = AccessPolicy(requests_per_minute=60, burst=len(PATHS))
    edge = await start(policy, clock_ns=lambda: now_ns)
    for used, path in enumerate(PATHS, 1):
        async with edge.session.get(path, allow_redirects=False) as answer:
            assert answer.status != 429, path
            assert answer.headers["RateLimit-Limit"] == "60", path
            assert answer.headers["RateLimit-Remaining"] == str(len(PATHS) - used), path
            assert answer.headers["RateLimit-Reset"] == str(used), path
    for path in PATHS:
        async with edge.session.get(path) as answer:
            body = await answer.json()
        assert (answer.status, body["error_code"]) == (429, "RATE_LIMITED"), path
        assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"] == "1"
        assert answer.headers["RateLimit-Remaining"] == "0"
    now_ns = NS_PER_SECOND
    async with edge.session.get("/api/v1/tickers/") as answer:
        assert answer.status == 200


async def test_upgrades_count_against_the_rate(start: Start) -> None:
    edge = await start(AccessPolicy(burst=2, requests_per_minute=1))
    for _ in range(2):
        async with edge.session.ws_connect(STREAM):
            pass
    with pytest.raises(WSServerHandshakeError) as refused:
        await edge.session.ws_connect(STREAM)
    assert refused.value.status == 429
    assert refused.value.headers is not None
    assert refused.value.headers["Retry-After"] == "60"


async def test_one_websocket_too_many_is_refused_before_the_upgrade(start: Start) -> None:
    edge = await start(AccessPolicy(websockets_per_client=3))
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(edge.session.ws_connect(STREAM)) for _ in range(3)
        ]
        with pytest.raises(WSServerHandshakeError) as refused:
            await edge.session.ws_connect(STREAM)
        assert refused.value.status == 429
        async with edge.session.get("/api/v1/tickers/") as answer:
            assert answer.status == 200
        await streams[0].close()
        async with asyncio.timeout(5):
            while True:
                try:
                    async with edge.session.ws_connect(STREAM) as again:
                        assert await again.receive_str() == "127.0.0.1"
                    break
                except WSServerHandshakeError:
                    await asyncio.sleep(0.01)


async def test_a_websocket_that_is_cut_gives_its_place_back(start: Start) -> None:
    edge = await start(
        AccessPolicy(websockets_per_client=1, requests_per_minute=EVERYBODY, burst=EVERYBODY)
    )
    for _ in range(5):
        async with asyncio.timeout(5):
            while True:
                try:
                    stream = await edge.session.ws_connect(STREAM)
                    break
                except WSServerHandshakeError:
                    await asyncio.sleep(0.01)
        assert stream._conn is not None
        assert stream._conn.transport is not None
        stream._conn.transport.abort()


@pytest.mark.parametrize(
    ("field", "value"),
    [("whitelist", ()), ("burst", 0), ("requests_per_minute", -1), ("websockets_per_client", 0)],
)
def test_a_policy_that_serves_nobody_is_refused(field: str, value: object) -> None:
    with pytest.raises(SettingError):
        AccessPolicy(**{field: value})  # type: ignore[arg-type]  # one field of several types
