"""What tests do on a page in a browser."""

from __future__ import annotations

import json
from typing import Any

from support.browser import Tab

TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


def by_id(name: str) -> str:
    return f"document.getElementById('asyncapi-{name}')"


async def click(tab: Tab, name: str) -> None:
    """Click an element of the page's own."""
    await tab.value(f"{by_id(name)}.click()")


async def fill(tab: Tab, name: str, text: str) -> None:
    """Replace what an element of the page's own holds."""
    await tab.value(
        f"(() => {{ const field = {by_id(name)}; field.value = {json.dumps(text)};"
        " field.dispatchEvent(new Event('input', {bubbles: true}));"
        " field.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


async def text(tab: Tab, selector: str) -> str:
    """The text of an element."""
    found = await tab.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
    return " ".join(str(found).split())


async def connect(tab: Tab, url: str) -> None:
    """Open the console and connect it."""
    await tab.value(f"{by_id('console')}.hidden && {by_id('try')}.click()")
    await fill(tab, "url", url)
    await click(tab, "switch")
    await tab.until(f"{by_id('status')}.dataset.state === 'open'")


async def log(tab: Tab, count: int) -> list[dict[str, Any]]:
    """The rows of the log, as soon as there are so many."""
    rows = (
        f"[...{by_id('log')}.children].map(({{record, className, hidden}}) => ({{"
        "way: className, hidden, name: record.name, text: record.text, faults: record.faults,"
        " problem: record.problem, answers: record.request?.text, milliseconds:"
        " record.milliseconds, answered: record.answered}))"
    )
    found: list[dict[str, Any]] = await tab.until(
        f"(rows => rows.length >= {count} && rows)({rows})"
    )
    return found
