"""The console in a real browser, on a real server that is fed by the simulated exchange."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.axe import violations
from support.browser import DESKTOP, PHONE, Tab
from tests.console.conftest import ABSENT, SYMBOLS, World
from tests.console.tools import NEEDS_CHROMIUM

pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
COMPLETE = "document.querySelector('.panel .state')?.dataset.state === 'complete'"
TABLE = """[...document.querySelectorAll('#table tbody tr')]
  .map(row => [...row.cells].map(cell => cell.textContent))"""
RANGE = "document.querySelector('[open] > .files p')?.textContent"
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
ADDRESS = "location.pathname + location.search + location.hash"


async def opened(page: Tab, world: World, query: str, width: int = DESKTOP, **how: bool) -> None:
    """Show the console, and wait until its first chart has its candles."""
    await page.show(f"{world.url}/console{query}", width, **how)
    await page.until(COMPLETE)
    await page.until("!document.querySelector('[data-part=values]').hidden")


async def typed(page: Tab, text: str) -> None:
    for key in text:
        await page.press(key)


async def table(page: Tab) -> list[list[str]]:
    """The candles of the chart in use, newest first, by its table."""
    await page.press("d")
    rows: list[list[str]] = await page.until(f"(rows => rows.length && rows)({TABLE})")
    await page.press("Escape")
    await page.until("!document.querySelector('dialog[open]')")
    return rows


async def as_rows(world: World, symbol: str, timeframe: int) -> list[list[str]]:
    """What the table has to show, by REST."""
    text = await world.get(f"data/candles/{symbol}", timeframe=timeframe, limit=100)
    candles = text["data"]
    prices = [[str(each[name]) for name in ("open", "high", "low", "close")] for each in candles]
    places = max(len(price.partition(".")[2]) for row in prices for price in row)
    return [
        [
            f"{datetime.fromtimestamp(each['candle_time'] / 1000, UTC):%Y-%m-%d %H:%M}",
            *(padded(price, places) for price in row),
            str(each["volume"]),
            f"{each['trades_count']:,}",
        ]
        for each, row in zip(reversed(candles), reversed(prices), strict=True)
    ]


def padded(price: str, places: int) -> str:
    whole, _, fraction = price.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}"


async def visible(page: Tab) -> tuple[datetime, datetime]:
    """The first and the last time in sight, by the export."""
    await page.value(DRAWN)
    await page.press("e")
    text = await page.until(RANGE)
    await page.press("Escape")
    first, last = text.removesuffix(" UTC").split(" to ")
    return datetime.fromisoformat(f"{first}+00:00"), datetime.fromisoformat(f"{last}+00:00")


async def test_the_root_leads_here_and_173_is_typed(page: Tab, world: World) -> None:
    await page.show(f"{world.url}/", DESKTOP)
    await page.until(COMPLETE)
    assert await page.value(ADDRESS) == "/console?chart=BTCUSDT:1"
    badge = await page.until(
        "(b => !b.hidden && b.textContent)(document.getElementById('simulated'))"
    )
    assert badge == "SIMULATED"
    await typed(page, "173")
    await page.press("Enter")
    await page.until(f"{ADDRESS} === '/console?chart=BTCUSDT:173'")
    await page.until(COMPLETE)
    shown = await table(page)
    expected = await as_rows(world, "BTCUSDT", 173)
    assert len(expected) >= 7
    assert shown[1:] == expected[1:], "all but the running candle"
    assert shown[0][:2] == expected[0][:2], "the running candle"
    await page.value("history.back()")
    await page.until(f"{ADDRESS} === '/console?chart=BTCUSDT:1'")
    await page.until("document.querySelector('.timeframe').value === '1m'")


async def test_a_day_back_there_are_older_candles(page: Tab, world: World) -> None:
    await opened(page, world, "?chart=BTCUSDT:1")
    first, last = await visible(page)
    assert datetime.now(UTC) - last < timedelta(minutes=3)
    day_before = last - timedelta(hours=24)
    assert first > day_before
    for _ in range(80):
        await page.drag(".host", 400)
        if (await visible(page))[0] <= day_before:
            break
    first, _ = await visible(page)
    assert first <= day_before
    link = await page.value("document.querySelector('.files a[download$=csv]').href")
    lines = (await page.value(f"fetch({json.dumps(link)}).then(r => r.text())")).splitlines()
    assert lines[0].startswith('"candle_time","open"')
    assert int(lines[1].split(",")[0]) == first.timestamp() * 1000
    await page.press("End")
    assert datetime.now(UTC) - (await visible(page))[1] < timedelta(minutes=3)


async def test_everything_by_keys(page: Tab, world: World) -> None:
    await opened(page, world, "?chart=BTCUSDT:5")
    await page.until("document.querySelectorAll('.line').length")
    await typed(page, "/ethusdt")
    await page.until("document.querySelector('.line .name')?.textContent === 'ETHUSDT'")
    await page.press("Enter")
    await page.until(f"{ADDRESS} === '/console?chart=ETHUSDT:5'")
    await page.press("o")
    await typed(page, "sma 20")
    await page.press("Enter")
    await page.until("document.querySelector('.overlay output').textContent > ''")
    await page.press("Escape")
    await page.press("c")
    await page.press("l")
    await page.press("]")
    await typed(page, "4h")
    await page.press("Enter")
    expected = "?chart=ETHUSDT:5:line:sma20&chart=ETHUSDT:240:line:sma20"
    await page.until(f"{ADDRESS} === '/console{expected}'")
    await page.press("[")
    await page.press("ArrowLeft")
    await page.press("g")
    await page.until(
        "document.querySelector('#operator [data-part=health]').textContent === 'healthy'"
    )
    assert await page.value("location.hash") == "#operator"
    await page.press("Escape")
    await page.until("document.getElementById('operator').hidden")
    await page.press("?")
    assert await page.value("document.getElementById('help').open")
    await page.press("Escape")
    await typed(page, "0")
    await page.press("Enter")
    assert await page.value("document.querySelector('.timeframe:focus').validationMessage")
    await page.press("Escape")


async def test_an_address_shows_the_same_again(page: Tab, world: World) -> None:
    query = "?chart=BTCUSDT:173:ema5&chart=ETHUSDT:60:line&chart=SOLUSDT:15&chart=BTCUSDT:1:vwap"
    await opened(page, world, query)
    await page.until("document.querySelectorAll('.panel').length === 4")
    names = "[...document.querySelectorAll('.panel')].map(p => p.getAttribute('aria-label')).join()"
    assert await page.value(names) == (
        "Chart of BTCUSDT 173m,Chart of ETHUSDT 1h,Chart of SOLUSDT 15m,Chart of BTCUSDT 1m"
    )
    chips = "[...document.querySelectorAll('.overlay')].map(o => o.dataset.overlay).join()"
    assert await page.value(chips) == "ema5,vwap"
    sockets = [url for url in page.requests if url.endswith("/ws/stream")]
    assert len(sockets) == 1


async def test_an_older_candle_is_corrected(page: Tab, world: World) -> None:
    await opened(page, world, f"?chart={ABSENT}:1")
    before = await table(page)
    assert (await world.exchange.state())["symbols"][ABSENT]["missing"]
    await world.exchange.order("found", symbol=ABSENT)
    await page.press("d")
    changed = f"{TABLE}.filter(r => kept[r[0]] !== undefined && kept[r[0]] !== r.join())"
    kept = {row[0]: ",".join(row) for row in before[3:]}
    await page.value(f"globalThis.kept = {json.dumps(kept)}")
    rows = await page.until(f"(rows => rows.length && rows)({changed})", 60)
    await page.press("Escape")
    expected = {row[0]: row for row in await as_rows(world, ABSENT, 1)}
    for row in rows:
        assert row == expected[row[0]]


async def test_the_connection_comes_back(page: Tab, world: World) -> None:
    await opened(page, world, "?chart=BTCUSDT:1:sma9")
    await world.stop()
    await page.until("document.querySelector('.panel .state').textContent === 'connection lost'")
    assert await page.value("document.getElementById('connection').dataset.state") == "lost"
    page.complaints.clear()  # the browser's own of the connections that it could not make
    await world.start()
    await page.until(COMPLETE, 60)
    page.complaints.clear()
    shown = await table(page)
    expected = {row[0]: row for row in await as_rows(world, "BTCUSDT", 1)}
    assert all(row == expected[row[0]] for row in shown[2:60])


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
async def test_it_fits_and_complains_of_nothing(
    page: Tab, world: World, width: int, dark: bool
) -> None:
    page.complaints.clear()
    for query in ("?chart=BTCUSDT:5:sma20:vwap", "?chart=BTCUSDT:5:line&chart=ETHUSDT:60"):
        await page.show(f"{world.url}/console{query}", width, dark=dark)
        await page.until(COMPLETE)
        assert not await page.value(TOO_WIDE), query
    assert page.complaints == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing(page: Tab, world: World, dark: bool) -> None:
    found: list[Any] = []
    for query, width, steps in (
        ("?chart=BTCUSDT:5:sma20:vwap", DESKTOP, ""),
        ("?chart=BTCUSDT:5:sma20", DESKTOP, "?"),
        ("?chart=BTCUSDT:5:sma20", DESKTOP, "d"),
        ("?chart=BTCUSDT:5:sma20", DESKTOP, "e"),
        ("?chart=BTCUSDT:5&chart=ETHUSDT:60&chart=NONEUSDT:1&chart=SOLUSDT:1", DESKTOP, ""),
        ("?chart=BTCUSDT:5#operator", DESKTOP, ""),
        ("?chart=BTCUSDT:5:sma20", PHONE, ""),
        ("?chart=BTCUSDT:5:sma20", PHONE, "/"),
    ):
        await page.show(f"{world.url}/console{query}", width, dark=dark)
        await page.until(COMPLETE)
        await page.until(
            "document.querySelectorAll('.line').length || innerWidth < 700 || location.hash"
        )
        if "operator" in query:
            await page.until(
                "document.querySelectorAll('#operator tbody[data-part=symbols] tr').length"
            )
        await typed(page, steps)
        found += [(query, steps, each) for each in await violations(page)]
    assert found == []


async def test_the_system_and_the_reader_choose_the_theme(page: Tab, world: World) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    await opened(page, world, "?chart=BTCUSDT:5", dark=True)
    dark = await page.value(ground)
    await page.press("t")
    light = await page.value(ground)
    assert light != dark
    await opened(page, world, "?chart=BTCUSDT:5", dark=True)
    assert await page.value(ground) == light, "the choice is kept"
    await page.press("t")
    await page.prefer(dark=False)
    assert await page.value(ground) == light, "the system's"


async def test_of_many_symbols_only_those_in_sight_are_in_the_page(page: Tab, world: World) -> None:
    await opened(page, world, "?chart=BTCUSDT:5")
    count = "document.querySelector('#symbols > [data-part=count]').textContent"
    await page.until(f"{count} === '{len(SYMBOLS)} symbols'")
    rows = "[...document.querySelectorAll('.line .name')].map(name => name.textContent)"
    first = sorted(SYMBOLS)[0]
    shown = await page.until(f"(names => names.includes('{first}') && names)({rows})")
    assert len(shown) < len(SYMBOLS) / 2
    await page.click("#symbol-list")
    last = sorted(SYMBOLS)[-1]
    await page.value("document.getElementById('symbol-list').focus()")
    await page.press("End")
    shown = await page.until(f"(names => names.includes('{last}') && names)({rows})")
    assert first not in shown
    await page.press("Enter")
    await page.until(f"{ADDRESS} === '/console?chart={last}:5'")


async def test_a_symbol_is_followed_no_longer_and_again(page: Tab, world: World) -> None:
    symbol = SYMBOLS[-1]
    await opened(page, world, f"?chart={symbol}:1")
    await page.press("g")
    button = f"button[value={symbol}]"
    await page.until(f"document.querySelector('{button}') !== null")
    await page.value(f"document.querySelector('{button}').scrollIntoView()")
    await page.click(button)
    await page.until(f"document.querySelector('{button}').textContent === 'Confirm'")
    await page.click(button)
    await page.until(f"!document.querySelector('{button}')")
    followed = {each["symbol"] for each in (await world.get("tickers/"))["data"]}
    assert followed == set(SYMBOLS) - {symbol}
    await page.press("Escape")
    await page.until("document.querySelector('.panel .state').textContent === 'not followed'")
    await typed(page, f"/{symbol.lower()}")
    await page.until("!document.querySelector('.find [data-part=follow]').hidden")
    await page.press("Enter")
    await page.until(COMPLETE, 30)


async def test_the_log_is_followed(page: Tab, world: World) -> None:
    page.complaints.clear()
    log = logging.getLogger(__name__)
    log.warning("one line")
    await opened(page, world, "?chart=BTCUSDT:60", PHONE)
    await page.press("g")
    text = "document.querySelector('#operator [data-part=log]').textContent"
    await page.until(f"{text}.includes('{__name__}: one line')")
    log.warning("another line")
    await page.until(f"{text}.endsWith('{__name__}: another line')")
    assert not await page.value("(all => all.scrollWidth > all.clientWidth)(operator)")
    assert page.complaints == []


async def test_a_page_that_is_left_has_no_connection(page: Tab, world: World) -> None:
    await opened(page, world, "?chart=BTCUSDT:1")
    await page.show(f"{world.url}/licences.html", DESKTOP)
    await page.value("history.back()")
    await page.until("location.pathname === '/console'")
    await page.until("document.getElementById('connection')?.dataset.state === 'live'")
    await page.until(COMPLETE)
    await page.show("about:blank", DESKTOP)
    for _ in range(100):
        connections = (await world.get("admin/websocket/connections"))["data"]
        if not connections["total_connections"]:
            break
        await asyncio.sleep(0.1)
    assert connections["connections"] == []
