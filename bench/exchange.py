"""The simulated exchange as a load: seeded trades at the readers' speed, started on command."""

from __future__ import annotations

import socket
from types import TracebackType

import orjson

from .child import Child
from .crowd import upgrade
from .errors import BenchError

GENESIS = "2024-01-01T00:00Z"
START = "2024-01-01T00:00:55Z"
SECONDS = 10
"""Exchange time from the first trade to the last; one minute ends within it."""
STATE_BYTES = 1 << 20


class Exchange:
    """A simulator that holds its clock until all symbols have subscribers and `begin` is called."""

    def __init__(self, core: int, *, symbols: int, trades: int) -> None:
        """At most `trades` trades, the same number for each symbol."""
        rate = trades // (symbols * SECONDS)
        self.trades = rate * symbols * SECONDS
        options: list[object] = ["--port", 0, "--speed", "max", "--weight-limit", 10**9]
        options += ["--symbols-count", symbols, "--rate", rate, "--genesis", GENESIS]
        options += ["--clock-start", START, "--end-at", f"+{SECONDS}"]
        # One stream more than there are symbols, which `begin` subscribes to.
        options += ["--wait-for-subscriber", symbols + 1, "--ping-seconds", 3600]
        self.process = Child.module("simulator", *options, core=core)
        try:
            self.url = self.process.read_line().split()[-1]
            self.port = int(self.url.rsplit(":", 1)[1])
            self.symbols = self._symbols()
        except BaseException:
            self.process.stop()
            raise
        self._starter: socket.socket | None = None

    def __enter__(self) -> Exchange:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._starter is not None:
            self._starter.close()
        self.process.stop()

    def begin(self) -> None:
        """Start the trades once every symbol's stream has a subscriber."""
        self._starter = socket.create_connection(("127.0.0.1", self.port))
        self._starter.sendall(upgrade(self.port, "/ws/!serverShutdown"))

    def _symbols(self) -> list[str]:
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"GET /control/state HTTP/1.0\r\n\r\n")
            data = b""
            while part := sock.recv(STATE_BYTES):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise BenchError("the simulator does not report its state")
        return list(orjson.loads(body)["symbols"])
