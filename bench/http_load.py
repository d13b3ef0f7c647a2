"""HTTP clients in one thread, on persistent connections with one request at a time."""

from __future__ import annotations

import re
import select
import socket
import time
from dataclasses import dataclass
from types import TracebackType

from .errors import BenchError

READ_BYTES = 1 << 20
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """The latencies of a series of requests."""

    latencies: list[float]
    """Milliseconds from request to response, of each request."""
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds


class _Connection:
    __slots__ = ("asked", "data", "needed", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.data = bytearray()
        self.needed = 0
        self.asked = 0.0


class HttpClients:
    """A number of connections to one server."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._connections = {}
        for _ in range(count):
            connection = _Connection(port)
            self._connections[connection.sock.fileno()] = connection
            self._poll.register(connection.sock.fileno(), select.EPOLLIN)

    def __enter__(self) -> HttpClients:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._connections.values():
            connection.sock.close()
        self._poll.close()

    def get(self, path: str) -> bytes:
        """The body of one response, on the first connection."""
        connection = next(iter(self._connections.values()))
        self._ask(connection, self._request(path))
        while not (body := self._take(connection)):
            pass
        return body

    def load(self, path: str, seconds: float) -> Load:
        """Request one path for `seconds`; every connection has one request at a time."""
        request = self._request(path)
        latencies: list[float] = []
        began = time.monotonic()
        until = began + seconds
        for connection in self._connections.values():
            self._ask(connection, request)
        open_requests = len(self._connections)
        while open_requests:
            for fd, _ in self._poll.poll(30):
                connection = self._connections[fd]
                if not self._take(connection):
                    continue
                now = time.monotonic()
                latencies.append((now - connection.asked) * 1000)
                if now < until:
                    self._ask(connection, request)
                else:
                    open_requests -= 1
        return Load(latencies, time.monotonic() - began)

    def _request(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode()

    def _ask(self, connection: _Connection, request: bytes) -> None:
        connection.asked = time.monotonic()
        connection.sock.sendall(request)

    def _take(self, connection: _Connection) -> bytes:
        """Read once; returns the body when it is complete, else nothing."""
        part = connection.sock.recv(READ_BYTES)
        if not part:
            raise BenchError("the server closed a connection instead of answering")
        data = connection.data
        data += part
        if not connection.needed:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return b""
            head = bytes(data[: end + 2])
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200 ") or length is None:
                raise BenchError(f"no answer to measure: {head.splitlines()[0].decode()}")
            connection.needed = int(length[1])
            del data[: end + 4]
        if len(data) < connection.needed:
            return b""
        body = bytes(data)
        data.clear()
        connection.needed = 0
        return body
