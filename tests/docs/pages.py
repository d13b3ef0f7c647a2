"""The rendered site as the tests read it."""

from __future__ import annotations

import posixpath
from pathlib import Path

from server.site import render
from server.site.pages import load_pages
from support.htmlpage import Block, Read, read

__all__ = ["PAGES", "ROOT", "SERVED", "SITE", "Block", "Read", "read", "target"]

ROOT = Path(__file__).parents[2]
SITE = render()
PAGES = {path: read(html) for path, html in SITE.items() if path.endswith(".html")}
SERVED = load_pages(
    (ROOT / "generated" / "openapi.json").read_bytes(), ROOT / "specs", SITE, ROOT / "generated"
)


def target(page: str, link: str) -> tuple[str, str]:
    """The path and the anchor that a link on a page leads to."""
    name, _, anchor = link.partition("#")
    folder = posixpath.dirname(page)
    return posixpath.normpath(posixpath.join(folder, name)) if name else page, anchor
