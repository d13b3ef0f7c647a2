"""Sockets: connection limits per address, request deadlines, and errors for non-HTTP data."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

from handlers import request_id
from handlers.problem import INTERNAL_ERROR, ErrorForm, Problem, malformed
from server.edge.address import Address, client_key, parse_address
from server.edge.answers import in_form
from server.edge.certificates import HANDSHAKE_SECONDS
from server.edge.headers import harden
from server.edge.requests import Requests
from server.edge.route import OTHER, ROUTE

logger = logging.getLogger(__name__)

MAX_LINE_BYTES = 32_768
"""The limit of the request line: the address of a connection may name a thousand streams."""
MAX_HEADER_BYTES = 8190
MAX_HEADERS = 64
LINGER_S = 2.0
"""How long an unread body is drained before the connection is closed."""


@dataclass(frozen=True)
class SocketLimits:
    """The limits of open sockets of one server; for trusted proxies only the total applies."""

    total: int = 20_000
    per_client: int = 256
    head_deadline_s: float = 30.0
    """The time for a request's line and headers to arrive, since the connection or last response:
    it ends idle connections and partial or slow requests."""
    backlog: int = 1024


class _Sockets:
    """The open sockets, by client."""

    def __init__(self, limits: SocketLimits, is_trusted: Callable[[Address], bool]) -> None:
        self._limits = limits
        self._is_trusted = is_trusted
        self._open: Counter[Address] = Counter()
        self._total = 0

    def admit(self, peer: Address | None) -> Address | None:
        """The key to `release` when the socket closes, or None when a limit is reached."""
        if peer is None or self._total >= self._limits.total:
            return None
        key = client_key(peer)
        if self._open[key] >= self._limits.per_client and not self._is_trusted(peer):
            return None
        self._open[key] += 1
        self._total += 1
        return key

    def release(self, key: Address) -> None:
        self._total -= 1
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


class _Connection(RequestHandler):
    """aiohttp's HTTP connection, counted, with errors in our form."""

    __slots__ = ("_admitted", "_form", "_sockets")

    def __init__(
        self, sockets: _Sockets, form: ErrorForm, manager: web.Server, **options: Any
    ) -> None:
        super().__init__(manager, **options)
        self._form = form
        self._sockets = sockets
        self._admitted: Address | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self._admitted = self._sockets.admit(parse_address(str(peer[0])) if peer else None)
        if self._admitted is None:
            transport.close()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._admitted is not None:
            self._sockets.release(self._admitted)
            self._admitted = None
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted is not None:
            super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Respond where no handler did, and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun; there is no place for an error in it")
        request[ROUTE] = OTHER
        request_id.current()  # its lines have it: no middleware has begun one
        if isinstance(exc, HttpProcessingError):
            # Its text quotes what came, which may be a key.
            logger.debug("Malformed request from %s: %s", request.remote, type(exc).__name__)
        else:
            logger.error("Unhandled error %d for %s", status, request.remote, exc_info=exc)
        answer = in_form(self._form, _problem(exc))
        harden(answer)
        answer.force_close()
        return answer


class LimitedSite(web.BaseSite):
    """A TCP port with `SocketLimits`, used like `web.TCPSite`."""

    def __init__(
        self,
        runner: web.BaseRunner,
        host: str | None,
        port: int,
        form: ErrorForm,
        limits: SocketLimits | None = None,
        is_trusted: Callable[[Address], bool] = lambda _: False,
        requests: Requests | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        """`form` is the error form for data that is not a request yet; `is_trusted` says whether a
        peer is a trusted proxy; `requests` notes each request."""
        self._requests = requests
        self._tls = tls
        self._limits = limits or SocketLimits()
        super().__init__(runner, backlog=self._limits.backlog)
        self._host = host
        self._form = form
        self._port = port
        self._sockets = _Sockets(self._limits, is_trusted)

    @property
    def name(self) -> str:
        return f"http{'s' if self._tls else ''}://{self._host or '0.0.0.0'}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await super().start()
        loop = asyncio.get_running_loop()
        server = self._runner.server
        if server is None:
            raise RuntimeError("call runner.setup() before starting a site")

        def connect() -> _Connection:
            return _Connection(
                self._sockets,
                self._form,
                server,
                loop=loop,
                keepalive_timeout=self._limits.head_deadline_s,
                access_log=None if self._requests is None else self._requests.logger,
                access_log_class=lambda *_: self._requests,
                auto_decompress=False,
                lingering_time=LINGER_S,
                max_line_size=MAX_LINE_BYTES,
                max_field_size=MAX_HEADER_BYTES,
                max_headers=MAX_HEADERS,
            )

        self._server = await loop.create_server(
            connect,
            self._host,
            self._port,
            backlog=self._limits.backlog,
            reuse_address=True,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
        )


def _problem(exc: BaseException | None) -> Problem:
    if isinstance(exc, LineTooLong):
        return malformed(
            f"The request line has at most {MAX_LINE_BYTES} bytes, each header {MAX_HEADER_BYTES}",
            431,
        )
    if isinstance(exc, HttpProcessingError):
        return malformed("The request does not follow HTTP/1.1")
    return INTERNAL_ERROR
