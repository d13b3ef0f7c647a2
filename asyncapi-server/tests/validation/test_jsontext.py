"""JSON is read and written alike with and without the extra [fast]."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server import jsontext

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
)
TEXTS = [
    "1" * 5000, "1e400", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
    "[1e309]", '"\\ud800"', '"\\ud83d\\ude00"', "\ufeff{}", '{"a":1,"a":2}', "NaN", "-Infinity",
    "1.0", "-0", "01", "[" * 1100 + "]" * 1100, '"a\x01"', '"\\u0000"', "", " ", "{", "nul", "'a'",
    '{"a":1,}', "1e5", "1E-7", "123456789012345678901234567890",
]  # fmt: skip


def read(load: Any, text: str | bytes) -> Any:
    """The value, with its type; "refused" for text that is none."""
    try:
        value = load(text)
    except ValueError:
        return "refused"
    return repr(value)


def test_the_faster_one_is_taken_where_it_is_installed() -> None:
    assert jsontext.is_fast


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_texts_are_json(text: str) -> None:
    assert read(jsontext.read, text) == read(jsontext.loads, text)
    assert read(jsontext.read, text.encode()) == read(jsontext.loads, text.encode())


@pytest.mark.parametrize("raw", [b"\xff", b'"\xed\xa0\x80"', "{}".encode("utf-16")])
def test_what_is_not_utf_8_is_refused(raw: bytes) -> None:
    assert read(jsontext.read, raw) == read(jsontext.loads, raw) == "refused"


@given(values)
def test_what_was_written_is_read_again(value: Any) -> None:
    for write in (jsontext.write, jsontext.dumps):
        for load in (jsontext.read, jsontext.loads):
            assert load(write(value)) == value


@given(st.text(max_size=8))
def test_any_text_is_json_for_both_or_for_neither(text: str) -> None:
    for raw in (text, f'"{text}"', f"[{text}]"):
        try:
            encoded = raw.encode()
        except UnicodeEncodeError:
            continue
        assert read(jsontext.read, encoded) == read(jsontext.loads, encoded)


@pytest.mark.parametrize("digits", ["0.10", "1E+3", "-7", "123456789012345678901234567890.5"])
def test_a_decimal_keeps_its_digits(digits: str) -> None:
    message = {"price": Decimal(digits), "text": digits}
    expected = f'{{"price":{digits},"text":"{digits}"}}'.encode()
    assert jsontext.write(message) == jsontext.dumps(message) == expected


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(TypeError, match="object is no JSON"):
        jsontext.write({"a": object()})
