"""The console, and Swagger UI, on a server that asks for keys."""

from __future__ import annotations

from pathlib import Path

from generated.native.facts import DataQuality
from support.browser import DESKTOP, Tab, tab
from tests.console.tools import CHROMIUM, NEEDS_CHROMIUM
from tests.running import server, settings, simulator, until
from tests.server.keyring import Keyed

pytestmark = NEEDS_CHROMIUM
FORM = "document.querySelector('[data-part=key-form]')"
CLIENTS = "document.querySelector('[data-part=clients]')?.textContent"
COMPLETE = "document.querySelector('.panel .state')?.dataset.state === 'complete'"
OPERATION = "#operations-admin-get_websocket_status"


async def test_pages_take_a_key_and_keep_it_in_their_tab(tmp_path: Path) -> None:
    path, profile = tmp_path / "keys.json", tmp_path / "browser"
    profile.mkdir()
    keyed = {"keys_file": str(path), "anonymous": "none"}
    async with simulator("--symbols", "BTCUSDT", "--rate", "5") as exchange:
        chosen = settings(exchange, tmp_path, symbols="BTCUSDT", history="10m", **keyed)
        async with server(chosen) as (running, url), tab(str(CHROMIUM), profile) as page:
            keys = Keyed(running, url, path)
            feed = running.provider.feeds["BTCUSDT"]
            await until(lambda: feed.status.quality is DataQuality.COMPLETE)
            await console(page, keys)
            await swagger(page, keys)


async def console(page: Tab, keys: Keyed) -> None:
    """The operator's view asks for a key, by which the charts get their candles too."""
    await page.show(f"{keys.url}/console?chart=BTCUSDT:1#operator", DESKTOP)
    await page.until(f"{FORM} && !{FORM}.hidden")
    await page.click("[data-part=key]")
    await page.write(keys.admin)
    await page.click("[data-part=key-form] button")
    await page.until(f"{CLIENTS} === '1' && {FORM}.hidden")
    kept = await page.value("location.href + JSON.stringify({...localStorage}) + document.cookie")
    assert keys.admin not in kept
    await page.show(f"{keys.url}/console?chart=BTCUSDT:1", DESKTOP)
    await page.until(COMPLETE)


async def swagger(page: Tab, keys: Keyed) -> None:
    """ "Authorize" takes the key, and the requests of the page present it."""
    await page.show(f"{keys.url}/docs", DESKTOP)
    await pressed(page, ".btn.authorize")
    await page.until("!!document.querySelector('.auth-container input')")
    await page.click(".auth-container input")
    await page.write(keys.admin)
    await pressed(page, ".auth-container .btn.authorize")
    await pressed(page, ".auth-btn-wrapper .btn-done")
    for part in (".opblock-summary-control", ".try-out__btn", ".execute"):
        await pressed(page, f"{OPERATION} {part}")
    cell = f"document.querySelector('{OPERATION} .live-responses-table tbody td')"
    assert (await page.until(f"{cell}?.textContent")).startswith("200")


async def pressed(page: Tab, selector: str) -> None:
    """Press a button once it is there, wherever the page is scrolled to."""
    await page.until(f"!!document.querySelector('{selector}')")
    await page.value(f"document.querySelector('{selector}').click()")
