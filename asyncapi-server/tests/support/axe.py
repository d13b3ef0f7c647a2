"""axe-core, which finds the barriers of a page, in a browser's tab."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import node
from support.browser import Tab

FOLDER = Path(__file__).parents[1] / "docs"
"""Its `package.json` pins axe-core; the only one that does."""
MAX_SHOWN = 3
RUN = f"""axe.run(document, {{resultTypes: ['violations']}}).then(({{violations}}) =>
  violations.map(({{id, impact, nodes}}) => ({{rule: id, impact, places:
    nodes.slice(0, {MAX_SHOWN}).map(node => node.html), total: nodes.length}})))"""


class Violation(NamedTuple):
    """A rule that a page breaks."""

    rule: str
    impact: str
    """minor, moderate, serious or critical."""
    places: tuple[str, ...]
    """The first elements that break it, as HTML."""
    total: int
    """The number of such elements."""


async def violations(tab: Tab) -> list[Violation]:
    """The violations on the page as it is shown now. Skips the test without axe-core."""
    if not await tab.value("typeof axe === 'object'"):
        await tab.value(f"{_script()}; undefined")
    found: list[dict[str, Any]] = await tab.value(RUN)
    return [
        Violation(each["rule"], each["impact"], tuple(each["places"]), each["total"])
        for each in found
    ]


@cache
def _script() -> str:
    modules = node.modules(FOLDER)
    if modules is None:
        pytest.skip("needs axe-core of npm (npm ci in asyncapi-server/tests/docs)")
    return (modules / "axe-core" / "axe.min.js").read_text("utf-8")
