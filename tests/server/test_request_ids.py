"""Request ids and the access log of a running server, over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from generated.native.facts import HTTP_REQUEST_ID_PATTERN
from handlers.native.rest.tickers import Tickers
from server.edge.requests import ACCESS_LOGGER
from server.lines import JSON, formatter
from tests.running import server, settings, simulator, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
VALID = re.compile(HTTP_REQUEST_ID_PATTERN)
SECRET = "open-sesame"


class Lines(logging.Handler):
    """The lines that standard error would have got."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(formatter(JSON, [SECRET]))
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with (
        simulator("--symbols", "BTCUSDT", "--rate", "1") as exchange,
        server(
            settings(
                exchange,
                tmp_path_factory.mktemp("ids"),
                symbols="BTCUSDT",
                history="1m",
                access_log="yes",
                kraken_api_key=SECRET,
            )
        ) as (_, url),
    ):
        yield url


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, access = Lines(), logging.getLogger(ACCESS_LOGGER)
    logging.getLogger().addHandler(handler)
    access.setLevel(logging.INFO)
    yield handler
    logging.getLogger().removeHandler(handler)


async def raw(url: str, request: bytes) -> tuple[dict[str, str], bytes]:
    """The headers and the body of the answer to these bytes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(30):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        pairs = (line.split(": ", 1) for line in head.splitlines()[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    return headers, body


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/api/v1/monitoring/health", {}, 200),
        ("/docs", {}, 200),
        ("/nowhere", {}, 404),
        ("/api/v1/tickers/NOSUCH", {}, 404),
        ("/api/v1/data/candles/BTCUSDT?limit=0", {}, 400),
        ("/api/v1/tickers/", {"method": "PUT"}, 405),
        ("/api/v1/tickers/", {"headers": {"Host": "evil.example"}}, 403),
        ("/ws/stream", {}, 426),
        ("/api/v3/time", {}, 200),
        ("/api/v3/klines", {}, 400),
        ("/0/public/Nothing", {}, 200),
        ("/udf/symbols", {}, 400),
    ],
)
async def test_every_reply_has_its_id(
    url: str, lines: Lines, path: str, options: dict[str, Any], status: int
) -> None:
    given = {"X-Request-Id": "Chart-1._z", **options.get("headers", {})}
    method = options.get("method", "GET")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url + path, headers=given) as reply,
    ):
        body = await reply.text()
        assert (reply.status, reply.headers["X-Request-Id"]) == (status, "Chart-1._z"), body
    is_native = path.startswith(("/api/v1", "/nowhere", "/ws")) and status >= 400
    assert ('"request_id":"Chart-1._z"' in body) is is_native, body
    await until(lambda: bool(lines.of(ACCESS_LOGGER)))
    [line] = lines.of(ACCESS_LOGGER)
    assert line["request_id"] == "Chart-1._z"
    assert (line["method"], line["status"]) == (method, status)
    assert line["path"] == path.partition("?")[0]
    assert line["bytes"] > 0
    assert line["client"] == "127.0.0.1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "a\tb", "../x"])
async def test_an_invalid_id_is_replaced(url: str, given: str) -> None:
    host = url.removeprefix("http://")
    request = f"GET /nowhere HTTP/1.1\r\nHost: {host}\r\nX-Request-Id: {given}\r\n\r\n"
    first, body = await raw(url, request.encode())
    second, _ = await raw(url, request.encode())
    assert VALID.fullmatch(first["x-request-id"])
    assert first["x-request-id"] not in (given, second["x-request-id"])
    assert json.loads(body)["request_id"] == first["x-request-id"]


async def test_what_is_no_request_has_an_id_too(url: str) -> None:
    headers, body = await raw(url, b"nonsense\r\n\r\n")
    assert json.loads(body)["request_id"] == headers["x-request-id"]


async def test_a_304_has_its_id(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/docs") as reply:
            tag = reply.headers.get("ETag", "")
            await reply.read()
        async with session.get(
            f"{url}/docs", headers={"If-None-Match": tag, "X-Request-Id": "again"}
        ) as reply:
            assert (reply.status, reply.headers["X-Request-Id"]) == (304, "again")


async def test_an_unexpected_error_is_logged_under_its_id(
    url: str, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"with {SECRET}\nand a line")

    monkeypatch.setattr(Tickers, "_summary", fail)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/tickers/?", headers={"X-Request-Id": "mine"}) as reply,
    ):
        assert reply.status == 500
        assert (await reply.json())["request_id"] == "mine"
    [line] = lines.of("server.rest.problems")
    assert (line["level"], line["request_id"]) == ("error", "mine")
    assert line["traceback"].endswith("RuntimeError: with ***\nand a line")


async def test_a_connection_has_a_line_at_its_begin_and_end(url: str, lines: Lines) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"X-Request-Id": "stream"}
        async with session.ws_connect(f"{url}/ws/stream?token={SECRET}", headers=headers) as stream:
            await until(lambda: bool(lines.of(ACCESS_LOGGER)))
            await stream.close()
    await until(lambda: len(lines.of(ACCESS_LOGGER)) == 2)
    opened, closed = lines.of(ACCESS_LOGGER)
    assert (opened["event"], closed["event"]) == ("opened", "closed")
    assert {opened["request_id"], closed["request_id"]} == {"stream"}
    assert SECRET not in json.dumps([opened, closed])


async def test_the_log_of_the_admin_has_no_lines_of_requests(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(f"{url}/api/v1/admin/log", params={"limit": 1000}) as reply:
                found = await reply.json()
    assert ACCESS_LOGGER not in {line["logger"] for line in found["data"]}


async def test_a_hostile_path_stays_on_its_line(url: str, lines: Lines) -> None:
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as client:
        path = b"/%0a%0d\x7f\x80" + b"x" * 20_000
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: bool(lines.of(ACCESS_LOGGER)))
    [line] = lines.of(ACCESS_LOGGER)
    assert len(line["path"]) <= 400
    assert line["path"].isprintable()
