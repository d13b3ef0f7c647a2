"""The console of a page in a real browser, against real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from asyncapi_server.docs import describe, render
from support.browser import DESKTOP, tab
from support.mocking import mocked
from support.pages import by_id, click, connect, fill, log, text
from support.rendered import CHROMIUM, NEEDS_CHROMIUM, SHOWCASE, write
from support.rooms import DOCUMENTS

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=NEEDS_CHROMIUM),
    pytest.mark.asyncio(loop_factories=["asyncio"]),
]
PATH = "/desk/desks/main?language=en"


Show = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(
    talk: Callable[[web.WebSocketResponse], Awaitable[None]], show: Show | None = None
) -> AsyncIterator[str]:
    """A server that does what no document says, and shows a page; yields its address."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    app = web.Application()
    if show is not None:
        app.router.add_get("/page", show)
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_request_is_checked_sent_and_matched_with_its_reply(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with (
        mocked(SHOWCASE, server="main") as session,
        tab(str(CHROMIUM), tmp_path / "profile") as page,
    ):
        await page.show(url, DESKTOP)
        assert (
            await page.value("document.querySelectorAll('button[data-try]:not([hidden])').length")
            == 3
        )
        await page.value("document.querySelector('button[data-try=borrow]').click()")
        assert await page.value(f"{by_id('url')}.value") == (
            "wss://north.library.example/desk/desks/main?language=en"
        )
        assert "X-Reader" in await text(page, "#asyncapi-connect-note")
        assert await page.value(f"{by_id('send')}.disabled")
        await connect(page, session.url + PATH)
        assert await text(page, "#asyncapi-status") == "connected"
        assert await text(page, "#asyncapi-verdict") == (
            "a valid Borrow, with integers that are checked roughly"
        )

        await fill(page, "editor", '{"do": "borrow", "request": 5, "book": 0, "days": "x"}')
        assert await text(page, "#asyncapi-verdict") == "2 faults"
        assert await text(page, "#asyncapi-faults") == (
            "/book is below 1 /days is text, and has to be a whole number"
        )
        await page.value(f"{by_id('faults')}.querySelector('button').click()")
        selected = "(e => e.value.slice(e.selectionStart, e.selectionEnd))"
        assert await page.value(f"{selected}({by_id('editor')})") == "0"
        await fill(page, "editor", '{"do": "borrow"\n "book": 1}')
        assert await text(page, "#asyncapi-faults") == (
            "line 2, column 2 a comma or } is expected after this member"
        )
        assert await text(page, "#asyncapi-send") == "Send anyway"

        await fill(page, "editor", '{"do": "borrow", "request": 5, "book": 9007199254740993}')
        await click(page, "send")
        await fill(page, "message", "find")
        await click(page, "send")
        connecting, connected, borrow, borrowed, find, found = await log(page, 6)
        assert (connecting["way"], connected["text"]) == ("note", "connected")
        assert (borrow["name"], borrow["way"]) == ("borrow", "sent")
        assert borrow["text"] == '{"do": "borrow", "request": 5, "book": 9007199254740993}'
        assert (borrowed["name"], borrowed["way"]) == ("borrowed", "received")
        assert borrowed["answers"] == borrow["text"]
        assert borrowed["milliseconds"] == borrow["answered"] >= 0
        assert '"book":9007199254740993' in borrowed["text"]
        assert (found["name"], found["answers"]) == ("found", find["text"])
        assert "answered in" in await text(page, "#asyncapi-log li.sent .timing")

        await page.value(f"{by_id('log')}.focus()")
        for _ in range(4):
            await page.press("ArrowDown")
        await page.press("Enter")
        await page.until(f"{by_id('log')}.querySelector('li.received pre') !== null")
        assert '"book": 9007199254740993' in await text(page, "#asyncapi-log li.received pre")

        await session.post("reminder", {"did": "reminder", "due": [1], "fine": 0.1})
        reminder = (await log(page, 7))[-1]
        assert (reminder["name"], reminder.get("answers")) == ("reminder", None)
        await click(page, "switch")
        assert (await log(page, 8))[-1]["text"] == "closed: 1000, ended as intended"
        assert await text(page, "#asyncapi-status") == "not connected"
        assert page.complaints == []


async def test_the_log_is_filtered_paused_copied_saved_and_cleared(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    downloads = tmp_path / "downloads"
    async with mocked(SHOWCASE) as session, tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        await page.call("Browser.grantPermissions", permissions=["clipboardReadWrite"])
        await page.call(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads)
        )
        await connect(page, f"{session.url}/desks/main?language=en")
        for _ in range(2):
            await session.post("reminder", {"did": "reminder", "due": [12345678901234567]})
        await session.post("error", {"did": "error", "code": "UNKNOWN"})
        await log(page, 5)

        await fill(page, "filter", "remind")
        assert [row["hidden"] for row in await log(page, 5)] == [True, True, False, False, True]
        await click(page, "copy")
        await page.until(f"{by_id('copy')}.textContent === 'Copied'")
        copied = await page.value("navigator.clipboard.readText()")
        assert copied.count("12345678901234567") == 2
        assert [each["message"] for each in json.loads(copied)] == ["reminder", "reminder"]
        await click(page, "save")
        async with asyncio.timeout(10):
            while not (downloads / "messages.json").exists():  # noqa: ASYNC110 # by the browser
                await asyncio.sleep(0.02)
        assert (downloads / "messages.json").read_text("utf-8") == copied

        await fill(page, "filter", "")
        await click(page, "pause")
        await session.post("error", {"did": "error", "code": "NO_COPY"})
        await page.until(f"{by_id('log-note')}.textContent.includes('1 since the pause')")
        assert len(await log(page, 5)) == 5
        await click(page, "pause")
        assert len(await log(page, 6)) == 6
        await click(page, "clear")
        assert await page.value(f"{by_id('log')}.children.length") == 0
        assert page.complaints == []


async def test_what_is_no_message_and_what_fails_is_marked(tmp_path: Path) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"did": "dance"}')
        await socket.send_str('{"did": "reminder", "due": [], "fine": 12345678901234567890.10}')
        await socket.send_str("<b>no json</b>")
        await socket.send_bytes(b"\x01\xff")
        await socket.close(code=4002, message=b"go <i>away</i>")

    url = write(SHOWCASE, tmp_path)
    async with server(talk) as address, tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        await click(page, "try")
        await fill(page, "url", address)
        await click(page, "switch")
        rows = await log(page, 7)
        odd, reminder, plain, binary, closed = rows[2:]
        assert odd["problem"] == "no message of the document"
        assert (reminder["name"], reminder["faults"]) == (
            "reminder", [{"pointer": "/due", "text": "has fewer than 1 element"}],
        )  # fmt: skip
        assert "12345678901234567890.10" in reminder["text"]
        assert plain["problem"] == "no JSON"
        assert binary["problem"].startswith("a binary frame of 2 bytes")
        assert closed["text"] == "closed: 4002, a code of this server: “go <i>away</i>”"
        # The rows are there before the page is laid out, and only then they have a text.
        await page.until("document.querySelector('#asyncapi-log').innerText !== ''")
        shown = await text(page, "#asyncapi-log")
        assert shown.count("fails its schema") == 1
        assert "<b>no json</b>" in shown
        await fill(page, "kind", "faulty")
        assert [row["hidden"] for row in await log(page, 7)] == [True] * 2 + [False] * 4 + [True]

        await fill(page, "url", "ws://127.0.0.1:9/")
        await click(page, "switch")
        last = (await log(page, 9))[-1]
        assert last["text"].startswith("closed: could not be opened")
        await fill(page, "url", "http://a.example/")
        await click(page, "switch")
        assert "ws://" in await text(page, "#asyncapi-connect-note")


