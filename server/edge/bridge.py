"""An ASGI application (HTTP and lifespan) served by aiohttp.

aiohttp owns the socket; the application sees plain ASGI. Bodies are limited in size and time, a
client's disconnect is sent to the application as `http.disconnect`, and a startup failure is raised
before the server listens.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from aiohttp import ClientPayloadError, HttpVersion11, hdrs, web
from aiohttp.web_protocol import RequestPayloadError

from handlers.problem import INTERNAL_ERROR, Problem, malformed
from server.edge.access import CLIENT_ADDRESS
from server.edge.answers import answer
from server.edge.callers import CALLER, CALLER_EXTENSION
from server.edge.route import OTHER, ROUTE, ROUTE_EXTENSION

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

ASGI_VERSION = {"version": "3.0", "spec_version": "2.4"}
DISCONNECT_POLL_S = 0.2
TAKEN_BYTES = 32_768
"""Bytes that a transport takes at once, headers left aside: half of what asyncio's lets wait."""
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The size limit of a request body, and the deadlines of reading and writing one."""

    max_bytes: int = 65_536
    read_deadline_s: float = 15.0
    """From the first to the last byte of a request body."""
    write_deadline_s: float = 60.0
    """For a client to receive a response, or one part of a streamed one."""


class Bridge:
    """Serves one ASGI application: `handle` goes on a route, `lifespan` on `app.cleanup_ctx`."""

    def __init__(self, application: AsgiApp, limits: BodyLimits | None = None) -> None:
        self._application = application
        self._limits = limits or BodyLimits()
        self._state: dict[str, Any] = {}

    async def lifespan(self, _app: web.Application) -> AsyncIterator[None]:
        """Run the application's startup, and its shutdown after the server has stopped.

        Raises the application's exception, or RuntimeError with the reason that it sent: aiohttp
        runs this before it listens, so a failed startup stops the server.
        """
        events: asyncio.Queue[Message] = asyncio.Queue()
        replies: asyncio.Queue[Message] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": ASGI_VERSION, "state": self._state}
        task = asyncio.create_task(self._application(scope, events.get, replies.put))
        events.put_nowait({"type": "lifespan.startup"})
        await _expect(task, replies, "startup")
        yield
        events.put_nowait({"type": "lifespan.shutdown"})
        await _expect(task, replies, "shutdown")
        await task

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; an aiohttp handler for every method and path."""
        exchange = _Exchange(request, self._limits)
        refused = exchange.refused_early()
        if refused is None and request.body_exists:
            refused = await exchange.collect_chunked()
        if refused is not None:
            return answer(request, refused)
        try:
            await self._application(
                exchange.scope(dict(self._state)), exchange.receive, exchange.send
            )
        except Exception:
            # An application that handles its errors has responded by now; it raises again only to
            # have the error logged.
            if not exchange.cut:
                path = request.rel_url.raw_path
                logger.exception("The application failed on %s %s", request.method, path)
        request[ROUTE] = exchange.extensions.get(ROUTE_EXTENSION, OTHER)
        return exchange.finish()


