"""The id of the request that is being answered: in its header, its error and its log lines."""

from __future__ import annotations

import itertools
import re
import secrets
from contextvars import ContextVar
from typing import Final

from generated.native.facts import HTTP_REQUEST_ID_PATTERN

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Empty outside a request. Tasks that a request begins inherit it."""

_VALID: Final = re.compile(HTTP_REQUEST_ID_PATTERN, re.ASCII)
_RUN: Final = secrets.token_hex(4)
"""Tells the ids of this process from those of others."""
_numbers: Final = itertools.count(1)


def begin(given: str | None) -> str:
    """Begin a request, by the id that it came with if that is valid, else by a new one."""
    is_valid = given is not None and _VALID.fullmatch(given) is not None
    request_id = given if given is not None and is_valid else f"{_RUN}-{next(_numbers)}"
    REQUEST_ID.set(request_id)
    return request_id


def current() -> str:
    """The id of the request under way; what was no request yet begins one."""
    return REQUEST_ID.get() or begin(None)
