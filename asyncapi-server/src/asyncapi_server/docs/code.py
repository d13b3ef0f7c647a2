"""Blocks of code as HTML; JSON is coloured."""

from __future__ import annotations

import re
from html import escape

MAX_COLOURED_CHARS = 100_000
"""Longer code stays plain."""

_JSON = re.compile(
    r'(?P<key>"(?:[^"\\\n]|\\.)*+"(?=\s*+:))|(?P<text>"(?:[^"\\\n]|\\.)*+")'
    r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\b\d[\d.eE+-]*+)"
)


def block(source: str, language: str) -> str:
    """A block of code."""
    is_json = language == "json" and len(source) <= MAX_COLOURED_CHARS
    body = _coloured(source) if is_json else escape(source, quote=False)
    named = f' class="language-{escape(language)}"' if language else ""
    # A scrolling block has to be focusable by keyboard.
    return f'<pre tabindex="0"><code{named}>{body}</code></pre>\n'


def _coloured(source: str) -> str:
    parts, at = [], 0
    for match in _JSON.finditer(source):
        text = escape(match[0], quote=False)
        parts += [escape(source[at : match.start()], quote=False)]
        parts += [f'<span class="{match.lastgroup}">{text}</span>']
        at = match.end()
    return "".join((*parts, escape(source[at:], quote=False)))
