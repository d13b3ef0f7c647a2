"""The log on standard error: a line an event, whatever is in it, and no secret."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.lines import FORMATS, JSON, LONGEST_MESSAGE, TEXT, _Stderr, formatter
from server.redaction import HIDDEN

SECRET = 'pass "word"/é'
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TEXTS = st.text(st.characters(), max_size=60)


@contextmanager
def written(form: str) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = _Stderr(stream)
    handler.setFormatter(formatter(form, [SECRET]))
    logger = logging.Logger("tests.lines")
    logger.addHandler(handler)
    yield logger, stream


def raised(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


@given(TEXTS, TEXTS)
@pytest.mark.parametrize("form", FORMATS)
def test_no_text_breaks_its_line(form: str, message: str, field: str) -> None:
    with written(form) as (logger, stream):
        logger.info("got %s", message, extra={"symbol": field})
    text = stream.getvalue()
    assert text.isascii() or form == TEXT
    assert len(text.splitlines()) == 1
    assert text[:-1].isprintable()


def test_json_has_the_event_with_its_fields_and_its_error() -> None:
    with written(JSON) as (logger, stream):
        extra: dict[str, Any] = {"symbol": "BTCUSDT", "missing": 3, "gap": (1, 2)}
        logger.warning("%s: ids are missing", "BTCUSDT", extra=extra)
        logger.error("It failed", exc_info=raised("first\nsecond"))
    plain, failed = map(json.loads, stream.getvalue().splitlines())
    assert MOMENT.fullmatch(plain.pop("time"))
    assert plain == {
        "level": "warning", "logger": "tests.lines", "message": "BTCUSDT: ids are missing",
        "symbol": "BTCUSDT", "missing": 3, "gap": "(1, 2)",
    }  # fmt: skip
    assert failed["traceback"].startswith("Traceback (most recent call last):\n")
    assert failed["traceback"].endswith("ValueError: first\nsecond")


def test_the_lines_of_a_traceback_look_like_no_event() -> None:
    with written(TEXT) as (logger, stream):
        logger.error("It failed", exc_info=raised("a\n2026-01-01T00:00:00.000Z INFO x: forged"))
    first, *others = stream.getvalue().splitlines()
    assert MOMENT.match(first)
    assert first.endswith("ERROR   tests.lines: It failed")
    assert len(others) > 3
    assert all(line.startswith("    ") for line in others)


@pytest.mark.parametrize("form", FORMATS)
def test_secrets_are_hidden_in_each_part_and_spelling(form: str) -> None:
    with written(form) as (logger, stream):
        logger.error(
            "of %s and %s", SECRET, "pass%20%22word%22%2F%C3%A9",
            extra={"path": f"/{SECRET}"}, exc_info=raised(f"with {SECRET}"),
        )  # fmt: skip
    text = stream.getvalue()
    assert "word" not in text.replace("password", "")
    assert text.count(HIDDEN) == (4 if form == JSON else 3)


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_formatted_is_named_without_its_values(form: str) -> None:
    with written(form) as (logger, stream):
        logger.info("%d", SECRET)
        logger.info("%s", "x" * 1_000_000)
    failed, long = stream.getvalue().splitlines()
    assert "A line of tests.lines cannot be written: TypeError" in failed
    assert "word" not in failed
    assert len(long) < LONGEST_MESSAGE + 200
