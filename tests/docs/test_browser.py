"""A real browser shows each page whole, on a desk and on a phone, and complains of nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.axe import violations
from support.browser import DESKTOP, PHONE, Tab, tab
from support.pages import TOO_WIDE, click, connect, log
from tests import running
from tests.docs.pages import PAGES

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)"
    ),
    pytest.mark.asyncio(loop_scope="module"),
]
GUIDE = "/guides/first-subscription.html"
MAX_RECEIVED = 1_200_000
"""Bytes for the page at /docs, as they are transferred."""
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
LIGHT_UP, LIGHT_DOWN, DARK_UP, DARK_DOWN = "20,121,91", "185,58,50", "79,199,159", "255,139,128"
INTERFACES = {"/docs": ".opblock-summary", "/redoc": ".redoc-wrap h2"}
"""The pages of other programs, and what is there once they have drawn the document."""
UNFOLD = """(() => {
  document.querySelector('.opblock-summary-control').click();
  return new Promise(done => setTimeout(() => {
    document.querySelector('.try-out__btn').click();
    setTimeout(done, 300, true);
  }, 300));
})()"""
BRIGHTNESS = """(selector => {
  for (let part = document.querySelector(selector); part; part = part.parentElement) {
    const [red, green, blue, alpha = 1] =
      getComputedStyle(part).backgroundColor.match(/[\\d.]+/g).map(Number);
    if (alpha) return (red + green + blue) / 3;
  }
})(%s)"""
COPIES = """[...document.querySelectorAll('#content pre > code')].every(code =>
  code.closest('figure, .code-block').querySelectorAll('button.copy').length === 1)"""
FIRST = "[...document.querySelectorAll('[role=option]')].map(each => each.href)[0]"
SHOWN = "document.querySelectorAll('.found:not([hidden]) [role=option]').length"
CHOSEN = "document.querySelector('[role=option][aria-selected=true]')?.id"
TARGET = "document.querySelector(':target')?.id"
FOCUSED = "document.activeElement.getAttribute('role')"
CODE = "document.querySelector('#content .language-js').textContent"
COPIED = "document.querySelector('.code-block .language-js').closest('.code-block').children[1]"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a server."""
    async with running.simulator("--symbols", "BTCUSDT") as exchange:
        chosen = running.settings(
            exchange, tmp_path_factory.mktemp("server"), symbols="BTCUSDT", history="15m",
            requests_per_minute="100000", request_burst="100000",
        )  # fmt: skip
        async with running.server(chosen) as (_, address):
            yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with tab(str(CHROMIUM), tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Tab) -> AsyncIterator[Tab]:
    """A tab that has to be without complaints in the end."""
    yield browser
    assert browser.complaints == []


async def test_pages_fit_and_have_no_barriers(page: Tab, url: str) -> None:
    for path in PAGES:
        for width, dark in ((DESKTOP, False), (PHONE, True)):
            await page.show(f"{url}{path}", width, dark=dark)
            assert not await page.value(TOO_WIDE), f"{path} is wider than {width}"
            assert await violations(page) == [], f"{path} at {width}"
        assert await page.value(COPIES), f"{path} has code without a button"


async def test_the_start_page_draws_live_candles_in_both_themes(page: Tab, url: str) -> None:
    await page.show(f"{url}/index.html", DESKTOP)
    async with asyncio.timeout(30):
        assert {LIGHT_UP, LIGHT_DOWN} & set(await page.value(DRAWN))
        assert await page.value("document.getElementById('live-symbol').textContent") == (
            "BTCUSDT 1m"
        )
        await page.click(".bar .theme")
        assert {DARK_UP, DARK_DOWN} & set(await page.value(DRAWN))
    await page.click(".bar .theme")


async def test_the_console_of_a_reference_speaks_to_the_server(page: Tab, url: str) -> None:
    await page.show(f"{url}/reference/stream.html", DESKTOP)
    await page.value("document.querySelector('button[data-try=ping]').click()")
    await connect(page, f"{url.replace('http', 'ws', 1)}/ws/stream")
    await click(page, "send")
    ping, pong = (await log(page, 4))[-2:]
    assert (ping["name"], pong["name"], pong["faults"]) == ("ping", "pong", [])
    assert pong["answers"] == ping["text"]


