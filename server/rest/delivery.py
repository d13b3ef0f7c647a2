"""How a reply is delivered: not at all to a client that has it, else compressed where it may be."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.rest.codings import COMPRESSED_TYPES, LEAST_BYTES, Body, coding_of

_OF_BODY = (
    *(b"content-type", b"content-length", b"content-range", b"content-disposition"),
    *(b"next-cursor", b"data-quality"),
)
"""Headers that a 304 leaves out."""


class Delivery:
    """An ASGI application around another one, whose replies it delivers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding, known = None, b""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"accept-encoding":
                    coding = coding_of(value)
                elif name == b"if-none-match":
                    known = value
        if coding is not None or known:
            send = _Delivered(send, coding, known).send
        await self._app(scope, receive, send)


class _Delivered:
    """One reply to a client that takes a coding, or knows some entity tags."""

    def __init__(self, send: Send, coding: str | None, known: bytes) -> None:
        self._send = send
        self._coding = coding
        self._known = known
        self._start: Message = {}
        self._is_known = False
        self._body: Body | None = None
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        piece, more = message.get("body", b""), message.get("more_body", False)
        if not self._has_begun:
            self._has_begun = True
            await self._begin(len(piece))
        if self._is_known:
            return
        if self._body is not None:
            piece = await self._body.take(piece, is_last=not more)
        await self._send({**message, "body": piece, "more_body": more})

    async def _begin(self, size: int) -> None:
        """Send the start, and decide how its body is sent."""
        status, headers = self._start["status"], self._start["headers"]
        values = dict(headers)
        if status in (200, 206) and self._known and matches(self._known, values.get(b"etag", b"")):
            self._is_known = True
            kept = [pair for pair in headers if pair[0].lower() not in _OF_BODY]
            await self._send({**self._start, "status": 304, "headers": kept})
            await self._send({"type": "http.response.body"})
            return
        kind = values.get(b"content-type", b"").partition(b";")[0].decode("latin-1")
        is_long = size >= LEAST_BYTES and kind in COMPRESSED_TYPES
        if self._coding is not None and is_long and b"content-encoding" not in values:
            self._body = Body(self._coding)
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            headers.append((b"content-encoding", self._coding.encode()))
        await self._send({**self._start, "headers": headers})


def matches(known: bytes, etag: bytes) -> bool:
    """Whether `If-None-Match` names an entity tag, by weak comparison (RFC 9110, 8.8.3.2)."""
    if not etag:
        return False
    if known.strip() == b"*":
        return True
    wanted = etag.removeprefix(b"W/")
    return any(part.strip().removeprefix(b"W/") == wanted for part in known.split(b","))
