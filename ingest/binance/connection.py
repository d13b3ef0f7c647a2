"""One WebSocket connection to the exchange's combined streams, whatever they carry.

What one read of the socket brings is parsed and delivered together: that costs once per read what
would otherwise cost once per trade.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from ingest.core.errors import ExchangeUnavailable

from .limits import MAX_RETRY_AFTER_S, OUTGOING_MESSAGES, SlidingLimit, whole_number
from .messages import Answer, Event, ServerShutdown
from .network import Network
from .websocket import Refused, Socket

MAX_HELD: Final = 500_000
"""Messages that a connection keeps while it waits to take over from an older one."""

STREAMS_PER_REQUEST: Final = 100
ANSWER_TIMEOUT_S: Final = 10.0

_log = logging.getLogger(__name__)


class ConnectionLost(ExchangeUnavailable):
    """A stream connection cannot be used any more; the text says why."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds for which the exchange wants no attempt."""


class Received(Protocol):
    """Messages that were received together, as their parser sorts them."""

    @property
    def events(self) -> Sequence[Event]:
        """Those that are about the connection."""


B = TypeVar("B", bound=Received)


class StreamConnection(Generic[B]):
    """One stream of each of some symbols, until the connection is lost or ended.

    `open` it, run `read` in a task, and `subscribe`. What comes is held until `release`.
    """

    def __init__(
        self,
        url: str,
        *,
        name: Callable[[str], str],
        parse: Callable[[list[bytes]], B],
        deliver: Callable[[B], None],
        on_shutdown: Callable[[], None],
        stall: float,
    ) -> None:
        """`name` gives the stream of a symbol.

        `stall` is the silence, in seconds, after which the connection counts as lost; half of it
        brings a ping.
        """
        self._url = url
        self._name = name
        self._parse = parse
        self._deliver = deliver
        self._on_shutdown = on_shutdown
        self._stall = stall
        self._loop = asyncio.get_running_loop()
        self._ws: Socket
        self._is_open = asyncio.Event()
        self._unanswered: bytes | None = None
        """The newest ping, until it is answered."""
        self._ended: asyncio.Future[str] = self._loop.create_future()
        """Done with the reason, which is the first that was given."""
        self._is_paused = False
        self._outgoing = SlidingLimit(*OUTGOING_MESSAGES)
        self._answers: dict[int, asyncio.Future[str | None]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._last_id = 0
        self._held: list[B] | None = []
        self._held_messages = 0
        self._heard = self._loop.time()
        self.subscribed: frozenset[str] = frozenset()
        self.heard_ms = 0
        """Time, at the exchange, of the newest message, where the messages have one."""

    async def open(self, network: Network) -> None:
        """Connect; raises ConnectionLost."""
        try:
            self._ws = await network.websocket(self._url, self)
            self._is_open.set()
        except Refused as refusal:
            wait = whole_number(refusal.headers.get("Retry-After"))
            raise ConnectionLost(
                f"{self._url} refused the connection with status {refusal.status}: check the base "
                "URL, and how many connections are made from this address",
                min(wait or 0, MAX_RETRY_AFTER_S),
            ) from None
        except (TimeoutError, OSError) as error:
            raise ConnectionLost(
                f"No connection to {self._url} ({type(error).__name__} {error}): "
                "check the network and the exchange's status page"
            ) from None

    async def read(self) -> str:
        """Take what comes until the connection ends; returns the reason."""
        self._heard = self._loop.time()
        self._start(self._watch())
        try:
            return await self._ended
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result(f"the connection was lost: {self._reason}")
            for task in self._tasks:
                task.cancel()
            await self._ws.close()

    @property
    def _reason(self) -> str | None:
        """Why the connection has ended; None while it has not."""
        is_known = self._ended.done() and not self._ended.cancelled()
        return self._ended.result() if is_known else None

    def on_messages(self, messages: list[bytes]) -> None:
        """Parse what has been received and deliver it."""
        self._heard = self._loop.time()
        try:
            batch = self._parse(messages)
        except Exception as error:
            self._give_up(error)
            return
        for event in batch.events:
            if isinstance(event, ServerShutdown):
                self._on_shutdown()
            elif isinstance(event, Answer) and event.id in self._answers:
                answer = self._answers.pop(event.id)
                if not answer.done():
                    answer.set_result(event.error)
        if self._held is None:
            self._hand_over(batch)
            return
        self._held.append(batch)
        self._held_messages += len(messages)
        if self._held_messages > MAX_HELD:
            self.end(f"more than {MAX_HELD} messages came before it was in use")

    def on_ping(self, payload: bytes) -> None:
        """Answer it soon; of several only the newest."""
        self._heard = self._loop.time()
        if self._unanswered is None:
            self._start(self._answer_ping())
        self._unanswered = payload

    async def _answer_ping(self) -> None:
        await self._is_open.wait()  # the first may come with the end of the handshake
        await self._outgoing.wait()
        if self._unanswered is not None:
            self._ws.pong(self._unanswered)
            self._unanswered = None

    def on_pong(self) -> None:
        """The connection is alive."""
        self._heard = self._loop.time()

    def on_end(self, reason: str) -> None:
        """Nothing comes any more."""
        self.end(reason)

    def _hand_over(self, batch: B) -> None:
        try:
            self._deliver(batch)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Going on would lose messages without a word: a new connection has a gap instead."""
        _log.error("Messages were not taken; the connection is given up", exc_info=error)
        self.end(f"its messages were not taken: {type(error).__name__} {error}")

    def release(self) -> None:
        """Deliver what was held, and from now on everything at once."""
        held, self._held = self._held, None
        for batch in held or ():
            self._hand_over(batch)

    def pause(self) -> None:
        """Stop reading: what comes waits in the socket, then at the exchange."""
        self._is_paused = True
        self._ws.pause()

    def resume(self) -> None:
        """Read on."""
        self._heard = self._loop.time()
        self._is_paused = False
        self._ws.resume()

    def end(self, reason: str) -> None:
        """Make `read` return after delivering what it has received."""
        if not self._ended.done():
            self._ended.set_result(reason)

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Subscribe to more symbols and wait for the answers; raises ConnectionLost."""
        wanted = sorted(set(symbols) - self.subscribed)
        for chunk in _chunks(wanted):
            await self._request("SUBSCRIBE", chunk)
            self.subscribed = self.subscribed.union(chunk)

    async def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Unsubscribe from symbols; raises ConnectionLost."""
        unwanted = sorted(self.subscribed.intersection(symbols))
        for chunk in _chunks(unwanted):
            await self._request("UNSUBSCRIBE", chunk)
            self.subscribed = self.subscribed.difference(chunk)

    async def _request(self, method: str, symbols: list[str]) -> None:
        if self._reason is not None:
            raise ConnectionLost(f"{method} came too late: {self._reason}")
        self._last_id += 1
        answer = self._answers[self._last_id] = self._loop.create_future()
        streams = [self._name(symbol) for symbol in symbols]
        request = {"method": method, "params": streams, "id": self._last_id}
        await self._send(partial(self._ws.send, msgspec.json.encode(request)))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                error = await answer
        except TimeoutError:
            error = f"no answer within {ANSWER_TIMEOUT_S:.0f} s"
        if error is not None:
            self.end(f"{method} failed: {error}")
            raise ConnectionLost(f"{method} of {', '.join(symbols[:5])} failed: {error}")

    async def _send(self, send: Callable[[], None]) -> None:
        """Send within the exchange's limit of messages a second."""
        await self._outgoing.wait()
        send()

    async def _watch(self) -> None:
        """Ping a silent connection, and give it up when it stays silent."""
        while True:
            await asyncio.sleep(self._stall / 4)
            silent = self._loop.time() - self._heard
            if self._is_paused:
                continue
            if silent > self._stall:
                self.end(f"nothing came for {silent:.1f} s")
            elif silent > self._stall / 2:
                await self._send(self._ws.ping)

    def _start(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _chunks(symbols: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(symbols), STREAMS_PER_REQUEST):
        yield symbols[start : start + STREAMS_PER_REQUEST]
