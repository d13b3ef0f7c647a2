"""The rendered site as the tests read it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from server.site import render
from server.site.pages import load_pages

ROOT = Path(__file__).parents[2]
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})


@dataclass(frozen=True)
class Block:
    """A block of code; `output` when it is what the block before it prints."""

    language: str
    text: str
    output: bool


@dataclass
class Read(HTMLParser):
    """The content of a page."""

    text: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._code: str | None = None
        self._language = ""
        self._says = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        self.links += [given[name] for name in ("href", "src") if name in given]
        if "id" in given:
            self.anchors.append(given["id"])
        if tag == "code" and self.open[-2] == "pre":
            self._code = ""
            self._language = given.get("class", "").removeprefix("language-")
        if tag == "p":
            self._says = given.get("class") == "says"

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:  # written as <img ... />
            return
        assert self.open.pop() == tag, f"</{tag}> closes nothing"
        if tag == "code" and self._code is not None:
            self.blocks.append(Block(self._language, self._code, self._says))
            self._code, self._says = None, False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._code is not None:
            self._code += data


def read(html: bytes) -> Read:
    page = Read()
    page.feed(html.decode())
    page.close()
    return page


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
