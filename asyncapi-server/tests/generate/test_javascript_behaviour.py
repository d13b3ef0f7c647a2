"""A client in TypeScript matches replies, throws errors and keeps long numbers; in browsers too."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from generate.javascript import node
from support.browser import DESKTOP, tab

SCRIPT = Path(__file__).with_name("behave.mjs")
LONG = 2**63
ERROR = {"type": "error", "code": "NO_ROOM", "text": "none", "details": []}
DIGITS = "0" * 20
"""Digits within a text, which are no number."""


@pytest.fixture
async def server(javascript: Path) -> AsyncIterator[str]:
    """The host and the port of a server of rooms, offers, and the compiled clients."""
    application = web.Application()
    application.router.add_get("/refused/rooms", _refused)
    application.router.add_get("/rooms", _rooms)
    application.router.add_get("/offers", _offers)
    application.router.add_get("/page", _page)
    application.router.add_static("/compiled", javascript)
    application.router.add_static("/scripts", SCRIPT.parent)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _refused(_: web.Request) -> web.Response:
    raise web.HTTPForbidden(text="not you")


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>Clients</title>", content_type="text/html")


async def _rooms(request: web.Request) -> web.WebSocketResponse:
    """Behave as the room that is asked for wants it."""
    held: list[dict[str, Any]] = []
    async for socket, asked in _asked(request):
        room, number = asked["rooms"][0], {"request_id": asked["request_id"]}
        if room == 1:
            held.append({"type": "joined", "rooms": [1], **number})
        elif room == 2:
            await socket.send_json({"type": "joined", "rooms": [2], **number})
            await socket.send_json(held.pop())
        elif room == 3:
            await socket.send_json({**ERROR, **number})
        elif room == 5:
            for text in ("junk", "[1]", '{"type": "joined", "rooms": "none"}', "NaN"):
                await socket.send_str(text)
            await socket.send_bytes(b"\x00")
            for text in ("first", "second"):
                await socket.send_json({"type": "note", "room": 1, "text": text})
            await socket.send_json({"type": "joined", "rooms": [5]})
        elif room == 6:
            await socket.close(code=4001, message=b"enough")
    return web.WebSocketResponse()


async def _offers(request: web.Request) -> web.WebSocketResponse:
    """Take an offer, and send a book with long numbers in all places."""
    async for socket, asked in _asked(request):
        assert asked == {"kind": "offer", "price": 0.5, "count": LONG}
        await socket.send_json({**asked, "kind": "taken"})
        numbers = {"ids": [7, LONG], "sizes": {"a": LONG + 1}, "next": LONG + 2}
        others = {"ratio": 10**20, "text": f'{DIGITS}" {DIGITS}'}
        await socket.send_json({"kind": "book", **numbers, **others})
    return web.WebSocketResponse()


async def _asked(
    request: web.Request,
) -> AsyncIterator[tuple[web.WebSocketResponse, dict[str, Any]]]:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        yield socket, json.loads(message.data)


def check(results: dict[str, Any]) -> None:
    assert results["anyOrder"] == [[1], [2]]
    refused = results["refused"]
    assert refused["name"] == "ErrorRefusal"
    assert {**refused["reply"], "request_id": ""} == {**ERROR, "request_id": ""}
    assert results["isRefusal"] is True
    assert results["late"]["name"] == "TimedOut"
    assert results["withoutId"] == {"type": "joined", "rooms": [5]}
    texts = [(each["name"], each["message"]["text"]) for each in results["received"]]
    assert texts == [("note", "first"), ("note", "second")]
    for lost in (results["lost"], results["lostReading"], results["afterwards"]):
        assert (lost["name"], lost["code"]) == ("ConnectionLost", 4001)
        assert "enough" in lost["text"]
    assert results["closed"] == "ended"
    assert results["refusedConnection"]["name"] == "CannotConnect"
    assert results["noUrl"]["name"] == "CannotConnect"
    assert results["taken"] == ["bigint", str(LONG), 0.5]
    assert results["book"] == [
        "number 7", f"bigint {LONG}", f"bigint {LONG + 1}", f"bigint {LONG + 2}",
    ]  # fmt: skip
    assert results["ratio"] == ["number", f'{DIGITS}" {DIGITS}']


async def test_in_node(server: str, javascript: Path, tmp_path: Path) -> None:
    command = node()
    if command is None:
        pytest.skip("there is no Node with a WebSocket: clients in TypeScript are not run")
    script = tmp_path / "run.mjs"
    script.write_text(
        f"import {{ behave }} from {json.dumps(SCRIPT.as_uri())};\n"
        "const [compiled, url] = process.argv.slice(2);\n"
        "process.stdout.write(JSON.stringify(await behave(compiled, url)));\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(*command, str(script), javascript.as_uri(), f"ws://{server}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    check(json.loads(output))


async def test_in_a_browser(server: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium: clients in TypeScript are not run in a browser")
    async with tab(chromium, tmp_path) as page:
        await page.show(f"http://{server}/page", DESKTOP)
        found = await page.value(
            "import('/scripts/behave.mjs').then(({behave}) =>"
            f" behave('/compiled', 'ws://{server}')).then(JSON.stringify)"
        )
    check(json.loads(found))
