from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rest.negotiation import NotAcceptable, negotiate

ARROW = "application/vnd.apache.arrow.stream"
TYPES = ("application/json", ARROW, "text/csv")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        (f"text/csv;q=0.5, {ARROW};q=0.8", ARROW),
        ("application/json;q=0, */*;q=0.1", ARROW),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        (f"{ARROW};q=high, text/csv", "text/csv"),
    ],
)
def test_the_most_wanted_media_type_is_chosen(accept: str, wanted: str) -> None:
    assert negotiate(TYPES, [accept.encode()] if accept else []) == wanted


def test_several_headers_are_one_list() -> None:
    assert negotiate(TYPES, [b"image/png", b"text/csv"]) == "text/csv"


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text", "application/json;q=2"])
def test_a_client_that_wants_none_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="ask for one of them"):
        negotiate(TYPES, [accept.encode()])


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_answered_or_refused(accept: bytes) -> None:
    with suppress(NotAcceptable):
        assert negotiate(TYPES, [accept]) in TYPES
