"""Markdown to HTML: heading anchors, links between pages, syntax highlighting."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from asyncapi_server.docs.code import COLOURS, block

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

_COLOURS = {
    **COLOURS,
    "python": re.compile(
        r"(?P<note>#[^\n]*)|(?P<text>[bf]?\"[^\"\n]*\"|[bf]?'[^'\n]*')"
        r"|(?P<word>\b(?:as|async|await|break|def|else|for|from|if|import|in|not|return|while|with"
        r"|None|True|False)\b)|(?P<number>\b\d[\d_.]*\b)"
    ),
    "js": re.compile(
        r"(?P<note>//[^\n]*)|(?P<text>'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`)"
        r"|(?P<word>\b(?:async|await|break|const|else|for|function|if|import|let|new|of|return"
        r"|null|true|false)\b)|(?P<number>\b\d[\d_.]*\b)"
    ),
    "sh": re.compile(
        r"(?P<note>(?:^|(?<=\s))#[^\n]*)|(?P<text>'[^']*'|\"[^\"]*\")"
        r"|(?P<word>^(?:curl|make|cd|export|\S*candlecast|\S*python)\b)",
        re.MULTILINE,
    ),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page, for its table of contents."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered text."""

    html: str
    title: str
    """The first heading of level one, which is not in `html`; "" without one."""
    headings: tuple[Heading, ...]


def text(
    source: str, *, shift: int = 0, prefix: str = "", link: Callable[[str], str] = str
) -> Text:
    """Render Markdown.

    `shift` is added to the levels of headings, `prefix` is prepended to their anchors, and `link`
    converts the address of a link or an image.
    """
    tokens = _parser.parse(re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL))
    title = ""
    if tokens and tokens[0].tag == "h1" and not shift:
        title = _plain(tokens[1])
        tokens = tokens[3:]
    headings = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            level = min(6, int(opening.tag[1]) + shift)
            anchor = prefix + slug(_plain(inline))
            headings.append(Heading(level, _plain(inline), anchor))
            opening.attrSet("id", anchor)
            opening.tag = f"h{level}"
        elif inline.type == "heading_close":
            inline.tag = f"h{headings[-1].level}"
    for token in _every(tokens):
        for name in ("href", "src"):
            address = token.attrGet(name)
            if isinstance(address, str):
                token.attrSet(name, link(address))
    return Text(_parser.renderer.render(tokens, _parser.options, {}), title, tuple(headings))


def code(source: str, language: str) -> str:
    """A block of highlighted code."""
    return block(source, language, _COLOURS)


def slug(words: str) -> str:
    """The anchor of a heading: "How far?" -> "how-far"."""
    return re.sub(r"[^\w]+", "-", words.lower()).strip("-")


def _fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    language, _, rest = token.info.strip().partition(" ")
    shown = code(token.content.rstrip("\n"), language)
    return f'<p class="says">prints</p>\n{shown}' if rest == "output" else shown


def _table(*_: Any) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_end(*_: Any) -> str:
    return "</table></div>\n"


_parser.add_render_rule("fence", _fence)
_parser.add_render_rule("table_open", _table)
_parser.add_render_rule("table_close", _table_end)


def _plain(token: Token) -> str:
    children = token.children or ()
    return "".join(child.content for child in children) or token.content


def _every(tokens: Sequence[Token]) -> Sequence[Token]:
    return [each for token in tokens for each in (token, *(token.children or ()))]
