"""A headless Chromium that reports on pages by its debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)
ANSWER_SECONDS = 30.0
DRAG_STEPS = 8
PHONE = 390
DESKTOP = 1280
HEIGHT = 900
KEYS = {
    "Enter": 13, "Escape": 27, "Tab": 9, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
    "ArrowRight": 39, "ArrowDown": 40, "/": 191,
}  # fmt: skip
"""The codes of the keys that are pressed in tests; letters and digits have their character's."""


class Tab:
    """One page that is open."""

    def __init__(
        self, socket: ClientWebSocketResponse, session: str, numbers: itertools.count[int]
    ) -> None:
        self._socket, self._session, self._numbers = socket, session, numbers
        self.complaints: list[str] = []
        """The browser's log of the page: errors of scripts, refused or failed loads."""
        self.requests: list[str] = []
        """The URLs that were requested since the last page was shown."""
        self.received = 0
        """The bytes that came for them, with headers, as they were transferred."""
        self._loaded = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def call(self, method: str, **parameters: object) -> Any:
        """Call a method of the protocol; returns its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({**message, "sessionId": self._session})
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    async def show(self, url: str, width: int, *, dark: bool = False) -> None:
        """Load a page and wait until all of it is there."""
        for domain in ("Page", "Log", "Network", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=HEIGHT, deviceScaleFactor=1, mobile=width == PHONE,
        )  # fmt: skip
        await self.prefer(dark=dark)
        self._loaded.clear()
        self.requests.clear()
        self.received = 0
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._loaded.wait()

    async def prefer(self, *, dark: bool) -> None:
        """Let the system prefer a theme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def value(self, expression: str) -> Any:
        """The value of an expression of the page, awaited."""
        found = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True,
            userGesture=True,
        )  # fmt: skip
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, condition: str, seconds: float = 30.0) -> Any:
        """The value of an expression of the page, as soon as it counts as true."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := await self.value(condition)):  # noqa: ASYNC110  # a page's
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {condition}") from None
        return found

    async def press(self, key: str) -> None:
        """Press a key."""
        number = KEYS.get(key) or ord(key.upper())
        code = {"key": key, "windowsVirtualKeyCode": number, "nativeVirtualKeyCode": number}
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **code)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    async def write(self, text: str) -> None:
        """Write a text where the focus is."""
        await self.call("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse."""
        x, y = await self.middle(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self._mouse(kind, x, y)

    async def drag(self, selector: str, by: float) -> None:
        """Drag an element from its middle, to the right by a number of pixels, with the mouse."""
        x, y = await self.middle(selector)
        await self._mouse("mousePressed", x, y)
        for step in range(1, DRAG_STEPS + 1):
            await self._mouse("mouseMoved", x + by * step / DRAG_STEPS, y)
        await self._mouse("mouseReleased", x + by, y)

    async def middle(self, selector: str) -> tuple[float, float]:
        """The middle of an element in the window."""
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        x, y = await self.value(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
        return float(x), float(y)

    async def _mouse(self, kind: str, x: float, y: float) -> None:
        pressed = kind != "mouseMoved"
        await self.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
            buttons=int(kind != "mouseReleased"), clickCount=int(pressed),
        )  # fmt: skip

    async def picture(self) -> bytes:
        """What the window shows, as a PNG file."""
        found = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    def take(self, message: dict[str, Any]) -> None:
        """Take a message of the browser for this tab."""
        if "id" in message:
            waiting = self._waiting.pop(message["id"])
            if not waiting.done():
                waiting.set_result(message.get("result", message.get("error")))
            return
        method, parameters = message["method"], message["params"]
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            self.requests.append(parameters.get("url") or parameters["request"]["url"])
        elif method == "Network.loadingFinished":
            self.received += int(parameters["encodedDataLength"])
        elif method == "Runtime.exceptionThrown" or (
            method == "Log.entryAdded" and parameters["entry"]["level"] == "error"
        ):
            self.complaints.append(json.dumps(parameters))


@asynccontextmanager
async def tab(chromium: str, directory: Path) -> AsyncIterator[Tab]:
    """A tab of a fresh browser whose profile is in `directory`."""
    process = await asyncio.create_subprocess_exec(
        *(chromium, *OPTIONS, f"--user-data-dir={directory}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    rest: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            line = ""
            while not (address := re.search(r"ws://\S+", line)):
                line = (await process.stderr.readline()).decode()
        rest = asyncio.create_task(process.stderr.read())
        async with (
            ClientSession() as session,
            session.ws_connect(address[0], max_msg_size=0) as socket,
        ):
            numbers = itertools.count(1)
            opened = Tab(socket, await _open(socket, numbers), numbers)
            reader = asyncio.create_task(_read(socket, opened))
            try:
                yield opened
            finally:
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reader
    finally:
        process.terminate()
        await process.wait()
        if rest is not None:
            await rest


async def _open(socket: ClientWebSocketResponse, numbers: itertools.count[int]) -> str:
    target = await _ask(socket, numbers, "Target.createTarget", url="about:blank")
    attached = await _ask(
        socket, numbers, "Target.attachToTarget", targetId=target["targetId"], flatten=True
    )
    return str(attached["sessionId"])


async def _ask(
    socket: ClientWebSocketResponse,
    numbers: itertools.count[int],
    method: str,
    **parameters: object,
) -> Any:
    number = next(numbers)
    await socket.send_json({"id": number, "method": method, "params": parameters})
    async for message in socket:
        found = json.loads(message.data)
        if found.get("id") == number:
            return found["result"]
    raise ConnectionError("the browser is gone")


async def _read(socket: ClientWebSocketResponse, opened: Tab) -> None:
    async for message in socket:
        found = json.loads(message.data)
        if "sessionId" in found:
            opened.take(found)
