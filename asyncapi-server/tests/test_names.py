"""Names in documents as names in Python."""

from __future__ import annotations

import keyword

import pytest

from asyncapi_server import argument_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("startTime", "start_time"), ("X-Api-Key", "x_api_key"), ("from", "from_"), ("type", "type")],
)
def test_a_keyword_gets_an_underscore(name: str, expected: str) -> None:
    assert argument_name(name) == expected
    assert expected.isidentifier()
    assert not keyword.iskeyword(expected)
