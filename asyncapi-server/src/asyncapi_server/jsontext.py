"""JSON text, read and written by the same rules whatever is installed.

orjson and msgspec (the extra [fast]) do it where they are, else the standard library does. Numbers
beyond 64 bits are read as floats, as most of JSON's readers do; NaN, infinities and half of a
surrogate pair are no JSON. A Decimal is written as a number with exactly its digits.
"""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import cast

try:
    import msgspec
    import orjson
except ImportError:  # the extra [fast] is not installed
    is_fast = False
else:
    is_fast = True
    _encoder = msgspec.json.Encoder(decimal_format="number")

_LEAST, _MOST = -(2**63), 2**64 - 1
_MARK = secrets.token_hex(16)
"""Stands around a Decimal until the text is made; nobody else can write it."""
_MARKED = re.compile(rf'"{_MARK}:([^"]*)"')


def loads(text: str | bytes) -> object:
    """The value of JSON text; raises ValueError."""
    return orjson.loads(text) if is_fast else read(text)


def dumps(value: object) -> bytes:
    """A value as compact JSON in UTF-8."""
    return _encoder.encode(value) if is_fast else write(value)


def read(text: str | bytes) -> object:
    """The value of JSON text, by the standard library; raises ValueError."""
    plain = text if isinstance(text, str) else bytes(text).decode("utf-8")
    try:
        value = json.loads(plain, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except RecursionError as error:
        raise ValueError("depth limit exceeded") from error
    if "\\u" in plain:
        json.dumps(value, ensure_ascii=False).encode()  # half a pair cannot be encoded
    return cast(object, value)


def write(value: object) -> bytes:
    """A value as compact JSON, by the standard library."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_other)
    return _MARKED.sub(r"\1", text).encode()


def _other(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{_MARK}:{value}"
    raise TypeError(f"{type(value).__name__} is no JSON: return plain values or a model")


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int | float:
    if len(digits) <= 20 and _LEAST <= (whole := int(digits)) <= _MOST:
        return whole
    return _float(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is infinity when it is read as a double")
    return number


def json_type(value: object) -> str:
    """The JSON type of a decoded value; integers are numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"
