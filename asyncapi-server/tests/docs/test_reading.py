"""A real browser reads pages from files: it finds, links, copies, fits and complains of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asyncapi_server.docs import describe, render
from support.axe import violations
from support.browser import DESKTOP, PHONE, Tab, tab
from support.pages import TOO_WIDE, by_id, click, fill, text
from support.rendered import CHROMIUM, NEEDS_CHROMIUM, SHOWCASE, SUITE, write
from support.rooms import DOCUMENTS

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=NEEDS_CHROMIUM),
    pytest.mark.asyncio(loop_factories=["asyncio"]),
]
SHOWN = [
    SHOWCASE,
    DOCUMENTS / "market_3.1.yaml",
    DOCUMENTS / "kraken_article_2.0.yaml",
    SUITE / "keywords-of-schemas-2.6.yaml",
    SUITE / "compositions-3.1.yaml",
    SUITE / "protocols-3.1.yaml",
    SUITE / "avro-3.0.yaml",
]
UNFOLDED = "document.querySelectorAll('details').forEach(fold => { fold.open = true; })"
MARKED = "document.querySelector(':target')?.id ?? ''"
VISIBLE = """(box => box.top >= 0 && box.bottom <= innerHeight)(
  document.getElementById({}).getBoundingClientRect())"""
CHOSEN = "document.querySelector('[role=option][aria-selected=true] .title')?.textContent"
GROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(16, 23, 28)", "rgb(255, 255, 255)"
READ_CLIPBOARD = ["clipboardReadWrite", "clipboardSanitizedWrite"]


async def test_pages_fit_and_load_nothing(tmp_path: Path) -> None:
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        for document in SHOWN:
            url = write(document, tmp_path)
            for width, dark in ((DESKTOP, False), (PHONE, True)):
                await page.show(url, width, dark=dark)
                await page.value(UNFOLDED)
                assert not await page.value(TOO_WIDE), f"{document.stem} is wider than {width}"
                await click(page, "try")
                assert not await page.value(TOO_WIDE), f"the console is wider than {width}"
                assert [each for each in page.requests if not each.startswith("data:")] == [url]
        assert page.complaints == []


async def test_pages_have_no_barriers(tmp_path: Path) -> None:
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        for document in SHOWN:
            url = write(document, tmp_path)
            for dark in (False, True):
                await page.show(url, DESKTOP, dark=dark)
                await page.value(UNFOLDED)
                assert await violations(page) == [], f"{document.stem}, dark: {dark}"
                if document is not SHOWCASE:
                    continue
                await click(page, "try")
                await fill(page, "editor", '{"do": 1}')
                assert await violations(page) == [], f"the console, dark: {dark}"
                await click(page, "find")
                await search(page, "a")
                assert await violations(page) == [], f"the search, dark: {dark}"
        index = tmp_path / "all.html"
        index.write_text(render.index([render.Listed(describe(SHOWCASE), "a.html")]), "utf-8")
        for shown, width in ((url, PHONE), (index.as_uri(), DESKTOP)):
            await page.show(shown, width)
            assert await violations(page) == [], f"{shown} at {width}"


async def search(page: Tab, words: str) -> None:
    await page.value(f"{by_id('search')}.querySelector('input').value = ''")
    await page.write(words)


async def test_the_search_finds_operations_messages_fields_and_texts(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        for words, first, target in (
            ("lend a book", "Lend a book", "operation-lend"),
            ("borrowed", "Borrowed", "borrowed"),
            ("until", "borrowed · until", "borrowed:until"),
            ("shelves", "find · shelf.shelves", "find:shelf.shelves"),
            ("all copies", "Ids", "about-ids"),
            ("town where", "town", "server-main:town"),
            ("staff", "staff", "server-staff"),
        ):
            await page.press("/")
            await search(page, words)
            assert await page.value(CHOSEN) == first, words
            await page.press("Enter")
            await page.until(f"location.hash.slice(1) === {json.dumps(target)}")
            assert await page.value(MARKED) == target
            await page.until(VISIBLE.format(json.dumps(target)))
        await page.press("/")
        await search(page, "nothing of this kind")
        assert await text(page, "#asyncapi-search [role=status]") == "0 found"
        await search(page, "book")
        before = await page.value(CHOSEN)
        await page.press("ArrowDown")
        assert await page.value(CHOSEN) != before
        await page.press("Escape")
        assert not await page.value(f"{by_id('search')}.open")
        assert page.complaints == []


async def test_a_deep_link_opens_what_it_is_in(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        targets = ("error:code", "find:author", "about-further-reading", "operation-remind")
        for number, target in enumerate(targets):
            await page.show(f"{url}?{number}#{target}", DESKTOP)
            assert await page.value(MARKED) == target
            await page.until(VISIBLE.format(json.dumps(target)))
        await page.value("document.querySelector('#borrow .anchor').click()")
        assert await page.value("location.hash") == "#borrow"
        await page.until("document.querySelector('.contents [aria-current]')?.hash === '#borrow'")


async def test_an_example_is_copied_as_it_stands(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        await page.call("Browser.grantPermissions", permissions=READ_CLIPBOARD)
        await page.call("Page.bringToFront")
        button = "document.querySelector('[data-message=borrow] figure .copy')"
        await page.value(f"{button}.click()")
        await page.until(f"{button}.textContent === 'Copied'")
        copied = await page.value("navigator.clipboard.readText()")
        assert json.loads(copied) == {"do": "borrow", "request": 1, "book": 2**53 + 1, "days": 7}


async def test_the_theme_is_that_of_the_system_until_it_is_chosen(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        for dark, ground in ((False, LIGHT), (True, DARK)):
            await page.show(url, DESKTOP, dark=dark)
            assert await page.value(GROUND) == ground
        await click(page, "theme")
        assert await page.value(GROUND) == LIGHT
        assert await page.value(f"{by_id('theme')}.ariaPressed") == "false"
        await page.show(url, DESKTOP, dark=True)
        assert await page.value(GROUND) == LIGHT, "the choice is kept"


async def test_everything_is_reached_by_keyboard(tmp_path: Path) -> None:
    url = write(SHOWCASE, tmp_path)
    async with tab(str(CHROMIUM), tmp_path / "profile") as page:
        await page.show(url, DESKTOP)
        reached = []
        for _ in range(6):
            await page.press("Tab")
            reached.append(await page.value("document.activeElement.textContent.trim()"))
        assert reached[:4] == ["To the content", "Search /", "Try it", "◐"]
        await page.value(f"{by_id('try')}.focus()")
        await page.press("Enter")
        assert await page.value("document.activeElement.id") == "asyncapi-url"
        await page.press("Escape")
        assert await page.value(f"{by_id('console')}.hidden")
        assert await page.value("document.activeElement.id") == "asyncapi-try"