@pytest.mark.parametrize(
    ("words", "path", "anchor"),
    [
        ("initial_history", "/reference/stream.html", "initial_history"),
        ("CANDLECAST_KEEP_TRADES", "/reference/settings.html", "CANDLECAST_KEEP_TRADES"),
        ("keep trades", "/reference/settings.html", "CANDLECAST_KEEP_TRADES"),
        ("frames", "/guides/frames.html", ""),
        ("loading four st", "/guides/loading-and-gaps.html", "the-four-states"),
        ("newest trades", "/reference/rest.html", "get_latest_trades"),
        ("kline", "/reference/binance-stream.html", "kline"),
    ],
)
async def test_the_search_leads_to_what_is_asked_for(
    page: Tab, url: str, words: str, path: str, anchor: str
) -> None:
    await page.show(f"{url}{GUIDE}", DESKTOP)
    assert not any("search.json" in each for each in page.requests)
    await page.press("/")
    assert await page.value(FOCUSED) == "combobox"
    await page.write(words)
    await page.until(SHOWN)
    assert await page.value(FIRST) == f"{url}{path}{'#' if anchor else ''}{anchor}"
    assert await page.value("document.querySelector('[role=option] mark') !== null")
    await page.press("Enter")
    await page.until(
        f"location.pathname === {json.dumps(path)} && document.readyState !== 'loading'"
    )
    await page.until(f"({TARGET} ?? '') === {json.dumps(anchor)}")


async def test_the_search_is_used_with_the_keyboard(page: Tab, url: str) -> None:
    for path, width, dark in ((GUIDE, DESKTOP, False), ("/reference/rest.html", PHONE, True)):
        await page.show(f"{url}{path}", width, dark=dark)
        await page.press("/")
        await page.write("symbol")
        await page.until(f"{SHOWN} > 5")
        assert await violations(page) == []
        assert not await page.value(TOO_WIDE)
        for key, chosen in (("ArrowDown", "found-1"), ("ArrowUp", "found-0")):
            await page.press(key)
            assert await page.value(CHOSEN) == chosen
            described = "document.activeElement.getAttribute('aria-activedescendant')"
            assert await page.value(described) == chosen
        await page.press("Escape")
        assert await page.value(SHOWN) == 0
        assert await page.value("document.querySelector('.bar input').value") == "symbol"
        await page.press("ArrowDown")
        await page.until(SHOWN)
        await page.write(" nothing-of-this-kind")
        await page.until("document.querySelector('.found p').textContent.startsWith('No page')")
        await page.press("Escape")
        await page.press("Escape")
        assert await page.value("document.activeElement === document.body")


async def test_code_has_the_address_of_the_page_and_is_copied_so(page: Tab, url: str) -> None:
    await page.call(
        "Browser.grantPermissions", origin=url,
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )  # fmt: skip
    await page.show(f"{url}{GUIDE}", DESKTOP)
    assert f"new WebSocket('{url.replace('http', 'ws', 1)}/ws/stream')" in await page.value(CODE)
    await page.value(f"{COPIED}.focus()")
    await page.press("Enter")
    await page.until(f"{COPIED}.textContent === 'Copied'")
    copied = await page.value("navigator.clipboard.readText()")
    assert copied == await page.value(CODE)
    assert "localhost:8080" not in await page.value("document.body.textContent")


@pytest.mark.parametrize("path", INTERFACES)
async def test_swagger_ui_and_redoc_follow_the_theme_and_lead_back(
    page: Tab, url: str, path: str
) -> None:
    drawn = f"document.querySelector({json.dumps(INTERFACES[path])}) !== null"
    ground = BRIGHTNESS % json.dumps(INTERFACES[path])
    for dark in (True, False):
        await page.show(f"{url}{path}", DESKTOP, dark=dark)
        await page.until(drawn)
        assert (await page.value(ground) < 60) is dark
        found = [each for each in await violations(page) if each.impact in ("critical", "serious")]
        assert found == [], f"{path}, dark: {dark}"
    await page.click(".bar .theme")
    await page.until(f"{drawn} && {ground} < 60")
    assert await page.value("localStorage.getItem('candlecast-theme')") == "dark"
    await page.click(".bar .home")
    await page.until("location.pathname === '/index.html' && document.readyState === 'complete'")
    assert await page.value(BRIGHTNESS % "'#content'") < 60
    await page.click(".bar .theme")
    assert await page.value("localStorage.getItem('candlecast-theme')") is None
    assert await page.value(BRIGHTNESS % "'#content'") > 200
    await page.show(f"{url}{path}", PHONE)
    await page.until(drawn)
    assert not await page.value(TOO_WIDE)


async def test_swagger_ui_has_no_barriers_when_a_request_is_tried(page: Tab, url: str) -> None:
    for dark in (False, True):
        await page.show(f"{url}/docs", DESKTOP, dark=dark)
        await page.until(f"document.querySelector('{INTERFACES['/docs']}') !== null")
        await page.value(UNFOLD)
        assert await page.until("document.querySelectorAll('.opblock select').length > 1")
        assert await violations(page) == []
        await page.value("document.querySelector('.btn.authorize').click()")
        await page.until("document.querySelector('.modal-ux input') !== null")
        assert await violations(page) == []


async def test_swagger_ui_is_small_on_the_wire(page: Tab, url: str) -> None:
    await page.call("Network.clearBrowserCache")
    await page.show(f"{url}/docs", DESKTOP)
    await page.until(f"document.querySelector('{INTERFACES['/docs']}') !== null")
    assert 300_000 < page.received < MAX_RECEIVED
