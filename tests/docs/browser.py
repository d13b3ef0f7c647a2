"""A headless Chromium that reports on a page by its debugging protocol."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)
ANSWER_SECONDS = 30.0
PHONE = 390
DESKTOP = 1280


class Tab:
    """One page that is open."""

    def __init__(
        self, socket: ClientConnection, session: str, numbers: itertools.count[int]
    ) -> None:
        self._socket, self._session, self._numbers = socket, session, numbers
        self.complaints: list[str] = []
        """The browser's log of the page: errors of scripts, refused or failed loads."""
        self._loaded = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def call(self, method: str, **parameters: object) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({**message, "sessionId": self._session}))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    async def show(self, url: str, width: int, *, dark: bool = False) -> None:
        """Load a page and wait until all of it is there."""
        for domain in ("Page", "Log", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width == PHONE,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._loaded.wait()

    async def value(self, expression: str) -> Any:
        """The value of an expression of the page, awaited."""
        found = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def take(self, message: dict[str, Any]) -> None:
        """A message of the browser for this tab."""
        if "id" in message:
            waiting = self._waiting.pop(message["id"])
            waiting.set_result(message.get("result", message.get("error")))
        elif message["method"] == "Page.loadEventFired":
            self._loaded.set()
        elif message["method"] == "Runtime.exceptionThrown" or (
            message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error"
        ):
            self.complaints.append(json.dumps(message["params"]))


@asynccontextmanager
async def tab(chromium: str, directory: Path) -> AsyncIterator[Tab]:
    """A tab of a fresh browser whose profile is in `directory`."""
    process = await asyncio.create_subprocess_exec(
        *(chromium, *OPTIONS, f"--user-data-dir={directory}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            line = ""
            while not (address := re.search(r"ws://\S+", line)):
                line = (await process.stderr.readline()).decode()
        rest = asyncio.create_task(process.stderr.read())
        async with connect(address[0], max_size=None) as socket:
            numbers = itertools.count(1)
            session = await _open(socket, numbers)
            opened = Tab(socket, session, numbers)
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
    await rest


async def _open(socket: ClientConnection, numbers: itertools.count[int]) -> str:
    target = await _ask(socket, numbers, "Target.createTarget", url="about:blank")
    attached = await _ask(
        socket, numbers, "Target.attachToTarget", targetId=target["targetId"], flatten=True
    )
    return str(attached["sessionId"])


async def _ask(
    socket: ClientConnection, numbers: itertools.count[int], method: str, **parameters: object
) -> Any:
    number = next(numbers)
    await socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
    async for text in socket:
        message = json.loads(text)
        if message.get("id") == number:
            return message["result"]
    raise ConnectionError("the browser is gone")


async def _read(socket: ClientConnection, opened: Tab) -> None:
    async for text in socket:
        message = json.loads(text)
        if "sessionId" in message:
            opened.take(message)
