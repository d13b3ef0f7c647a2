"""One connection of a client, which matches replies with their requests."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aiohttp import ClientError as HttpError
from aiohttp import ClientWebSocketResponse, WSMsgType

from .errors import ClientError, ConnectionLost, ReaderTooSlow
from .messages import Incoming, Outgoing
from .payloads import MISSING, decoded, encoded, is_same, lookup, with_member

MAX_UNREAD: Final = 10_000
"""Messages that are kept until they are iterated over."""
NORMAL_CLOSURE: Final = 1000
ABNORMAL_CLOSURE: Final = 1006

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Waiting:
    """A request that is not answered yet."""

    request: Outgoing[Any]
    id: object
    reply: asyncio.Future[tuple[Incoming, Any]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Connection:
    """An open connection. Messages that answer no request wait to be iterated over."""

    def __init__(
        self, socket: ClientWebSocketResponse, incoming: Sequence[Incoming], reply_seconds: float
    ) -> None:
        self._socket = socket
        self._incoming = incoming
        self._reply_seconds = reply_seconds
        self._count = 0
        self._waiting: list[_Waiting] = []
        self._unread: deque[Any] = deque()
        self._news = asyncio.Event()
        self._has_reader = False
        self._end: ClientError | None = None

    async def request(self, request: Outgoing[T], payload: object) -> T:
        """Send a message and wait for its reply.

        Raises TimeoutError, ConnectionLost, and the documented error that the server answers with.
        """
        payload, correlation = self._correlated(request, payload)
        waiting = _Waiting(request, correlation)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._reply_seconds):
                await self._send(payload)
                incoming, message = await waiting.reply
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        is_refusal = incoming.name in request.refusals or incoming.name not in request.replies
        if incoming.refusal is not None and is_refusal:
            raise incoming.refusal(message)
        return message  # type: ignore[no-any-return]  # of the models that `request` names

    async def send(self, request: Outgoing[None], payload: object) -> None:
        """Send a message that nothing answers. Raises ConnectionLost."""
        await self._send(self._correlated(request, payload)[0])

    async def messages(self) -> AsyncIterator[Any]:
        """The messages that answer no request, until the connection is closed.

        Raises ConnectionLost when that is not done in order, and ReaderTooSlow.
        """
        self._has_reader = True
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._end is not None:
                if isinstance(self._end, ConnectionLost) and self._end.code == NORMAL_CLOSURE:
                    return
                raise self._end
            self._news.clear()
            await self._news.wait()

    async def run(self) -> None:
        """Receive messages until the connection ends."""
        end: ClientError = ConnectionLost(ABNORMAL_CLOSURE)
        try:
            async for received in self._socket:
                if received.type is WSMsgType.TEXT:
                    self._receive(received.data)
                elif received.type is WSMsgType.ERROR:
                    log.warning("%r", received.data)
            end = ConnectionLost(self._socket.close_code or ABNORMAL_CLOSURE)
        except ReaderTooSlow as error:
            end = error
        finally:
            self._end = end
            self._news.set()
            for waiting in self._waiting:
                if not waiting.reply.done():
                    waiting.reply.set_exception(end)
                    waiting.reply.exception()  # nobody may wait for it any more
            await self._socket.close()

    def _correlated(self, request: Outgoing[Any], payload: object) -> tuple[object, object]:
        """The payload with its correlation id, and the id; MISSING when it has none."""
        if request.correlation is None:
            return payload, MISSING
        given = lookup(payload, request.correlation)
        if given is not MISSING or request.ids is None:
            return payload, given
        taken = [waiting.id for waiting in self._waiting]
        correlation: object = MISSING
        while correlation is MISSING or correlation in taken:
            self._count += 1
            correlation = request.new_id(self._count)
        return with_member(payload, request.correlation, correlation), correlation

    async def _send(self, payload: object) -> None:
        if self._end is not None:
            raise self._end
        try:
            await self._socket.send_str(encoded(payload))
        except (ConnectionError, HttpError) as error:
            raise ConnectionLost(self._socket.close_code or ABNORMAL_CLOSURE) from error

    def _receive(self, text: str) -> None:
        try:
            payload = decoded(text)
        except ValueError as error:
            log.warning("a message is not JSON: %s", error)
            return
        read = ((incoming, incoming.read(payload)) for incoming in self._incoming)
        candidates = [(incoming, message) for incoming, message in read if message is not MISSING]
        for incoming, message in candidates:
            waiting = self._answered(incoming, payload)
            if waiting is not None:
                self._waiting.remove(waiting)
                if not waiting.reply.done():
                    waiting.reply.set_result((incoming, message))
                return
        if not candidates:
            log.warning("a message is none of the document: %.200s", text)
            return
        if len(self._unread) == MAX_UNREAD:
            if self._has_reader:
                raise ReaderTooSlow(f"{MAX_UNREAD} messages are unread")
            self._unread.popleft()
        self._unread.append(candidates[0][1])
        self._news.set()

    def _answered(self, incoming: Incoming, payload: object) -> _Waiting | None:
        """The request that a message answers: by its correlation id, else the first that it may."""
        found = MISSING
        if incoming.correlation is not None:
            found = lookup(payload, incoming.correlation)
        for waiting in self._waiting:
            may_answer = incoming.name in waiting.request.replies
            if found is MISSING or found is None or waiting.id is MISSING:
                if may_answer:
                    return waiting
            elif is_same(found, waiting.id) and (may_answer or incoming.refusal is not None):
                return waiting
        return None
