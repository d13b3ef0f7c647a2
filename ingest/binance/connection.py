"""One WebSocket connection to the exchange's combined streams, whatever they carry.

A receive of aiohttp does not suspend while its buffer holds messages. So a flush that is scheduled
with the first message of a wake-up runs when the buffer is empty, and gets them all: parsing and
delivery cost once per wake-up what would otherwise cost once per trade.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar

import aiohttp
import msgspec

from ingest.core.errors import ExchangeUnavailable

from .limits import MAX_RETRY_AFTER_S, OUTGOING_MESSAGES, SlidingLimit, whole_number
from .network import Session, Socket
from .parse import Answer, Event, ServerShutdown

MAX_MESSAGE_BYTES: Final = 2**20
MAX_BATCH: Final = 4096
"""Messages that are parsed and delivered at a time."""

MAX_HELD: Final = 500_000
"""Messages that a connection keeps while it waits to take over from an older one."""

STREAMS_PER_REQUEST: Final = 100
CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0

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
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._outgoing = SlidingLimit(*OUTGOING_MESSAGES)
        self._answers: dict[int, asyncio.Future[str | None]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._last_id = 0
        self._pending: list[bytes] = []
        self._held: list[B] | None = []
        self._held_messages = 0
        self._heard = 0.0
        self._reason: str | None = None
        self.subscribed: frozenset[str] = frozenset()
        self.heard_ms = 0
        """Time, at the exchange, of the newest message, where the messages have one."""

    async def open(self, session: Session) -> None:
        """Connect; raises ConnectionLost."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._ws = await session.ws_connect(
                    self._url,
                    autoping=False,
                    decode_text=False,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except aiohttp.WSServerHandshakeError as error:
            headers = error.headers
            wait = whole_number(headers.get("Retry-After")) if headers is not None else None
            raise ConnectionLost(
                f"{self._url} refused the connection with status {error.status}: check the base "
                "URL, and how many connections are made from this address",
                min(wait or 0, MAX_RETRY_AFTER_S),
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionLost(
                f"No connection to {self._url} ({type(error).__name__} {error}): "
                "check the network and the exchange's status page"
            ) from None

    async def read(self) -> str:
        """Receive until the connection ends; returns the reason."""
        data = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
        receive, may_read, pending = self._ws.receive, self._may_read, self._pending
        self._heard = self._loop.time()
        self._start(self._watch())
        try:
            while self._reason is None:
                if not may_read.is_set():
                    await may_read.wait()
                message = await receive()
                if message.type in data:
                    if not pending:
                        self._loop.call_soon(self._flush)
                    pending.append(message.data)
                    if len(pending) >= MAX_BATCH:
                        self._flush()
                else:
                    self._control(message.type, message.data, message.extra)
            self._flush()
            return self._reason
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result(f"the connection was lost: {self._reason}")
            for task in self._tasks:
                task.cancel()
            await self._ws.close()

    def _control(self, kind: aiohttp.WSMsgType, data: object, extra: object) -> None:
        """Act on anything but a message."""
        self._heard = self._loop.time()
        if kind is aiohttp.WSMsgType.PING and isinstance(data, bytes):
            self._start(self._send(data, aiohttp.WSMsgType.PONG))
        elif kind is aiohttp.WSMsgType.CLOSE:
            self.end(f"the exchange closed it with code {data} {extra or ''}".strip())
        elif kind is aiohttp.WSMsgType.ERROR:
            self.end(f"its messages cannot be read: {data}")
        elif kind in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            self.end("it was cut")

    def _flush(self) -> None:
        """Parse what has been received and deliver it."""
        if not self._pending:
            return
        self._heard = self._loop.time()
        batch = self._parse(self._pending)
        received = len(self._pending)
        self._pending.clear()
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
        self._held_messages += received
        if self._held_messages > MAX_HELD:
            self.end(f"more than {MAX_HELD} messages came before it was in use")

    def _hand_over(self, batch: B) -> None:
        try:
            self._deliver(batch)
        except Exception as error:
            # Going on would lose messages without a word: a new connection has a gap instead.
            _log.exception("Messages were not taken; the connection is given up")
            self.end(f"its messages were not taken: {type(error).__name__} {error}")

    def release(self) -> None:
        """Deliver what was held, and from now on everything at once."""
        held, self._held = self._held, None
        for batch in held or ():
            self._hand_over(batch)

    def pause(self) -> None:
        """Stop reading: what comes waits in the socket, then at the exchange."""
        self._may_read.clear()

    def resume(self) -> None:
        """Read on."""
        self._heard = self._loop.time()
        self._may_read.set()

    def end(self, reason: str) -> None:
        """Make `read` return after delivering what it has received."""
        if self._reason is None:
            self._reason = reason
            self._may_read.set()
            if not self._ws.closed:
                self._start(self._ws.close())

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
        await self._send(msgspec.json.encode(request), aiohttp.WSMsgType.TEXT)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                error = await answer
        except TimeoutError:
            error = f"no answer within {ANSWER_TIMEOUT_S:.0f} s"
        if error is not None:
            self.end(f"{method} failed: {error}")
            raise ConnectionLost(f"{method} of {', '.join(symbols[:5])} failed: {error}")

    async def _send(self, payload: bytes, kind: aiohttp.WSMsgType) -> None:
        """Send within the exchange's limit of messages a second; a lost connection shows in
        `read`."""
        await self._outgoing.wait()
        with suppress(aiohttp.ClientError, OSError):
            await self._ws.send_frame(payload, kind)

    async def _watch(self) -> None:
        """Ping a silent connection, and give it up when it stays silent."""
        while True:
            await asyncio.sleep(self._stall / 4)
            silent = self._loop.time() - self._heard
            if not self._may_read.is_set():
                continue
            if silent > self._stall:
                self.end(f"nothing came for {silent:.1f} s")
            elif silent > self._stall / 2:
                await self._send(b"", aiohttp.WSMsgType.PING)

    def _start(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _chunks(symbols: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(symbols), STREAMS_PER_REQUEST):
        yield symbols[start : start + STREAMS_PER_REQUEST]
