"""Pages of foreign sites and clients that break the protocol: kept out, and felt by nobody.

CHAOS_ROUNDS=1000 CHAOS_SEED=1 python -m pytest tests/chaos/test_strangers.py -s
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import struct
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.chaos.exchange import Exchange
from tests.chaos.test_storms import served
from tests.e2e.client import Client

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "24"))
SYMBOL = "AAAUSDT"
MARKET = ("--symbols", "AAAUSDT,BBBUSDT", "--rate", "20", "--seed", "8")
GAP_SECONDS = 2.5
"""Updates come each second, where there are trades."""

OURS = ("127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "desk.localhost")
FOREIGN = ("rebound.example", "localhost.example", "127.0.0.1.example:{port}", "a.b", "0x7f.1")
PAGES = (
    "http://evil.example",
    "null",
    "https://localhost.example",
    "http://127.0.0.1:1",
    "file://",
)
PATHS = ("/api/v1/tickers/", "/api/v1/data/candles/AAAUSDT?timeframe=7", "/docs", "/ws/stream")
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def status(port: int, path: str, headers: str) -> int:
    """The status of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
        async with asyncio.timeout(10):
            return int((await reader.readuntil(b"\r\n")).split()[1])
    finally:
        writer.close()


async def knock(chance: random.Random, port: int) -> None:
    """A request of a page or under a name, either of which may be foreign."""
    path = chance.choice(PATHS)
    host = chance.choice(OURS + FOREIGN)
    origin = chance.choice(("", *PAGES, "http://{host}"))
    headers = f"Host: {host}\r\n" + (f"Origin: {origin}\r\n" if origin else "")
    headers = headers.replace("{host}", host).replace("{port}", str(port))
    upgrades = path == "/ws/stream"
    found = await status(port, path, headers + UPGRADE if upgrades else headers)
    if host in FOREIGN or origin in PAGES:
        assert found == 403, (path, headers)
    else:
        assert found == (101 if upgrades else 200), (path, headers, found)


def frames(chance: random.Random) -> bytes:
    """Bytes that a client may not send, or not so many of."""

    def frame(first: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
        mask = chance.randbytes(4) if masked else b""
        head = struct.pack("!BB", first, (0x80 if masked else 0) | len(payload))
        covered = bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if masked else payload
        return head + mask + covered

    kind = chance.randrange(6)
    if kind == 0:
        return frame(0x8A, chance.randbytes(chance.randrange(126))) * 20_000
    if kind == 1:
        return frame(0x01) + frame(0x00) * 20_000
    if kind == 2:
        return frame(0x81, b"{}", masked=False)
    if kind == 3:
        return frame(0x88, struct.pack("!H", chance.choice((0, 1005, 1006, 2999, 5000, 65535))))
    if kind == 4:
        return frame(0xC9, b"x") + frame(0xC1, chance.randbytes(50))
    return chance.randbytes(chance.randrange(1, 5000))


async def break_in(chance: random.Random, port: int) -> None:
    """A connection that breaks the protocol is ended by the server, soon."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /ws/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}\r\n".encode())
        await asyncio.sleep(chance.uniform(0, 0.1))
        sent = frames(chance)
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(sent), 4096):
                writer.write(sent[at : at + 4096])
                await writer.drain()
            with contextlib.suppress(OSError):  # ENOTCONN: the server has been quicker
                writer.write_eof()
            async with asyncio.timeout(20):
                while await reader.read(65536):
                    pass
    finally:
        writer.close()


async def watch(url: str, ends: float) -> float:
    """The longest time between two updates of a client that behaves."""
    async with Client.connect(url) as client:
        await client.subscribe(SYMBOL, [1, 7, 60], candles=10)
        await client.wait_for("initial_history")
        last, longest = time.monotonic(), 0.0
        while time.monotonic() < ends:
            await client.wait_for("ohlcv_update")
            now = time.monotonic()
            last, longest = now, max(longest, now - last)
        return longest


async def test_strangers_get_nothing_and_disturb_nobody(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    limits = {"messages_per_second": "20", "message_burst": "40"}
    async with (
        Exchange.started(*MARKET) as exchange,
        served(exchange, tmp_path, **limits) as (running, url),
    ):
        port = urlsplit(url).port or 0
        for _ in range(ROUNDS):
            ends = time.monotonic() + 4
            watching = asyncio.create_task(watch(url, ends))
            strangers = 0
            while time.monotonic() < ends:
                await asyncio.gather(
                    *(knock(chance, port) for _ in range(20)),
                    *(break_in(chance, port) for _ in range(4)),
                )
                strangers += 24
            longest = await watching
            print(f"{strangers} strangers; the longest time between updates: {longest:.2f} s")
            assert longest < GAP_SECONDS
        assert running.provider.view.feed(SYMBOL).counters.malformed == 0
