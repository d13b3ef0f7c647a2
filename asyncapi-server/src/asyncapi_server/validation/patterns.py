"""Regular expressions of ECMA 262, which JSON Schema uses, in Python's."""

from __future__ import annotations

import re
from functools import lru_cache

from asyncapi_server.validation.categories import members
from asyncapi_server.validation.faults import CannotValidate

_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_PART = re.compile(
    r"\\(?:u\{([0-9a-fA-F]+)\}|([pP])\{([\w=]*)\}|(.))"
    r"|(\(\?<)(?![=!])|(\[\^?\]?)|(\])|(\$)",
    re.S,
)


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern of ECMA 262: `$` is the very end, `\d` and `\w` are ASCII.

    Raises ValueError when it is none, CannotValidate when it has a property of Unicode that Python
    does not know, such as a script.
    """
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the pattern {pattern!r} cannot be read: {error}") from error


def _translated(pattern: str) -> str:
    in_class = False

    def said(match: re.Match[str]) -> str:
        nonlocal in_class
        code, kind, name, escaped, group, opens, closes, end = match.groups()
        if code is not None:
            return re.escape(chr(int(code, 16)))
        if kind is not None:
            return _property(name, negated=kind == "P", in_class=in_class)
        if escaped is not None:
            return _escape(escaped, in_class=in_class)
        if group is not None:
            return "(?P<" if not in_class else group
        if opens is not None:
            if in_class:
                return "\\" + opens
            in_class = True
            return opens
        if closes is not None:
            in_class = False
            return closes
        return end if in_class else r"\Z"

    return _PART.sub(said, pattern)


def _property(name: str, *, negated: bool, in_class: bool) -> str:
    found = members(name, negated=negated)
    if found is None:
        raise CannotValidate(
            f"the pattern has the property {name!r}, which takes asyncapi-server[fast]"
        )
    return found if in_class else f"[{found}]"


def _escape(character: str, *, in_class: bool) -> str:
    if character == "s":
        return _SPACE if in_class else f"[{_SPACE}]"
    if character == "S" and not in_class:
        return f"[^{_SPACE}]"
    if character == "/":
        return "/"
    return "\\" + character
