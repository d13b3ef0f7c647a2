"""Markdown to HTML: heading anchors, links between pages, syntax highlighting."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

_COLOURS = {
    "json": re.compile(
        r'(?P<key>"(?:[^"\\\n]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\\n]|\\.)*")'
        r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\b\d[\d.]*\b)"
    ),
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
    pattern = _COLOURS.get(language)
    body = _coloured(source, pattern) if pattern else escape(source, quote=False)
    named = f' class="language-{escape(language)}"' if language else ""
    # A scrolling block has to be focusable by keyboard.
    return f'<pre tabindex="0"><code{named}>{body}</code></pre>\n'


def slug(words: str) -> str:
    """The anchor of a heading: "How far?" -> "how-far"."""
    return re.sub(r"[^\w]+", "-", words.lower()).strip("-")


def _coloured(source: str, pattern: re.Pattern[str]) -> str:
    def colour(match: re.Match[str]) -> str:
        return f'<span class="{match.lastgroup}">{escape(match[0], quote=False)}</span>'

    parts, at = [], 0
    for match in pattern.finditer(source):
        parts += [escape(source[at : match.start()], quote=False), colour(match)]
        at = match.end()
    return "".join((*parts, escape(source[at:], quote=False)))


def _fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    language, _, rest = token.info.strip().partition(" ")
    block = code(token.content.rstrip("\n"), language)
    return f'<p class="says">prints</p>\n{block}' if rest == "output" else block


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
