"""The network of one process of the provider: its requests and streams, slow and lossy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

import aiohttp

from ingest.binance.network import Network, Response, Session
from ingest.binance.websocket import Receiver, Refused, Socket
from tests.world.archive import Answer
from tests.world.chance import chance
from tests.world.exchange import WEIGHTS, Exchange
from tests.world.plan import Plan
from tests.world.wire import ExchangeSocket

REST_URL: Final = "https://exchange.test"
STREAM_URL: Final = "wss://exchange.test"
ARCHIVE_URL: Final = "https://archive.test"
FIRST_LIMIT: Final = 1200


class Content:
    """A body, which may end too early."""

    def __init__(self, body: bytes, *, is_cut: bool) -> None:
        self._body = body
        self._is_cut = is_cut

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes."""
        return self._body if n < 0 else self._body[:n]

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body in two pieces, or the first one and an error."""
        middle = len(self._body) // 2
        yield self._body[:middle]
        if self._is_cut:
            raise aiohttp.ClientPayloadError("the body was cut")
        yield self._body[middle:]

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """The same."""
        return self.iter_any()


class Answered:
    """An answer of the exchange."""

    def __init__(self, status: int, headers: Mapping[str, str], content: Content) -> None:
        self.status = status
        self.headers = headers
        self.content = content

    def raise_for_status(self) -> None:
        """As aiohttp's."""
        if self.status >= 400:
            raise aiohttp.ClientConnectionError(f"status {self.status}")


class SimulatedNetwork(Network):
    """The network by which one process reaches the exchange; it ends with the process."""

    def __init__(
        self,
        plan: Plan,
        exchange: Exchange,
        start: int,
        violation: Callable[[str], None],
        trace: Callable[[str], None],
    ) -> None:
        """`start` is the number of the process."""
        self.trace = trace
        self.exchange = exchange
        self.violation = violation
        self.luck = chance(plan.seed, "network", start)
        self.plan = plan
        self.sockets: list[ExchangeSocket] = []
        self.is_dead = False
        self.retry_at = 0.0
        """Until when the exchange wants no request, as far as it has said so to this process."""
        self.requests = 0
        self._minute = 0
        self._weight = 0

    def session(
        self,
        timeout: aiohttp.ClientTimeout,
        *,
        admit: Callable[[], None] = lambda: None,
    ) -> Session:
        """A session over this network."""
        return SimulatedSession(self, timeout.total, admit)

    async def websocket(self, url: str, receiver: Receiver) -> Socket:
        """A stream, unless it is refused."""
        await asyncio.sleep(self.latency())
        if self.is_dead or self.exchange.faults.of("unreachable"):
            raise ConnectionRefusedError("the exchange cannot be reached")
        refusal = self.exchange.faults.of("refuse")
        if refusal is not None:
            status = 429 if refusal.amount > 0.5 else 503
            wait = {"Retry-After": str(1 + int(refusal.amount * 10))} if status == 429 else {}
            raise Refused(status, wait)
        latency_s = self.plan.latency_s
        socket = ExchangeSocket(self.exchange, receiver, self.luck, latency_s, self.violation)
        self.sockets.append(socket)
        return socket

    def latency(self) -> float:
        """One way, in seconds."""
        slow = self.exchange.faults.of("slow")
        longest = 1 + 14 * slow.amount if slow is not None else 2 * self.plan.latency_s
        return self.luck.random() * longest

    def count(self, path: str) -> None:
        """A request is sent now."""
        now = asyncio.get_running_loop().time()
        if now < self.retry_at:
            self.violation(f"{path} was asked {self.retry_at - now:.2f} s before Retry-After")
        minute = self.exchange.now_ms() // 60_000
        if minute != self._minute:
            self._minute, self._weight = minute, 0
        self._weight += WEIGHTS[path]
        self.requests += 1
        if self._weight > max(self.exchange.weight_limit, FIRST_LIMIT):
            self.violation(f"{self._weight} of weight were used in a minute")

    def notice(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer has come."""
        wait = headers.get("Retry-After")
        if status in (418, 429) and wait is not None:
            until = asyncio.get_running_loop().time() + int(wait)
            self.retry_at = max(self.retry_at, until)

    def die(self) -> None:
        """The process is gone: nothing leaves or arrives any more."""
        self.is_dead = True
        for socket in self.sockets:
            socket.is_open = False
            socket.closed = True


class SimulatedSession:
    """Requests and streams of one client of the provider."""

    def __init__(
        self, network: SimulatedNetwork, total: float | None, admit: Callable[[], None]
    ) -> None:
        self._network = network
        self._total = total
        self._admit = admit

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        allow_redirects: bool = True,
    ) -> AbstractAsyncContextManager[Response]:
        """A request, and its answer."""
        exchange, given = self._network.exchange, dict(params or {})
        if url.startswith(ARCHIVE_URL):
            ask = partial(exchange.archive.answer, url, headers or {})
            return _Request(self._network, f"GET {url} {headers}", ask, self._total, self._admit)
        path = url.rpartition("/")[2]

        def admit() -> None:
            self._admit()
            self._network.count(path)

        ask = partial(exchange.answer, path, given)
        return _Request(self._network, f"REST {path} {given}", ask, self._total, admit)

    async def close(self) -> None:
        """Nothing is kept open between requests."""


class _Request:
    """One request: its way to the exchange, its answer, and the way back."""

    def __init__(
        self,
        network: SimulatedNetwork,
        name: str,
        ask: Callable[[], Answer],
        total: float | None,
        admit: Callable[[], None],
    ) -> None:
        self._network = network
        self._name = name
        self._ask = ask
        self._total = total
        self._admit = admit

    async def __aenter__(self) -> Response:
        network, faults = self._network, self._network.exchange.faults
        connecting, there, back = network.latency() / 2, network.latency() / 2, network.latency()
        await asyncio.sleep(connecting)
        if network.is_dead or faults.of("unreachable"):
            raise aiohttp.ClientConnectionError("the exchange cannot be reached")
        self._admit()
        late = self._total is not None and connecting + there + back > self._total
        await asyncio.sleep(there)
        status, headers, body = self._ask()
        if late and self._total is not None:
            await asyncio.sleep(max(0.0, self._total - connecting - there))
            raise TimeoutError
        network.trace(f"{self._name} > {status} {body[:200]!r}")
        await asyncio.sleep(back)
        if network.is_dead:
            raise aiohttp.ClientConnectionError("the process is gone")
        network.notice(status, headers)
        return Answered(status, headers, Content(body, is_cut=faults.of("cut body") is not None))

    async def __aexit__(self, *_: object) -> None:
        return None
