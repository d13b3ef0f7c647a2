"""A whole HTTP edge on a real port, over a small document."""

from __future__ import annotations

import asyncio
import re
import socket
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from pydantic import BaseModel, ConfigDict

with warnings.catch_warnings():  # Connexion imports what its libraries have deprecated.
    warnings.simplefilter("ignore")
    import connexion  # noqa: F401

from generated.reply import Raw
from handlers.native.errors import error_form
from handlers.problem import InvalidParameter
from ingest.core.errors import NotReady, RateLimited, StoreUnavailable, UnknownSymbol
from server.edge.access import CLIENT_ADDRESS, Access, AccessPolicy
from server.edge.bridge import BodyLimits
from server.edge.sockets import LimitedSite, SocketLimits
from server.http import build_http
from server.rest.app import RestApi, load_document
from server.rest.dispatch import HandlerFunction, Reply
from server.site import render
from server.site.pages import load_pages

HERE = Path(__file__).parent
SMALL_API = HERE / "small_api.yaml"
STREAM = "/ws/stream"
EVERYBODY = 1_000_000
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Health(BaseModel):
    status: str


class Trade(BaseModel):
    aggregate_id: int
    price: Decimal


class Trades(BaseModel):
    success: bool
    data: list[Trade]
    hidden: str = "never set, never sent"


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def broken_off(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
    raise StoreUnavailable("the store has gone")


async def get_trades(
    symbol: str, limit: int, from_id: int | None = None, newest: bool | None = None
) -> Reply:
    if newest and from_id is not None:
        raise InvalidParameter("query.newest", "cannot be combined with from_id")
    failures: dict[str, Exception] = {
        "CRASH": RuntimeError("secret: /etc/passwd"),
        "NONE": UnknownSymbol("NONE"),
        "LATER": NotReady("History of LATER is being downloaded; ask again in a second"),
        "DOWN": StoreUnavailable("http://user:secret@host:8123"),
        "SLOWDOWN": RateLimited("banned", retry_at=asyncio.get_running_loop().time() + 90),
    }
    if symbol in failures:
        raise failures[symbol]
    if symbol == "RAW":
        rows = ",".join('{"aggregate_id":1,"price":0.01}' for _ in range(limit))
        return Raw(b'{"success":true,"data":[%s]}' % rows.encode())
    if symbol == "PIECES":
        return Raw(in_pieces(b'{"success":true,', b'"data":', b"[]}"))
    if symbol == "BREAKS":
        return Raw(broken_off(b'{"success":true,'))
    if symbol == "WRONG":
        return Open.model_validate({"success": True, "data": [{"aggregate_id": 1}]})
    trade = Trade(aggregate_id=from_id or 1, price=Decimal("43245.1"))
    return Trades(success=True, data=[trade] * min(limit, 5))


async def get_health() -> Reply:
    return Health(status="unhealthy"), 503


async def list_tickers() -> Reply:
    return Open.model_validate({"tickers": []})


async def list_orders() -> Reply:
    return Open.model_validate({"orders": []})


async def make_order(body: dict[str, Any]) -> Reply:
    return Open.model_validate(body)


HANDLERS: dict[str, HandlerFunction] = {
    "get_trades": get_trades,
    "get_health": get_health,
    "list_tickers": list_tickers,
    "list_orders": list_orders,
    "make_order": make_order,
}


async def echo(request: web.Request) -> web.StreamResponse:
    stream = web.WebSocketResponse()
    await stream.prepare(request)
    await stream.send_str(request[CLIENT_ADDRESS])
    async for message in stream:
        await stream.send_str(message.data)
    return stream


class Edge:
    """A running server, and ways to talk to it."""

    def __init__(self, port: int, session: ClientSession, runner: web.AppRunner) -> None:
        self.port = port
        self.session = session
        self.runner = runner

    async def raw(self, sent: bytes, answers: int | None = 1) -> bytes:
        """Send on a new connection; returns `answers` responses, or all data until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        try:
            writer.write(sent)
            async with asyncio.timeout(5):
                if answers is None:
                    return await reader.read()
                while answers:
                    head = await reader.readuntil(b"\r\n\r\n")
                    received += head
                    if head.startswith(b"HTTP/1.1 1"):
                        continue
                    length = LENGTH.search(head)
                    received += await reader.readexactly(int(length[1]) if length else 0)
                    answers -= 1
            return received
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def serve(
    app: web.Application, limits: SocketLimits | None = None
) -> AsyncIterator[tuple[int, web.AppRunner]]:
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    site = LimitedSite(runner, "127.0.0.1", port, error_form, limits)
    await site.start()
    try:
        yield port, runner
    finally:
        await runner.cleanup()


Start = Callable[..., Awaitable[Edge]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers of the whole edge with the policy and limits given."""
    async with AsyncExitStack() as stack:

        async def start_one(
            policy: AccessPolicy | None = None,
            body: BodyLimits | None = None,
            sockets: SocketLimits | None = None,
            validate_responses: bool = True,
            clock_ns: Callable[[], int] | None = None,
            handlers: Mapping[str, HandlerFunction] = HANDLERS,
            openapi_json: bytes = b"{}",
            others: Sequence[RestApi] = (),
        ) -> Edge:
            policy = policy or AccessPolicy(requests_per_minute=EVERYBODY, burst=EVERYBODY)
            access = Access(policy, clock_ns=clock_ns) if clock_ns else Access(policy)
            app = build_http(
                access,
                [RestApi(load_document(SMALL_API), handlers, error_form), *others],
                load_pages(openapi_json, HERE, render()),
                {STREAM: echo},
                body,
                validate_responses=validate_responses,
            )
            port, runner = await stack.enter_async_context(serve(app, sockets))
            session = await stack.enter_async_context(ClientSession(f"http://127.0.0.1:{port}"))
            return Edge(port, session, runner)

        yield start_one


@pytest.fixture
async def edge(start: Start) -> Edge:
    return await start()
