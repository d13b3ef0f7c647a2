"""Blocks of code as HTML; JSON is coloured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

MAX_COLOURED_CHARS = 100_000
"""Longer code stays plain."""

COLOURS: Mapping[str, re.Pattern[str]] = {
    "json": re.compile(
        r'(?P<key>"(?:[^"\\\n]|\\.)*+"(?=\s*+:))|(?P<text>"(?:[^"\\\n]|\\.)*+")'
        r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\b\d[\d.eE+-]*+)"
    ),
}
"""What is coloured of each language: the names of the groups are the classes."""


def block(source: str, language: str, colours: Mapping[str, re.Pattern[str]] = COLOURS) -> str:
    """A block of code."""
    pattern = colours.get(language) if len(source) <= MAX_COLOURED_CHARS else None
    body = _coloured(source, pattern) if pattern else escape(source, quote=False)
    named = f' class="language-{escape(language)}"' if language else ""
    # A scrolling block has to be focusable by keyboard.
    return f'<pre tabindex="0"><code{named}>{body}</code></pre>\n'


def _coloured(source: str, pattern: re.Pattern[str]) -> str:
    parts, at = [], 0
    for match in pattern.finditer(source):
        text = escape(match[0], quote=False)
        parts += [escape(source[at : match.start()], quote=False)]
        parts += [f'<span class="{match.lastgroup}">{text}</span>']
        at = match.end()
    return "".join((*parts, escape(source[at:], quote=False)))
