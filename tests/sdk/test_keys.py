"""Both clients present a key, over REST and on the stream."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from candlecast_client import AccessRefused, Client, RestError
from candlecast_client.errors import InvalidCall

from tests.running import server, settings, simulator
from tests.sdk.tools import built
from tests.server.keyring import Keyed

SCRIPT = Path(__file__).with_name("keyed.mjs")


@pytest.fixture
async def keys(tmp_path: Path) -> AsyncIterator[Keyed]:
    """A server that gives nothing without a key."""
    path = tmp_path / "keys.json"
    async with simulator("--symbols", "BTCUSDT", "--rate", "5") as exchange:
        chosen = settings(
            *(exchange, tmp_path),
            symbols="BTCUSDT",
            history="5m",
            keys_file=str(path),
            anonymous="none",
        )
        async with server(chosen) as (running, url):
            yield Keyed(running, url, path)


async def in_node(program: str, url: str, key: str) -> dict[str, object]:
    """The output of the TypeScript client."""
    process = await asyncio.create_subprocess_exec(
        *(program, str(SCRIPT), url, key), stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    said: dict[str, object] = json.loads(output)
    return said


async def test_both_clients_present_a_key(keys: Keyed) -> None:
    async with Client(keys.url, key=keys.reader) as client:
        assert (await client.rest.list_tickers()).success
        async with asyncio.timeout(60), client.candles("BTCUSDT", 1, history=2) as candles:
            assert (await anext(aiter(candles))).state in ("running", "closed")
    for refused in (None, keys.revoked):
        async with Client(keys.url, key=refused) as client:
            with pytest.raises(RestError) as failed:
                await client.rest.list_tickers()
            assert failed.value.status == 401
    async with Client(keys.url, key=keys.revoked) as client:
        with pytest.raises(AccessRefused, match="401"):
            await anext(aiter(client.candles("BTCUSDT", 1)))
    program = built()
    if program is None:
        pytest.skip("the TypeScript client needs Node 20 or newer and npm")
    known = await in_node(program, keys.url, keys.reader)
    assert known["rest"] is True
    assert known["stream"] in ("running", "closed")
    wrong = await in_node(program, keys.url, keys.revoked)
    assert str(wrong["rest"]).startswith("RestError: HTTP 401")
    assert str(wrong["stream"]).startswith("RequestRefused: UNAUTHORIZED")
    assert keys.revoked not in str(wrong)


def test_a_text_that_is_no_key_is_refused_before_it_is_sent() -> None:
    for text in ("", "two words", "line\nbreak", "é", "x" * 129):
        with pytest.raises(InvalidCall) as refused:
            Client("http://localhost:8080", key=text)
        assert not text or text not in str(refused.value)
