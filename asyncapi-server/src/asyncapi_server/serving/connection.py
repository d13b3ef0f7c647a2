"""One client's connection: handles its requests in order and sends its messages."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace

from asyncapi_server.errors import UndocumentedMessage
from asyncapi_server.serving.faults import Fault, FaultKind, Refusal
from asyncapi_server.serving.framing import PONG, frame, text_frame
from asyncapi_server.serving.handshake import Opened
from asyncapi_server.serving.outbox import Outbox
from asyncapi_server.serving.router import Request, Router, refused

log = logging.getLogger(__name__)

AfterReply = Callable[[], Awaitable[object] | object]


class Connection:
    """A client. Handlers send through it; the endpoint passes it the client's messages."""

    def __init__(
        self,
        router: Router,
        outbox: Outbox,
        request: object,
        *,
        connection_id: str,
        ip: str,
        connected_at: float,
        window_bits: int,
        opened: Opened,
        request_timeout: float,
        closer: Callable[[int, str], Awaitable[None]],
    ) -> None:
        self.id = connection_id
        self.ip = ip
        self.request = request
        """The request that was upgraded, or the scope of an ASGI connection."""
        self.parameters = opened.parameters
        """The values of the parameters of the address."""
        self.identities = opened.identities
        """What authenticates the client, by the name of the security scheme."""
        self.connected_at = connected_at
        """Unix time in seconds."""
        self.last_ping: float | None = None
        """Unix time in seconds of the client's last ping or pong, by frame or by message."""
        self.messages_received = 0
        self.errors = 0
        self.outbox = outbox
        self.window_bits = window_bits
        """The window of permessage-deflate, 9 to 15; 0 when it was not negotiated."""
        self._router = router
        self._request_timeout = request_timeout
        self._closer = closer
        self._after_reply: list[AfterReply] = []

    def __repr__(self) -> str:
        return f"<Connection {self.id}>"

    @property
    def closed(self) -> bool:
        """True once nothing can be sent any more."""
        return self.outbox.closed

    @property
    def messages_sent(self) -> int:
        return self.outbox.messages

    def send(self, message: object) -> None:
        """Send a documented message now: a dict, a model, or JSON bytes. Never blocks."""
        self._send(self._router.outgoing(message))

    def offer(self, key: Hashable, payload: bytes) -> None:
        """Send an update that a newer one of the same key may replace while it is unsent."""
        self.outbox.offer(key, text_frame(payload, self.window_bits))

    def after_reply(self, action: AfterReply) -> None:
        """Run `action`, sync or async, once the reply to the current request has been written.

        The actions of a request run in order, before the next request is read, each within the
        time limit of a handler. They are dropped when the handler fails.
        """
        self._after_reply.append(action)

    def send_after_reply(self, message: object) -> None:
        """Send a documented message once the reply has been written."""
        self.after_reply(lambda: self.send(message))

    async def writable(self) -> None:
        """Wait until the client has read enough for more to be sent, or is gone.

        Needed only before many large messages: `send` keeps a bounded number of bytes.
        """
        await self.outbox.writable()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a code, within a bounded time."""
        await self._closer(code, reason)

    async def receive(self, text: str) -> None:
        """Answer one text message of the client."""
        self.messages_received += 1
        found = self._router.receive(text, self.identities)
        if isinstance(found, Fault):
            self.fault(found)
            return
        try:
            await self._answer(found)
        finally:
            self._after_reply.clear()

    def fault(self, fault: Fault, request: Request | None = None) -> None:
        """Count a fault and report it to the client."""
        self.errors += 1
        payload = self._router.error(fault, request)
        if payload is not None:
            self._send(payload)

    def pong(self, payload: bytes) -> None:
        """Answer a ping frame."""
        self.outbox.send(frame(PONG, payload), messages=0)

    async def _answer(self, request: Request) -> None:
        """Call the handler, send its reply, then run its actions after the reply."""

        async def reply() -> None:
            answer = await request.handler(self, request.message)
            for each in self._router.replies(request, answer):
                self._send(each)

        if await self._bounded(reply, request, answered=False):
            for action in self._after_reply:
                await self._bounded(action, request, answered=True)

    async def _bounded(self, action: AfterReply, request: Request, *, answered: bool) -> bool:
        """Run a part of a request within its time limit; report a failure and return False.

        A request is answered once: a failure after its reply is reported as an error of no request.
        """
        try:
            async with asyncio.timeout(self._request_timeout) as limit:
                result = action()
                if inspect.isawaitable(result):
                    await result
                return True
        except Refusal as refusal:
            fault = refused(refusal, request)
        except UndocumentedMessage as error:
            log.error("%s: the server violated its own document: %s", self, error)
            fault = _failure(FaultKind.HANDLER_FAILED, request)
            if self._router.checks_sent:
                fault = replace(fault, text=f"{fault.text}: {error}")
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                log.warning("%s: %s took too long", self, request.name)
                fault = _failure(FaultKind.TIMEOUT, request)
            else:
                log.error("%s: the handler of %s failed", self, request.name, exc_info=error)
                fault = _failure(FaultKind.HANDLER_FAILED, request)
        if answered:
            self.fault(replace(fault, request=None))
        else:
            self.fault(fault, request)
        return False

    def _send(self, payload: bytes) -> None:
        self.outbox.send(text_frame(payload, self.window_bits))


def _failure(kind: FaultKind, request: Request) -> Fault:
    what = "took too long" if kind is FaultKind.TIMEOUT else "failed in the server"
    return Fault(kind, f"{request.name!r} {what}", message=request.name, request=request.payload)
