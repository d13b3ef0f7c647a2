"""Attacks on a server with keys, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from ingest.binance.now import host_ms
from server.app import DOCUMENTS
from server.edge.access import WRONG_KEYS_PER_MINUTE
from tests.e2e.test_document_examples import ERRORS, texts
from tests.running import until
from tests.server.keyring import (
    PROXY,
    Keyed,
    address,
    bearer,
    closed,
    handshake,
    keyed,
    said,
    ticket,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

INFO = "/api/v1/monitoring/system/info"
ADMIN = "/api/v1/admin/log"
STREAM = "/ws/stream"
REST = json.loads((DOCUMENTS / "openapi.json").read_text("utf-8"))
OPERATIONS = [
    (method, path, operation)
    for path, methods in REST["paths"].items()
    for method, operation in methods.items()
]
NEED_ADMIN = [(m, path) for m, path, each in OPERATIONS if each.get("x-scope") == "admin"]
NEED_READ = [
    (m, path)
    for m, path, each in OPERATIONS
    if "x-scope" not in each and each.get("security") != []
]
OPEN = [(m, path) for m, path, each in OPERATIONS if each.get("security") == []]
OTHER_APIS = ["/api/v3/ping", "/kraken/0/public/Time", "/udf/time"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def open_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Keyed]:
    """A server on which everybody may read."""
    async with keyed(tmp_path_factory.mktemp("open")) as found:
        yield found


async def text_of(keys: Keyed, name: str) -> str:
    """The text that an attack presents as a key."""
    good = keys.reader
    head, secret = good[: len("cck_01234567_")], good[len("cck_01234567_") :]
    return {
        "guessed id": f"cck_00000000_{secret}",
        "guessed secret": head + "A" * 43,
        "one character off": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "of another key": head + keys.admin[len(head) :],
        "empty": "",
        "oversized": good + "A" * 6000,
        "twice": good + good,
        "not ASCII": good[:-1] + "é",
        "full-width digits": good.replace("cck_", "cck_\uff10"),
        "in capitals": good.upper(),
        "without its prefix": good.removeprefix("cck_"),
        "only its id": head.rstrip("_"),
        "a pattern": "cck_.*_.*",
        "a hash": "0" * 64,
        "expired": keys.expired,
        "revoked": keys.revoked,
    }[name]


WRONG = (
    *("guessed id", "guessed secret", "one character off", "of another key", "empty", "oversized"),
    *("twice", "not ASCII", "full-width digits", "in capitals", "without its prefix"),
    *("only its id", "a pattern", "a hash", "expired", "revoked"),
)


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_key_is_refused_and_shown_nowhere(
    open_server: Keyed, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = await text_of(open_server, name)
    with caplog.at_level(logging.DEBUG):
        for header in (bearer(text), ("X-API-Key", text), ("X-MBX-APIKEY", text)):
            for path in (INFO, ADMIN):
                reply = await open_server.ask(path, header)
                assert (reply.status, reply.body["error_code"]) == (401, "UNAUTHORIZED"), header
                challenge = 'Bearer realm="candlecast", error="invalid_token"'
                assert reply.headers["WWW-Authenticate"] == challenge
                if len(text) > 8:
                    assert text not in reply.text + str(reply.headers)
    if len(text) > 8:
        assert text not in caplog.text


@pytest.mark.parametrize(("method", "path"), NEED_ADMIN)
async def test_an_operation_for_operators_needs_the_scope(
    open_server: Keyed, method: str, path: str
) -> None:
    keys = open_server
    nobody = await keys.ask(address(path), method=method)
    assert (nobody.status, nobody.body["error_code"]) == (401, "UNAUTHORIZED")
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="candlecast"'
    reader = await keys.ask(address(path), bearer(keys.reader), method=method)
    assert (reader.status, reader.body["error_code"]) == (403, "FORBIDDEN")
    assert 'error="insufficient_scope"' in reader.headers["WWW-Authenticate"]
    admin = await keys.ask(address(path), bearer(keys.admin), method=method)
    assert admin.status in (200, 400, 404, 503), admin.text
    own = await keys.ask(address(path), bearer(keys.running.callers.own_key), method=method)
    assert own.status not in (401, 403), own.text


async def test_there_are_operations_of_every_kind() -> None:
    assert len(NEED_ADMIN) == 11
    assert len(OPEN) == 3
    assert len(NEED_READ) > 10


@pytest.mark.parametrize("path", [ADMIN + "/", "/api/v1//admin/log", "/api/v1/%61dmin/log"])
async def test_no_other_spelling_gets_around_the_scope(open_server: Keyed, path: str) -> None:
    reply = await open_server.ask(path)
    assert reply.status in (401, 404), reply.text


async def test_a_refused_scope_has_the_texts_of_its_example(open_server: Keyed) -> None:
    reply = await open_server.ask(ADMIN, bearer(open_server.reader))
    assert texts(reply.body) == texts(ERRORS["Forbidden scope"])


async def test_head_needs_what_get_does(open_server: Keyed) -> None:
    assert (await open_server.ask(ADMIN, method="HEAD")).status == 401
    assert (await open_server.ask(ADMIN, bearer(open_server.admin), method="HEAD")).status == 200


@pytest.mark.parametrize("where", ["api_key", "apikey", "API-Key", "access_token", "x-api-key"])
@pytest.mark.parametrize("path", [INFO, STREAM, "/api/v3/ping", "/udf/time"])
async def test_a_key_in_an_address_is_refused(open_server: Keyed, path: str, where: str) -> None:
    reply = await open_server.ask(f"{path}?{where}={open_server.reader}")
    assert reply.status == 400
    assert "no place in an address" in reply.text
    assert open_server.reader not in reply.text


async def test_a_key_in_an_address_is_known_by_its_form(open_server: Keyed) -> None:
    for query in (f"q={open_server.reader}", f"{open_server.reader.replace('_', '%5F')}"):
        reply = await open_server.ask(f"{INFO}?{query}", bearer(open_server.reader))
        assert reply.status == 400
        assert "no place in an address" in reply.text


async def test_headers_that_differ_are_refused(open_server: Keyed) -> None:
    reader, admin = open_server.reader, open_server.admin
    pairs = [
        (bearer(reader), ("X-API-Key", admin)),
        (("X-API-Key", reader), ("X-API-Key", admin)),
        (bearer(reader), bearer(admin)),
        (("X-API-Key", admin), ("X-MBX-APIKEY", reader)),
        (bearer(admin), ("X-API-Key", "")),
    ]
    for pair in pairs:
        reply = await open_server.ask(ADMIN, *pair)
        assert (reply.status, reply.body["error_code"]) == (400, "INVALID_REQUEST"), pair
    same = await open_server.ask(ADMIN, bearer(admin), ("X-API-Key", admin))
    assert same.status == 200


async def test_header_lines_that_are_folded_or_have_controls_let_nobody_in(
    open_server: Keyed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host, port = open_server.url.removeprefix("http://").split(":")
    for line in (
        f"X-API-Key: {open_server.reader}\r\n {open_server.admin}",
        f"X-API-Key: {open_server.admin}\0",
        f"X-API-Key : {open_server.admin}",
        f"Authorization: Bearer\t{open_server.admin}x",
        f"X_API_Key: {open_server.admin}",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET {ADMIN} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{line}\r\n\r\n"
        writer.write(head.encode())
        status = (await reader.readline()).split()[1]
        writer.close()
        assert status in (b"400", b"401"), line
    assert "Malformed request" in caplog.text
    assert open_server.admin not in caplog.text


async def test_another_scheme_is_no_key(open_server: Keyed) -> None:
    credentials = base64.b64encode(f"operator:{open_server.admin}".encode()).decode()
    basic = ("Authorization", f"Basic {credentials}")
    assert (await open_server.ask(ADMIN, basic)).status == 401
    assert (await open_server.ask(INFO, basic)).status == 200


async def test_guessing_is_slowed_down_and_locks_nobody_out(open_server: Keyed) -> None:
    async with open_server.client("127.9.9.9") as session:

        async def status(text: str) -> int:
            async with session.get(INFO, headers=[bearer(text)]) as reply:
                return reply.status

        tries = [await status(f"cck_{n:08x}_{'A' * 43}") for n in range(WRONG_KEYS_PER_MINUTE + 5)]
        assert tries[:WRONG_KEYS_PER_MINUTE] == [401] * WRONG_KEYS_PER_MINUTE
        assert tries[-1] == 429
        assert await status(open_server.reader) == 200
    assert (await open_server.ask(INFO, bearer(open_server.expired))).status == 401


async def test_the_rate_of_a_key_is_its_own_at_any_address(open_server: Keyed) -> None:
    text, statuses = open_server.key("slow", rate=3), []
    for number in range(5):
        forwarded = ("X-Forwarded-For", f"127.8.0.{number}")
        reply = await open_server.ask(INFO, bearer(text), forwarded, address=PROXY)
        statuses.append(reply.status)
        assert reply.headers["RateLimit-Limit"] == "3"
    assert statuses == [200, 200, 200, 429, 429]
    assert "to one key" in reply.body["error"]
    other = await open_server.ask(INFO, bearer(open_server.reader), address=PROXY)
    assert (other.status, other.headers["RateLimit-Limit"]) == (200, "1200")


async def test_each_api_refuses_a_wrong_key_in_its_own_form(open_server: Keyed) -> None:
    wrong = bearer(open_server.revoked)
    binance, kraken, udf = [await open_server.ask(path, wrong) for path in OTHER_APIS]
    assert (binance.status, binance.body["code"]) == (401, -2015)
    assert (kraken.status, kraken.body) == (200, {"error": ["EAPI:Invalid key"]})
    assert (udf.status, udf.body["s"]) == (401, "error")


@pytest.mark.parametrize("path", [STREAM, "/ws", "/stream", "/ws/btcusdt@trade", "/kraken"])
async def test_no_websocket_opens_with_a_wrong_key(open_server: Keyed, path: str) -> None:
    assert await handshake(open_server, path, bearer(open_server.revoked)) == 401
    assert await handshake(open_server, f"{path}?ticket=cct_{'A' * 43}") == 401
    assert await handshake(open_server, path, bearer(open_server.reader)) == 101


async def test_swapping_keys_on_one_connection_gives_no_scope(open_server: Keyed) -> None:
    """Requests of one connection share a task; the one before must not lend its key."""
    async with aiohttp.ClientSession(
        open_server.url, connector=aiohttp.TCPConnector(limit=1, local_addr=("127.7.7.7", 0))
    ) as session:
        for headers, expected in (
            ([bearer(open_server.admin)], 200),
            ([], 401),
            ([bearer(open_server.reader)], 403),
            ([bearer(open_server.admin)], 200),
            ([], 401),
        ):
            async with session.get(ADMIN, headers=headers) as reply:
                assert reply.status == expected


async def test_a_ticket_opens_one_connection_once(open_server: Keyed) -> None:
    text = await ticket(open_server, bearer(open_server.reader))
    assert await handshake(open_server, f"{STREAM}?ticket={text}") == 101
    assert await handshake(open_server, f"{STREAM}?ticket={text}") == 401
    for guessed in ("", "cct_" + "A" * 43, open_server.reader.replace("cck", "cct"), "é"):
        assert await handshake(open_server, f"{STREAM}?ticket={guessed}") == 401


async def test_a_ticket_and_a_key_or_two_tickets_are_refused(open_server: Keyed) -> None:
    one = await ticket(open_server, bearer(open_server.reader))
    two = await ticket(open_server, bearer(open_server.admin))
    assert await handshake(open_server, f"{STREAM}?ticket={one}&ticket={two}") == 400
    assert await handshake(open_server, f"{STREAM}?ticket={one}", bearer(open_server.admin)) == 400


async def test_a_ticket_is_no_key(open_server: Keyed) -> None:
    text = await ticket(open_server, bearer(open_server.admin))
    assert (await open_server.ask(ADMIN, bearer(text))).status == 401
    assert (await open_server.ask(f"{ADMIN}?ticket={text}")).status == 401


async def test_a_ticket_ends_with_its_key(open_server: Keyed) -> None:
    key = open_server.key("short-lived")
    text = await ticket(open_server, bearer(key))
    open_server.revoke(key)
    assert await handshake(open_server, f"{STREAM}?ticket={text}") == 401


async def test_revoking_a_key_ends_what_it_opened(open_server: Keyed) -> None:
    key = open_server.key("to be revoked")
    text = await ticket(open_server, bearer(key))
    async with open_server.client() as session:
        sockets = [
            await session.ws_connect(STREAM, headers=[bearer(key)]),
            await session.ws_connect(f"{STREAM}?ticket={text}"),
            await session.ws_connect("/ws/btcusdt@aggTrade", headers=[("X-MBX-APIKEY", key)]),
            await session.ws_connect("/kraken", headers=[bearer(key)]),
            await session.ws_connect(STREAM),
        ]
        await sockets[-1].send_json({"action": "authenticate", "api_key": key})
        assert (await said(sockets[-1], "authentication_result"))["label"] == "to be revoked"
        stays = await session.ws_connect(STREAM, headers=[bearer(open_server.reader)])
        open_server.revoke(key)
        for each in sockets:
            assert await closed(each) == 1008
        await stays.send_json({"action": "ping"})
        await said(stays, "pong")
        await stays.close()


async def test_a_key_that_expires_ends_what_it_opened(open_server: Keyed) -> None:
    key = open_server.key("short", made_ms=host_ms() - 57_000, lasts_ms=60_000)
    async with open_server.client() as session:
        opened = await session.ws_connect(STREAM, headers=[bearer(key)])
        assert await closed(opened) == 1008
    assert (await open_server.ask(INFO, bearer(key))).status == 401


async def test_a_key_is_presented_once(open_server: Keyed) -> None:
    async with open_server.client() as session, session.ws_connect(STREAM) as opened:
        await opened.send_json({"action": "subscribe_tickers"})
        await said(opened, "tickers_subscription_result")
        first = {"action": "authenticate", "api_key": open_server.reader, "request_id": "1"}
        await opened.send_json(first)
        result = await said(opened, "authentication_result")
        assert (result["scopes"], result["request_id"]) == (["read"], "1")
        await opened.send_json({**first, "api_key": open_server.admin})
        assert (await said(opened, "error"))["error_code"] == "UNAUTHORIZED"
        assert await closed(opened) == 1008


@pytest.mark.parametrize("name", ["guessed secret", "expired", "revoked", "not ASCII", "a pattern"])
async def test_a_wrong_key_in_a_message_ends_the_connection(open_server: Keyed, name: str) -> None:
    text = await text_of(open_server, name)
    async with open_server.client() as session, session.ws_connect(STREAM) as opened:
        await opened.send_json({"action": "authenticate", "api_key": text, "request_id": "x"})
        error = await said(opened, "error")
        assert (error["error_code"], error["request_id"]) == ("UNAUTHORIZED", "x")
        assert text not in json.dumps(error)
        assert await closed(opened) == 1008


async def test_a_key_that_is_too_long_for_a_message_is_not_repeated(open_server: Keyed) -> None:
    async with open_server.client() as session, session.ws_connect(STREAM) as opened:
        for wrong in (open_server.admin + "A" * 200, [open_server.admin], {"k": open_server.admin}):
            await opened.send_json({"action": "authenticate", "api_key": wrong})
            error = await said(opened, "error")
            assert error["error_code"] == "INVALID_SUBSCRIPTION"
            assert open_server.admin not in json.dumps(error)


async def test_a_broken_file_leaves_the_keys_as_they_were(
    open_server: Keyed, caplog: pytest.LogCaptureFixture
) -> None:
    kept = open_server.path.read_bytes()
    for broken in (
        b"",
        b"{",
        b'{"version": 2, "keys": []}',
        kept.replace(b'"id"', b'"di"'),
        b"\xff",
    ):
        open_server.path.write_bytes(broken)
        assert not open_server.running.callers.reload()
        assert (await open_server.ask(ADMIN, bearer(open_server.admin))).status == 200
    assert "keys of before stay in force" in caplog.text
    open_server.path.write_bytes(kept)
    assert open_server.running.callers.reload()


async def test_a_file_that_others_may_read_is_warned_of(
    open_server: Keyed, caplog: pytest.LogCaptureFixture
) -> None:
    open_server.path.chmod(0o644)
    open_server.running.callers.reload()
    assert "chmod 600" in caplog.text
    open_server.path.chmod(0o600)


async def test_a_changed_file_is_taken_up_by_itself(open_server: Keyed) -> None:
    kept = open_server.path.read_bytes()
    open_server.path.write_bytes(b'{"version": 1, "keys": []}')
    callers = open_server.running.callers
    await until(lambda: not callers.knows_any)
    assert (await open_server.ask(ADMIN, bearer(open_server.admin))).status == 401
    assert (await open_server.ask(ADMIN)).status == 401, "no key is left, and nobody is let in"
    open_server.path.write_bytes(kept)
    await until(lambda: callers.knows_any)
