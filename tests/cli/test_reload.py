"""SIGHUP: the settings are read again while the server runs."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest.core.errors import SettingError
from server import settings
from tests.cli.programs import Program
from tests.running import simulator

FIRST = {"SYMBOLS": "BTCUSDT", "HISTORY": "1m", "PORT": "0", "LOG_FORMAT": "json"}


class Served:
    """A server whose settings are in a file, and the lines of its log."""

    def __init__(self, process: Process, url: str, file: Path) -> None:
        self.process = process
        self.url = url
        self.file = file

    def change(self, **values: str) -> None:
        """Write the file, and have it read."""
        self.write("".join(f"CANDLECAST_{k}={v}\n" for k, v in {**FIRST, **values}.items()))

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    async def logged(self, text: str) -> dict[str, Any]:
        """The next line that has a text."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while True:
                line: dict[str, Any] = json.loads(await self.process.stderr.readline())
                if text in line["message"]:
                    return line

    async def get(self, path: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as reply:
            return reply.status, await reply.json()

    async def symbols(self) -> list[str]:
        _, found = await self.get("/api/v1/tickers/")
        return [each["symbol"] for each in found["data"]]


async def test_a_changed_file_is_applied_where_it_can_be(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"CANDLECAST_{k}={v}\n" for k, v in FIRST.items()))
    async with simulator("--symbols", "BTCUSDT,ETHUSDT", "--rate", "1") as exchange:
        process = await Program(tmp_path, exchange, symbols="").start("serve")
        assert process.stdout is not None
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().split()[-1]
        served = Served(process, url, file)
        try:
            await applied(served)
            await refused(served)
            served.change(WHITELIST="203.0.113.7")
            line = await served.logged("CANDLECAST_WHITELIST")
            assert line["message"] == "CANDLECAST_WHITELIST is changed from now on"
            status, body = await served.get("/api/v1/tickers/")
            assert (status, body["error_code"]) == (403, "IP_NOT_ALLOWED")
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await process.communicate()
        assert process.returncode == 0


async def applied(served: Served) -> None:
    assert await served.symbols() == ["BTCUSDT"]
    served.change(SYMBOLS="ETHUSDT,NEW*", REQUEST_BURST="77")
    line = await served.logged("CANDLECAST_SYMBOLS is")
    assert line["message"] == "CANDLECAST_SYMBOLS is ETHUSDT,NEW* from now on"
    line = await served.logged("restart")
    assert line["message"].startswith("CANDLECAST_REQUEST_BURST has changed")
    assert await served.symbols() == ["ETHUSDT"]
    await served.logged("ETHUSDT is complete")


async def refused(served: Served) -> None:
    """Whatever is wrong with the file is named, and nothing changes."""
    for text, fault in (
        ("CANDLECAST_SYMBOLS=b@d\n", "CANDLECAST_SYMBOLS is 'b@d', but takes"),
        ("CANDLECAST_SYMBOLS=BTCUSDT\n= =\n", "Line 2 of .env is not NAME=value"),
        ("CANDLECAST_NONE=1\n", "There is no setting CANDLECAST_NONE"),
    ):
        served.write(text)
        line = await served.logged("The settings stay as they are")
        assert (line["level"], fault in line["message"]) == ("error", True), line
    served.file.unlink()
    served.process.send_signal(signal.SIGHUP)
    assert "no file .env" in (await served.logged("The settings stay"))["message"]
    served.change(SYMBOLS="ETHUSDT,NEW*", WHITELIST="")
    line = await served.logged("The addresses stay as they are")
    assert "would admit nobody" in line["message"]
    assert await served.symbols() == ["ETHUSDT"]


@pytest.mark.parametrize("content", [b"a b c = =\n", b"CANDLECAST_PORT=\xff\n"])
def test_a_file_that_cannot_be_read_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(SettingError, match=r"\.env is not"):
        settings.load({}, file)
