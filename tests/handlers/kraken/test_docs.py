"""The page about Kraken's API says what the server does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from server.settings import TABLE
from tests.handlers.kraken.conftest import Running
from tests.handlers.kraken.support import Client

PAGE = (Path(__file__).parents[3] / "docs" / "kraken.md").read_text("utf-8")
SAMPLE = re.compile(r"^> (\{.*\})\n< ((?:.*\n(?:   .*\n)*))", re.MULTILINE)


@pytest.mark.parametrize(("request_", "answer"), SAMPLE.findall(PAGE))
@pytest.mark.asyncio(loop_scope="module")
async def test_its_requests_get_its_answers(running: Running, request_: str, answer: str) -> None:
    expected = json.loads(answer)
    async with Client.connect(running.url) as client:
        assert await client.ask(json.loads(request_)) == expected


def test_it_has_samples_and_all_settings() -> None:
    assert len(SAMPLE.findall(PAGE)) == 2
    for setting in TABLE:
        if setting.name.startswith("kraken"):
            row = rf"\| `{setting.variable}` \| (`{re.escape(setting.default)}`)? ?\|"
            assert re.search(row, PAGE), setting.variable
