"""Names and web pages: only those that are allowed get in, over REST and WebSocket alike."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from aiohttp import web

from server.edge.access import AccessPolicy
from server.edge.address import parse_networks
from server.edge.origin import OriginPolicy, parse_names, parse_origins
from support.browser import DESKTOP, tab
from tests import running
from tests.server.conftest import EVERYBODY, STREAM, Edge, Start, serve

PATHS = ("/api/v1/tickers/", "/docs", "/", "/nope", STREAM)
FRIEND = "https://app.example.org"
CHROMIUM = shutil.which("chromium")
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def policy(hosts: str = "", origins: str = "") -> AccessPolicy:
    return AccessPolicy(
        requests_per_minute=EVERYBODY,
        burst=EVERYBODY,
        origins=OriginPolicy(parse_names(hosts), parse_origins(origins)),
    )


async def status(edge: Edge, path: str, headers: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n")
    writer.close()
    return int(head.split()[1])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", 200),
        ("192.0.2.7:8080", 200),
        ("[::1]:8080", 200),
        ("localhost:8080", 200),
        ("api.localhost", 200),
        ("LOCALHOST.", 200),
        ("market.example.org:8080", 200),
        ("rebound.example.com", 403),
        ("localhost.example.com", 403),
        ("127.0.0.1.example.com", 403),
        ("1.2.3", 403),
        ("a b/c", 400),
        ("127.0.0.1:http", 400),
        ("user@127.0.0.1", 400),
        ("", 400),
        ("127.0.0.1\r\nHost: 127.0.0.1", 400),
    ],
)
async def test_the_server_answers_to_addresses_loopback_and_allowed_names(
    start: Start, host: str, expected: int
) -> None:
    edge = await start(policy(hosts="market.example.org"))
    assert await status(edge, "/api/v1/tickers/", f"Host: {host}\r\n") == expected


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        ("http://{host}", True),
        ("https://127.0.0.1:{port}", True),
        (FRIEND, True),
        ("http://app.example.org", False),
        ("http://127.0.0.1:1", False),
        ("http://127.0.0.1", False),
        ("https://evil.example.com", False),
        ("null", False),
        ("", False),
        ("file://", False),
        (FRIEND + "/", False),
        (FRIEND + "\r\nOrigin: https://evil.example.com", False),
    ],
)
async def test_pages_of_other_origins_are_refused_everywhere(
    start: Start, origin: str, is_let_in: bool
) -> None:
    edge = await start(policy(origins=FRIEND))
    own = f"127.0.0.1:{edge.port}"
    line = f"Host: {own}\r\nOrigin: {origin.format(host=own, port=edge.port)}\r\n"
    for path in PATHS:
        found = await status(edge, path, line + (UPGRADE if path == STREAM else ""))
        assert (found != 403) is is_let_in, path


async def test_an_allowed_origin_may_ask_and_read(start: Start) -> None:
    edge = await start(policy(origins=FRIEND))
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "content-type"
    async with edge.session.options("/api/v1/tickers/", headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    async with edge.session.get("/api/v1/tickers/", headers={"Origin": FRIEND}) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "Next-Cursor" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]
    async with edge.session.get("/api/v1/tickers/") as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    asked["Origin"] = "https://evil.example.com"
    async with edge.session.options("/api/v1/tickers/", headers=asked) as answer:
        assert answer.status == 403
        assert "CANDLECAST_ALLOWED_ORIGINS" in (await answer.json())["error"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_local_proxy_lets_nobody_in_until_it_is_trusted(
    start: Start, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    edge = await start()
    headers = {header: "203.0.113.9"}
    for _ in range(3):
        async with edge.session.get("/api/v1/tickers/", headers=headers) as answer:
            assert answer.status == 403
            assert "CANDLECAST_TRUSTED_PROXIES" in (await answer.json())["error"]
    assert sum("CANDLECAST_TRUSTED_PROXIES" in text for text in caplog.messages) == 1
    trusting = await start(
        AccessPolicy(
            whitelist=parse_networks("203.0.113.9"), trusted_proxies=parse_networks("127.0.0.1")
        )
    )
    async with trusting.session.get(
        "/api/v1/tickers/", headers={"X-Forwarded-For": "203.0.113.9"}
    ) as answer:
        assert answer.status == 200


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)")
async def test_a_browser_lets_a_page_of_another_origin_do_nothing_unless_allowed(
    tmp_path: Path,
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<title>another</title>", content_type="text/html")

    other = web.Application()
    other.router.add_get("/", page)
    async with (
        running.simulator("--symbols", "BTCUSDT") as exchange,
        serve(other) as (port, _),
        tab(str(CHROMIUM), tmp_path / "p") as browser,
    ):
        for allowed in ("", f"http://127.0.0.1:{port}"):
            chosen = running.settings(
                exchange, tmp_path / f"d{len(allowed)}", symbols="BTCUSDT", allowed_origins=allowed
            )
            async with running.server(chosen) as (_, url):
                await browser.show(f"http://127.0.0.1:{port}/", DESKTOP)
                socket = f"'{url.replace('http', 'ws', 1)}/ws/stream'"
                opened = await browser.value(
                    f"new Promise(done => {{ const s = new WebSocket({socket});"
                    "s.onopen = () => done(true); s.onerror = () => done(false); })"
                )
                read = await browser.value(
                    f"fetch('{url}/api/v1/tickers/').then(a => a.ok, () => false)"
                )
                ordered = await browser.value(
                    f"fetch('{url}/api/v1/admin/system/sync', {{method: 'POST',"
                    "headers: {'Content-Type': 'application/json'}}).then(a => true, () => false)"
                )
                assert [opened, read, ordered] == [bool(allowed)] * 3


def test_names_and_origins_are_checked_when_the_server_starts() -> None:
    assert parse_names(" Market.example.org , [::1]") == ("market.example.org", "[::1]")
    assert parse_origins("https://App.example.org:8443") == ("https://app.example.org:8443",)
    for text in ("http://a", "a:80", "a b", "a/b"):
        with pytest.raises(ValueError, match="names such as"):
            parse_names(text)
    for wrong in ("app.example.org", "https://a/", "*", "null", "ftp://a"):
        with pytest.raises(ValueError, match="origins such as"):
            parse_origins(wrong)
