"""A server with keys, and clients of it at addresses of their own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from generated.native.facts import KeyScope
from ingest.binance.now import host_ms
from server.app import Server
from server.edge.keyfile import changing
from server.edge.keys import new_key
from tests.running import server, settings

UNREACHABLE = "http://127.0.0.1:9"
"""No exchange: what is tried here never gets as far."""
HOUR_MS = 3_600_000
PROXY = "127.200.0.1"
_VALUES = {
    "{job_id}": "1",
    "{symbol}": "BTCUSDT",
    "{timeframe}": "15m",
    "{file}": "2026-01-01.csv.gz",
}
_addresses = itertools.count(2)


class Reply(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str


class Keyed:
    """A running server with keys of every kind."""

    def __init__(self, running: Server, url: str, path: Path) -> None:
        self.running = running
        self.url = url
        self.path = path
        self.reader = self.key("charts")
        self.admin = self.key("operator", scope=KeyScope.ADMIN)
        self.expired = self.key("old", made_ms=host_ms() - 2 * HOUR_MS, lasts_ms=HOUR_MS)
        self.revoked = self.key("gone")
        self.revoke(self.revoked)

    def key(
        self,
        label: str,
        *,
        scope: KeyScope = KeyScope.READ,
        made_ms: int | None = None,
        lasts_ms: int | None = None,
        rate: int | None = None,
    ) -> str:
        """A new key, which the server knows at once."""
        now_ms = host_ms() if made_ms is None else made_ms
        made, text = new_key(label, [scope], now_ms, lasts_ms=lasts_ms, requests_per_minute=rate)
        with changing(self.path) as keys:
            keys[made.id] = made
        assert self.running.callers.reload()
        return text

    def revoke(self, text: str) -> None:
        """Revoke a key."""
        with changing(self.path) as keys:
            del keys[text.split("_")[1]]
        assert self.running.callers.reload()

    @asynccontextmanager
    async def client(self, address: str = "") -> AsyncIterator[aiohttp.ClientSession]:
        """A client at an address that nobody else has."""
        number = next(_addresses)
        source = address or f"127.0.{number >> 8}.{number & 255}"
        connector = aiohttp.TCPConnector(local_addr=(source, 0))
        async with aiohttp.ClientSession(self.url, connector=connector) as session:
            yield session

    async def ask(
        self, path: str, *headers: tuple[str, str], method: str = "GET", address: str = ""
    ) -> Reply:
        """The answer to one request."""
        async with (
            self.client(address) as session,
            session.request(method, path, headers=headers) as reply,
        ):
            text = await reply.text()
            body = await reply.json() if reply.content_type == "application/json" else None
            return Reply(reply.status, reply.headers, body, text)


@asynccontextmanager
async def keyed(directory: Path, **values: str) -> AsyncIterator[Keyed]:
    """A server with a file of keys."""
    path = directory / "keys.json"
    chosen = settings(
        UNREACHABLE,
        directory,
        keys_file=str(path),
        symbols="BTCUSDT",
        trusted_proxies=PROXY,
        websockets_per_ip="1000",
        **values,
    )
    async with server(chosen) as (running, url):
        yield Keyed(running, url, path)


def bearer(text: str) -> tuple[str, str]:
    """The header that presents a key."""
    return "Authorization", f"Bearer {text}"


def address(path: str) -> str:
    """The address of an operation, with values for its parameters."""
    for name, value in _VALUES.items():
        path = path.replace(name, value)
    return f"/api/v1{path}" + ("?timeframe=1" if path.startswith("/data/candles/") else "")


async def ticket(keys: Keyed, *headers: tuple[str, str]) -> str:
    """A ticket."""
    reply = await keys.ask("/api/v1/auth/ticket", *headers, method="POST")
    assert reply.status == 200, reply.text
    text: str = reply.body["data"]["ticket"]
    return text


async def handshake(keys: Keyed, path: str, *headers: tuple[str, str]) -> int:
    """The status of an upgrade; 101 if it went through."""
    async with keys.client() as session:
        try:
            async with session.ws_connect(path, headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def said(opened: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a type."""
    async with asyncio.timeout(20):
        while (message := await opened.receive_json())["type"] != kind:
            pass
    return dict(message)


async def closed(opened: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(20):
        while not opened.closed:
            await opened.receive()
    return opened.close_code
