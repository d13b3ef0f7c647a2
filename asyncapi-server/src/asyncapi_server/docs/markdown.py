"""Markdown of documents as HTML, which nobody has to trust.

HTML in it is shown as text, links lead to web pages, mail addresses and relative places, and images
are shown as their descriptions: a page loads nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from asyncapi_server.docs import code
from asyncapi_server.docs.anchors import Anchors, slug

MAX_CHARS = 50_000
"""Longer texts are shown as they are written: reading them may take time that grows faster."""
SCHEMES = frozenset({"http", "https", "mailto"})
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered text."""

    html: str
    headings: tuple[Heading, ...] = ()


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # its name there
        """Whether an address may be linked."""
        scheme = _SCHEME.match(url)
        return scheme is None or scheme[1].lower() in SCHEMES


def text(source: str, *, anchors: Anchors, level: int = 2, prefix: str = "") -> Text:
    """Render a text. Its highest headings get `level`, and their ids begin with `prefix`."""
    if len(source) > MAX_CHARS:
        return Text(f'<p class="plain">{escape(source, quote=False)}</p>\n')
    tokens = _parser.parse(source)
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    shift = level - min(levels, default=level)
    headings: list[Heading] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            # No level is left out, so that the outline of the page is whole.
            above = headings[-1].level if headings else level - 1
            own = min(6, int(opening.tag[1]) + shift, above + 1)
            anchor = anchors.of(prefix + (slug(_plain(inline)) or "section"))
            headings.append(Heading(own, _plain(inline), anchor))
            opening.tag = f"h{own}"
            opening.attrSet("id", anchor)
        elif inline.type == "heading_close":
            inline.tag = f"h{headings[-1].level}"
            inline.meta["heading"] = headings[-1]
    return Text(_parser.renderer.render(tokens, _parser.options, {}), tuple(headings))


@lru_cache(maxsize=10_000)
def inline(source: str) -> str:
    """Render a text as HTML without headings; a single paragraph without its tags."""
    if len(source) > MAX_CHARS:
        return escape(source, quote=False)
    tokens = _parser.parse(source)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
    html: str = _parser.renderer.render(tokens, _parser.options, {}).strip()
    single = html.count("<p>") == 1 and html.startswith("<p>") and html.endswith("</p>")
    return html[3:-4] if single else html


def plain(source: str) -> str:
    """The words of the first paragraph of a text."""
    first = next((token for token in _parser.parse(source[:MAX_CHARS]) if token.children), None)
    return "" if first is None else _plain(first)


def _fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    language = token.info.strip().partition(" ")[0]
    return code.block(token.content.rstrip("\n"), language if language.isalnum() else "")


def _heading_close(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """The end of a heading, with a link to it where it has an id."""
    token = tokens[index]
    heading: Heading | None = token.meta.get("heading")
    if heading is None:
        return f"</{token.tag}>\n"
    label = escape(f"Link to {heading.text}")
    link = f'<a class="anchor" href="#{heading.anchor}" aria-label="{label}">#</a>'
    return f" {link}</{token.tag}>\n"


def _link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noreferrer")
    return str(renderer.renderToken(tokens, index, options, env))


def _image(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    words = escape(_plain(tokens[index]) or "image")
    return f'<span class="image">{words}</span>'


def _table(*_: Any) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_end(*_: Any) -> str:
    return "</table></div>\n"


def _plain(token: Token) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content or _plain(child)
        for child in token.children or ()
    )


_parser = _Parser("commonmark", {"html": False}).enable(["table", "strikethrough"])
_parser.add_render_rule("fence", _fence)
_parser.add_render_rule("code_block", _fence)
_parser.add_render_rule("heading_close", _heading_close)
_parser.add_render_rule("link_open", _link)
_parser.add_render_rule("image", _image)
_parser.add_render_rule("table_open", _table)
_parser.add_render_rule("table_close", _table_end)