async def test_a_fast_feed_leaves_the_page_usable(tmp_path: Path) -> None:
    count = 20_000

    async def talk(socket: web.WebSocketResponse) -> None:
        for number in range(count):
            await socket.send_str(f'{{"did": "reminder", "due": [{number + 1}]}}')
        await socket.receive()

    url = write(SHOWCASE, tmp_path)
    async with server(talk) as address, tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        await page.value(
            f"""(() => {{ window.between = new Set();
            setInterval(() => window.between.add({by_id("log")}.lastChild?.record.number), 10);
            }})()"""
        )
        await connect(page, address)
        await page.until(f"{by_id('log')}.lastChild?.record.text.includes('[{count}]')", seconds=40)
        rows = await page.value(f"{by_id('log')}.children.length")
        assert 1_000 < rows <= 2_000
        assert "older ones are left out" in await text(page, "#asyncapi-log-note")
        assert await page.value("window.between.size") > 10, "timers run while messages come"
        assert page.complaints == []


async def test_a_page_works_from_any_server(tmp_path: Path) -> None:
    html = render.page(describe(SHOWCASE))

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def echo(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            await socket.send_str(message.data)

    async with server(echo, show) as address, tab(str(CHROMIUM), tmp_path / "profile") as opened:
        origin = address.replace("ws", "http", 1)
        await opened.show(f"{origin}page", DESKTOP)
        await click(opened, "try")
        names = await opened.value(f"[...{by_id('server')}.options].map(each => each.text)")
        assert names == ["main", "staff", "the host of this page"]
        await fill(opened, "server", "2")
        assert await opened.value(f"{by_id('url')}.value") == f"{address}desks/main?language=en"
        await click(opened, "switch")
        await opened.until(f"{by_id('status')}.dataset.state === 'open'")
        await click(opened, "send")
        assert (await log(opened, 4))[-1]["problem"] == "no message of the document"
        assert {url for url in opened.requests if not url.startswith("data:")} == {
            f"{origin}page", f"{address}desks/main?language=en",
        }  # fmt: skip
        assert opened.complaints == []


async def test_servers_channels_and_messages_follow_each_other(tmp_path: Path) -> None:
    url = write(DOCUMENTS / "market_3.1.yaml", tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        await click(page, "try")
        servers = await page.value(f"[...{by_id('server')}.options].map(each => each.text)")
        offered = []
        for number in range(len(servers)):
            await page.value(
                f"(() => {{ {by_id('server')}.selectedIndex = {number};"
                f" {by_id('server')}.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
            )
            names = await page.value(f"[...{by_id('message')}.options].map(each => each.value)")
            offered.append((await page.value(f"{by_id('url')}.value"), names))
        assert len({address for address, _ in offered}) == len(servers)
        assert len({tuple(names) for _, names in offered}) > 1
