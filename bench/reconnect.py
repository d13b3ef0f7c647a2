"""All clients come back after a restart: how long the last one waits for its histories."""

from __future__ import annotations

import random
import select
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from .crowd import READ_BYTES, allow_files, connected, upgrade
from .errors import BenchError
from .figures import Figure, at_most
from .frames import TEXT, Frames, masked
from .ingest import directory
from .product import Product
from .scale import Scale

SYMBOLS, TIMEFRAMES = 25, (1, 2, 3, 5)
PER_CLIENT, CANDLES = 10, 500
HISTORY, TRADES_PER_SECOND = "42h", 0.1
"""As long as CANDLES of the widest timeframe."""
HISTORIES = b'"initial_history"'
TIMEOUT_SECONDS = 180.0
TARGETS = {100: 0.5, 1_000: 3.0}
"""Seconds until the last one is served, by clients."""
GAP_SECONDS = 1.3
SETTLING_SECONDS = 5.0
"""A new store writes its levels for some seconds, which a restart does not."""


class Client:
    """A client that waits for its histories."""

    def __init__(self, port: int, request: bytes) -> None:
        self.sock = connected(port)
        self.sock.sendall(upgrade(port, "/ws/stream"))
        self.frames = Frames()
        self.frames.marker = HISTORIES
        self.messages = 0
        self._request = request
        """Sent once the connection is upgraded."""
        self._head = b""

    @property
    def histories(self) -> int:
        """How many histories have come."""
        return self.messages - self.frames.unmarked

    @property
    def updates(self) -> int:
        """How many other messages have come."""
        return self.frames.unmarked

    def read(self) -> None:
        """Read what has come."""
        data = self.sock.recv(READ_BYTES)
        if not data or self.frames.closed:
            raise BenchError("the server closed a connection instead of sending histories")
        if self._request:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise BenchError(f"the upgrade was refused: {head[:100]!r}")
            self.sock.sendall(masked(TEXT, self._request))
            self._request = b""
        self.messages += self.frames.feed(data)


def run(scale: Scale) -> list[Figure]:
    """Seconds after a restart, and the longest pause of a client that is there already."""
    figures: list[Figure] = []
    with directory() as path:
        with _product(path):
            time.sleep(SETTLING_SECONDS)
        for count in scale.pick((100, 1_000), (100,)):
            with _product(path) as product:
                last, gap = _reconnect(product.port, count)
            title = f"{count:,} clients reconnect, {PER_CLIENT} x {CANDLES} candles each"
            figures += [
                Figure(f"{title}: the last one served", "ours", "s", [last],
                       at_most(TARGETS[count])),
                Figure(f"{title}: longest pause of a watching client", "ours", "s", [gap],
                       at_most(GAP_SECONDS)),
            ]  # fmt: skip
    return figures


def _product(path: Path) -> Product:
    return Product(
        path,
        history=HISTORY,
        rate=TRADES_PER_SECOND,
        symbols=tuple(_symbols()),
        websockets_per_ip="2000",
    )


def _symbols() -> Iterator[str]:
    return (f"COIN{number:02}USDT" for number in range(SYMBOLS))


def _requests(count: int) -> Sequence[bytes]:
    """A subscription to ten random pairs for each client."""
    pick = random.Random(1)
    pairs = [(symbol, timeframe) for symbol in _symbols() for timeframe in TIMEFRAMES]
    return [_request(pick.sample(pairs, PER_CLIENT), CANDLES) for _ in range(count)]


def _request(pairs: Sequence[tuple[str, int]], candles: int) -> bytes:
    wanted: dict[str, list[dict[str, int]]] = {}
    for symbol, timeframe in pairs:
        item = {"timeframe": timeframe, "initial_candles": candles}
        wanted.setdefault(symbol, []).append(item)
    subscriptions = [{"symbol": s, "timeframes": items} for s, items in wanted.items()]
    return orjson.dumps({"action": "subscribe", "subscriptions": subscriptions})


def _reconnect(port: int, count: int) -> tuple[float, float]:
    """Seconds until all clients have all histories, and the watching client's longest pause."""
    allow_files(count + 1024)
    watching = Client(port, _request([(next(_symbols()), 1)], 1))
    poll = select.epoll()
    clients: dict[int, Client] = {}
    try:
        poll.register(watching.sock, select.EPOLLIN)
        clients[watching.sock.fileno()] = watching
        while watching.updates < 3:
            _read(poll, clients)
        began = seen = time.monotonic()
        updates, gap = watching.updates, 0.0
        waiting = set()
        for request in _requests(count):
            client = Client(port, request)
            clients[client.sock.fileno()] = client
            waiting.add(client)
            poll.register(client.sock, select.EPOLLIN)
        while waiting:
            waiting -= {c for c in _read(poll, clients) if c.histories == PER_CLIENT}
            now = time.monotonic()
            if watching.updates > updates:
                updates, gap, seen = watching.updates, max(gap, now - seen), now
            if now - began > TIMEOUT_SECONDS:
                raise BenchError(f"{len(waiting)} of {count} clients did not get their histories")
        return time.monotonic() - began, max(gap, time.monotonic() - seen)
    finally:
        for client in [watching, *clients.values()]:
            client.sock.close()
        poll.close()


def _read(poll: select.epoll, clients: dict[int, Client]) -> list[Client]:
    """Read once from those to whom something has come."""
    ready = [clients[fd] for fd, _ in poll.poll(1)]
    for client in ready:
        client.read()
    return ready
