"""The one path to an endpoint or a message: the spec, the handler, and nothing else by hand."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.specs.copies import Copy

SPEAKS = "Candlecast serves "


def describe_endpoint(copy: Copy) -> None:
    """Add `GET /tickers/{symbol}/again`, which gives what `/tickers/{symbol}` gives."""
    path = copy.folder / "specs" / "openapi.yaml"
    document: Any = yaml.safe_load(path.read_text())
    old = document["paths"]["/tickers/{symbol}"]["get"]
    document["paths"]["/tickers/{symbol}/again"] = {"get": {**old, "operationId": "get_again"}}
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def describe_message(copy: Copy) -> None:
    """Add the request `hello`, which is answered by `pong`."""
    path = copy.folder / "specs" / "stream.asyncapi.yaml"
    document: Any = yaml.safe_load(path.read_text())
    components = document["components"]
    schema = components["schemas"]["Ping"]
    kind = {**schema["properties"]["action"], "enum": ["hello"]}
    properties = {**schema["properties"], "action": kind}
    components["schemas"]["Hello"] = {**schema, "properties": properties}
    components["messages"]["hello"] = {
        **components["messages"]["ping"],
        "payload": {"$ref": "#/components/schemas/Hello"},
        "examples": [{"name": "bare", "summary": "A hello", "payload": {"action": "hello"}}],
    }
    messages = document["channels"]["stream"]["messages"]
    messages["hello"] = {"$ref": "#/components/messages/hello"}
    document["operations"]["hello"] = {
        **document["operations"]["ping"],
        "messages": [{"$ref": "#/channels/stream/messages/hello"}],
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def write_handlers(copy: Copy) -> None:
    """Write the two functions that the checks have named."""
    tickers = copy.folder / "handlers" / "native" / "rest" / "tickers.py"
    tickers.write_text(
        tickers.read_text().replace(
            "    async def list_materialized_views",
            "    async def get_again(self, symbol: str) -> TickerEnvelope:\n"
            '        """One symbol."""\n'
            "        return await self.get_ticker(symbol)\n\n"
            "    async def list_materialized_views",
        )
    )
    requests = copy.folder / "handlers" / "native" / "requests.py"
    requests.write_text(
        requests.read_text()
        .replace("    FailedTimeframe,\n", "    FailedTimeframe,\n    Hello,\n")
        .replace(
            "    async def on_ping",
            "    async def on_hello(self, connection: Connection, message: Hello) -> Pong:\n"
            '        """Answer a hello."""\n'
            '        return Pong(type="pong", timestamp=host_ms(), client_timestamp=None)\n\n'
            "    async def on_ping",
        )
    )


@asynccontextmanager
async def serving(copy: Copy, folder: Path) -> AsyncIterator[str]:
    """The copy's server, fed by its simulator; gives its base URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cli", "serve"),
        cwd=copy.folder,
        env={**os.environ, "CANDLECAST_PORT": "0", "CANDLECAST_STORE": f"chdb:///{folder}/db"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith(SPEAKS), (await process.stderr.read()).decode()
        yield line.removeprefix(SPEAKS).strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_an_endpoint_and_a_message_take_a_spec_and_a_handler(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    describe_endpoint(copy)
    describe_message(copy)
    sound = copy.run("-m", "scripts.check_specs")
    assert sound.returncode == 0, sound.stderr
    copy.generate()

    missing = [line for line in copy.type_errors() if ": error: " in line]
    assert len(missing) == 2, missing
    assert any("get_again" in line for line in missing)
    assert any("on_hello" in line for line in missing)
    start = copy.run("-m", "server.cli", "serve")
    assert start.returncode != 0
    assert "on_hello" in start.stderr or "get_again" in start.stderr

    write_handlers(copy)
    assert copy.type_errors() == []
    assert copy.changed() == {
        "specs/openapi.yaml",
        "specs/stream.asyncapi.yaml",
        "handlers/native/rest/tickers.py",
        "handlers/native/requests.py",
    }
    async with serving(copy, tmp_path) as url, aiohttp.ClientSession(url) as session:
        answer = await (await session.get("/api/v1/tickers/BTCUSDT/again")).json()
        assert answer["data"]["symbol"] == "BTCUSDT"
        async with session.ws_connect("/ws/stream") as socket:
            await socket.send_json({"action": "hello", "request_id": "1"})
            pong = await socket.receive_json(timeout=20)
        assert (pong["type"], pong["request_id"]) == ("pong", "1")
