"""Texts of a document in generated files, where they cannot end a comment or a string."""

from __future__ import annotations

import json
import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Controls, changes of direction, halves of surrogate pairs: nothing that readers see."""


def clean(text: str) -> str:
    """A text with nothing in it but what readers see, without blanks at the ends of its lines."""
    lines = _UNSEEN.sub("", text.replace("\r\n", "\n")).strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def flat(text: str) -> str:
    """A text on one line."""
    return " ".join(clean(text).split())


def docstring(text: str, indent: str = "    ") -> str:
    """A text as an indented docstring of Python."""
    whole = clean(text)
    body = whole.removesuffix('"')  # which would be part of the quotes at the end
    escaped = body.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    if body != whole:
        escaped += r"\""
    first, *rest = escaped.splitlines() or [""]
    if not rest:
        return f'{indent}"""{first}"""\n'
    more = "\n".join(f"{indent}{line}".rstrip() for line in rest)
    return f'{indent}"""{first}\n{more}\n{indent}"""\n'


def block_comment(text: str, indent: str = "") -> str:
    """A text as an indented documentation comment of TypeScript; "" for none."""
    lines = clean(text).replace("*/", "* /").splitlines()
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def literal(value: object) -> str:
    """A JSON value as an expression of TypeScript, in ASCII."""
    return json.dumps(value)
