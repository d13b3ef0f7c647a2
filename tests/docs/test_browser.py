"""A real browser shows each page whole, on a desk and on a phone, and complains of nothing."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from support.browser import DESKTOP, PHONE, tab
from support.pages import click, connect, log
from tests import running
from tests.docs.pages import PAGES

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)"
)
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
DRAWN = """new Promise(done => {
  const look = () => {
    const canvas = document.getElementById('live-chart');
    const quality = document.getElementById('live-quality').textContent;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let at = 0; at < pixels.length; at += 4) {
      if (pixels[at + 3] === 255) colours.add(pixels.slice(at, at + 3).join());
    }
    if (quality === 'complete' && colours.size > 1) done([...colours]);
    else setTimeout(look, 100);
  };
  look();
})"""


async def test_pages_fit_and_the_start_page_draws_live_candles(tmp_path: Path) -> None:
    async with running.simulator("--symbols", "BTCUSDT") as exchange:
        chosen = running.settings(
            exchange, tmp_path, symbols="BTCUSDT", history="15m", requests_per_minute="100000",
            request_burst="100000",
        )  # fmt: skip
        async with running.server(chosen) as (_, url), tab(str(CHROMIUM), tmp_path / "p") as page:
            for path in PAGES:
                for width, dark in ((DESKTOP, False), (PHONE, True)):
                    await page.show(f"{url}{path}", width, dark=dark)
                    assert not await page.value(TOO_WIDE), f"{path} is wider than {width}"
            await page.show(f"{url}/index.html", DESKTOP)
            async with asyncio.timeout(30):
                rising, falling = "20,121,91", "185,58,50"
                assert {rising, falling} & set(await page.value(DRAWN))
            assert await page.value("document.getElementById('live-symbol').textContent") == (
                "BTCUSDT 1m"
            )
            await page.show(f"{url}/reference/stream.html", DESKTOP)
            await page.value("document.querySelector('button[data-try=ping]').click()")
            await connect(page, f"{url.replace('http', 'ws', 1)}/ws/stream")
            await click(page, "send")
            ping, pong = (await log(page, 4))[-2:]
            assert (ping["name"], pong["name"], pong["faults"]) == ("ping", "pong", [])
            assert pong["answers"] == ping["text"]
            assert page.complaints == []
