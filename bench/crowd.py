"""Many WebSocket clients in one thread: raw sockets, epoll, and a frame counter each."""

from __future__ import annotations

import base64
import os
import resource
import select
import socket
import time
import zlib
from collections.abc import Sequence
from types import TracebackType

import orjson

from .errors import BenchError
from .frames import PONG, TEXT, Frames, masked

BATCH = 64
"""Concurrent handshakes; less than a listener's usual backlog of 100."""
READ_BYTES = 1 << 18
HANDSHAKE_SECONDS = 20.0


class _Client:
    __slots__ = ("frames", "messages", "sock", "ticks")

    def __init__(self, sock: socket.socket, frames: Frames) -> None:
        self.sock = sock
        self.frames = frames
        self.messages = 0
        self.ticks = 0


class Crowd:
    """Clients that subscribe once and then count messages."""

    def __init__(
        self,
        port: int,
        path: str,
        requests: Sequence[bytes],
        per_tick: int,
        *,
        deflate: bool = False,
        idle: int = 0,
    ) -> None:
        """One client for each request; each expects `per_tick` messages a tick.

        The first client is the witness: it keeps its messages. The last `idle` clients never read
        after subscribing, and have small buffers.
        """
        allow_files(len(requests) + 1024)
        self._per_tick = per_tick
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._idle: list[_Client] = []
        self._extensions = b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else b""
        self.arrivals: dict[int, list[int]] = {}
        """By tick (1, 2, ...): when each client had its last message, monotonic ns."""
        reading = len(requests) - idle
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            slow = [start + i >= reading for i in range(len(batch))]
            self._join(port, path, batch, slow, witness=start == 0)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """The number of clients that read."""
        return len(self._clients)

    @property
    def witness(self) -> Frames:
        """The first client's frames."""
        return next(iter(self._clients.values())).frames

    def receive(self, ticks: int, timeout: float, *, marker: bytes = b"") -> None:
        """Read until every client has received this many more whole ticks.

        Raises BenchError for missing updates after `timeout` (s), and for messages without the
        `marker`.
        """
        goal = {}
        for fd, client in self._clients.items():
            client.frames.marker = marker
            goal[fd] = client.ticks + ticks
        until = time.monotonic() + timeout
        while goal:
            left = until - time.monotonic()
            if left <= 0:
                raise BenchError(f"{len(goal)} of {len(self)} clients did not get all updates")
            for fd in self._read(left):
                if self._clients[fd].ticks >= goal.get(fd, 1 << 62):
                    del goal[fd]
        wrong = sum(client.frames.unmarked for client in self._clients.values())
        if wrong:
            raise BenchError(f"{wrong} updates were not those that were published")

    def surplus(self) -> int:
        """Messages beyond whole ticks: 0 when each was delivered once."""
        return sum(c.messages - c.ticks * self._per_tick for c in self._clients.values())

    def take_messages(self) -> list[dict[str, object]]:
        """The decoded messages of the witness since the last call."""
        kept = self.witness.kept
        assert kept is not None
        messages = [_decoded(compressed, payload) for compressed, payload in kept]
        kept.clear()
        return messages

    def close(self) -> None:
        for client in [*self._clients.values(), *self._idle]:
            client.sock.close()
        self._poll.close()

    def _join(
        self,
        port: int,
        path: str,
        requests: Sequence[bytes],
        slow: Sequence[bool],
        *,
        witness: bool,
    ) -> None:
        """Connect a batch, await the upgrades, subscribe, await the replies."""
        socks = [connected(port, 4096 if idle else None) for idle in slow]
        opening = upgrade(port, path, self._extensions)
        for sock in socks:
            sock.sendall(opening)
        rests = [_upgraded(sock) for sock in socks]
        for sock, request in zip(socks, requests, strict=True):
            sock.sendall(masked(TEXT, request))
        for number, (sock, rest, idle) in enumerate(zip(socks, rests, slow, strict=True)):
            frames = Frames(keep=witness and number == 0)
            got = frames.feed(rest)
            while got == 0:
                data = sock.recv(READ_BYTES)
                if not data:
                    raise BenchError("the server closed a connection instead of subscribing it")
                got += frames.feed(data)
            if frames.kept is not None:
                frames.kept.clear()
            client = _Client(sock, frames)
            if idle:
                self._idle.append(client)
                continue
            sock.setblocking(False)
            self._clients[sock.fileno()] = client
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def _read(self, timeout: float) -> list[int]:
        """Read once; returns the clients that completed a tick."""
        completed = []
        for fd, _ in self._poll.poll(timeout):
            client = self._clients[fd]
            try:
                data = client.sock.recv(READ_BYTES)
            except BlockingIOError:
                continue
            frames = client.frames
            client.messages += frames.feed(data)
            if frames.pings:
                for payload in frames.pings:
                    client.sock.send(masked(PONG, payload))
                frames.pings.clear()
            if not data or frames.closed:
                raise BenchError("the server closed the connection of a client that reads")
            ticks = client.messages // self._per_tick
            if ticks > client.ticks:
                now = time.monotonic_ns()
                for tick in range(client.ticks + 1, ticks + 1):
                    self.arrivals.setdefault(tick, []).append(now)
                client.ticks = ticks
                completed.append(fd)
        return completed


def allow_files(wanted: int) -> None:
    """Raise the soft limit of open files when it is lower than needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchError(f"this needs {wanted} open files; the hard limit (ulimit -Hn) is {hard}")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connected(port: int, receive_buffer: int | None = None) -> socket.socket:
    """A connection to a server, with a small buffer where its size is given."""
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(HANDSHAKE_SECONDS)
    sock.connect(("127.0.0.1", port))
    return sock


def upgrade(port: int, path: str, extensions: bytes = b"") -> bytes:
    """The request that opens a WebSocket; `extensions` is a whole header line."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    )
    return head.encode() + extensions + b"\r\n"


def _upgraded(sock: socket.socket) -> bytes:
    """Wait for the 101; returns the bytes after its head."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(READ_BYTES)
        if not part:
            raise BenchError("the server closed a connection before it was upgraded")
        data += part
    head, rest = data.split(b"\r\n\r\n", 1)
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        raise BenchError(f"the upgrade was refused: {head.splitlines()[0].decode()}")
    return rest


def _decoded(compressed: bool, payload: bytes) -> dict[str, object]:
    if compressed:
        payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
    message = orjson.loads(payload)
    assert isinstance(message, dict)
    return message