class _Exchange:
    """One request and its response, as the application receives and sends them."""

    def __init__(self, request: web.Request, limits: BodyLimits) -> None:
        self._request = request
        self._limits = limits
        self._body: bytes | None = None if request.body_exists else b""
        """The buffered rest of a complete body; None while it streams."""
        self._body_done = False
        self._read_until: float | None = None
        self._refusal: Problem | None = None
        self._start: Message | None = None
        self._answer: web.StreamResponse | None = None
        self._complete = asyncio.Event()
        self._path = _decode_path(request.rel_url.raw_path)
        self.extensions: dict[str, Any] = {CALLER_EXTENSION: request.get(CALLER)}
        """Those of the scope: what the application leaves there is found here."""
        self.cut = False
        """Whether the client has disconnected, or was cut off because it does not read."""

    def refused_early(self) -> Problem | None:
        """Validate the request line and headers; None when they are valid."""
        request = self._request
        if self._path is None:
            return malformed("The path is not percent-encoded UTF-8; encode it, as in %C3%A9")
        if request.headers.get(hdrs.TRANSFER_ENCODING, "chunked").strip().lower() != "chunked":
            return malformed("A body is transferred as it is or chunked, and no other way")
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            return malformed("Compressed request bodies are not taken; send it plain", 415)
        if (request.content_length or 0) > self._limits.max_bytes:
            return self._too_large()
        return None

    async def collect_chunked(self) -> Problem | None:
        """Buffer a whole body of unknown length, so that its length is known."""
        if self._body is not None or self._request.content_length is not None:
            return None
        collected = bytearray()
        while not self._request.content.at_eof():
            part = await self._read()
            if part is None:
                return self._refusal or malformed("The body ended early")
            collected += part
            if len(collected) > self._limits.max_bytes:
                return self._too_large()
        self._body = bytes(collected)
        return None

    def scope(self, state: dict[str, Any]) -> Scope:
        request = self._request
        headers = [(name.lower(), value) for name, value in request.raw_headers]
        if request.content_length is None and self._body:
            headers = [pair for pair in headers if pair[0] != b"transfer-encoding"]
            headers.append((b"content-length", b"%d" % len(self._body)))
        transport = request.transport
        server = transport.get_extra_info("sockname") if transport is not None else None
        return {
            "type": "http",
            "asgi": ASGI_VERSION,
            "http_version": f"{request.version.major}.{request.version.minor}",
            "method": request.method,
            "scheme": request.scheme,
            "path": self._path,
            "raw_path": request.rel_url.raw_path.encode("ascii"),
            "query_string": request.rel_url.raw_query_string.encode("utf-8", "surrogateescape"),
            "root_path": "",
            "headers": headers,
            "client": (request.get(CLIENT_ADDRESS, request.remote or ""), 0),
            "server": server[:2] if server else None,
            "state": state,
            "extensions": self.extensions,
        }

    async def receive(self) -> Message:
        if self._body_done:
            await self._gone()
            return {"type": "http.disconnect"}
        if self._body is not None:
            part: bytes | None = self._body
            self._body_done = True
        else:
            part = await self._read()
            self._body_done = part is None or self._request.content.at_eof()
            if part is None:
                return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": not self._body_done}

    async def send(self, message: Message) -> None:
        if self._refusal is not None:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = bytes(message.get("body", b""))
        more = message.get("more_body", False)
        try:
            if self._may_wait(len(body)):
                async with asyncio.timeout(self._limits.write_deadline_s):
                    await self._write(body, more)
            else:
                await self._write(body, more)
        except (TimeoutError, ConnectionError) as error:
            self.cut = True
            self._abort()
            raise OSError("the client has gone or does not read") from error
        if not more:
            self._complete.set()

    def finish(self) -> web.StreamResponse:
        """The response, for aiohttp to end; the connection is aborted when it is incomplete."""
        whole = self._complete.is_set()
        self._complete.set()
        if self._refusal is not None:
            return answer(self._request, self._refusal)
        if self._answer is None:
            return answer(self._request, INTERNAL_ERROR)
        if not whole:
            self._abort()
        return self._answer

    def _may_wait(self, size: int) -> bool:
        """Whether a write may wait for the client: a transport takes some bytes before it is read.

        A deadline takes longer than writing a few bytes.
        """
        transport = self._request.transport
        return transport is None or transport.get_write_buffer_size() + size > TAKEN_BYTES

    async def _write(self, body: bytes, more: bool) -> None:
        request = self._request
        if self._answer is None:
            if self._start is None:
                raise RuntimeError("an ASGI application sends http.response.start first")
            headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in self._start["headers"]
            ]
            if more:
                self._answer = web.StreamResponse(status=self._start["status"], headers=headers)
            else:
                self._answer = web.Response(
                    status=self._start["status"], headers=headers, body=body
                )
                body = b""
            await self._answer.prepare(request)
        if body and request.method != hdrs.METH_HEAD:
            await self._answer.write(body)
        if not more:
            await self._answer.write_eof()

    async def _read(self) -> bytes | None:
        """The next part of the body; None when there is no more."""
        loop = asyncio.get_running_loop()
        if self._read_until is None:
            self._read_until = loop.time() + self._limits.read_deadline_s
            self._invite_body()
        try:
            async with asyncio.timeout_at(self._read_until):
                return await self._request.content.readany()
        except TimeoutError:
            self._refusal = malformed("The body came too slowly; send it at once", 408)
        except (RequestPayloadError, ClientPayloadError):
            self._refusal = malformed("The body does not follow its Transfer-Encoding")
        except ConnectionError:
            pass
        return None

    def _invite_body(self) -> None:
        """Answer `Expect: 100-continue`, now that the body is wanted."""
        request = self._request
        expected = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if expected and request.version == HttpVersion11 and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _gone(self) -> None:
        """Wait until the response is complete or the client has closed the connection."""
        while not self._complete.is_set() and self._request.transport is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(DISCONNECT_POLL_S):
                    await self._complete.wait()

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    def _too_large(self) -> Problem:
        return malformed(f"A request body has at most {self._limits.max_bytes} bytes", 413)


def _decode_path(raw_path: str) -> str | None:
    """The decoded path; None when it is not percent-encoded UTF-8."""
    if not raw_path.isascii() or _BROKEN_ESCAPE.search(raw_path):
        return None
    if "%" not in raw_path:
        return raw_path
    try:
        return unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return None


async def _expect(task: asyncio.Task[None], replies: asyncio.Queue[Message], step: str) -> None:
    """Wait until a lifespan task has completed a step; raises when it fails."""
    reply = asyncio.create_task(replies.get())
    await asyncio.wait({reply, task}, return_when=asyncio.FIRST_COMPLETED)
    if reply.done() and reply.result()["type"] == f"lifespan.{step}.complete":
        return
    reply.cancel()
    await asyncio.wait({task})
    reason = reply.result().get("message") if reply.done() and not reply.cancelled() else None
    raise task.exception() or RuntimeError(
        f"the ASGI application did not complete its {step}: {reason or 'it gave no reason'}"
    )
