from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.rows import Rows, array_of, newest, oldest

KEYS = st.lists(st.integers(0, 60), unique=True).map(sorted)


def rows_of(keys: list[int]) -> Rows:
    return Rows(keys, [json.dumps({"key": key}).encode() for key in keys])


def keys_in(rows: Rows) -> list[int]:
    keys = [row["key"] for row in json.loads(array_of([rows.text]))]
    assert keys == list(rows.keys)
    assert len(rows) == len(keys)
    return keys


@given(KEYS, st.integers(-1, 61), st.integers(-1, 61), st.integers(-1, 61), st.integers(-1, 61))
def test_a_span_of_a_span_has_the_rows_between(
    keys: list[int], first: int, end: int, later: int, earlier: int
) -> None:
    part = rows_of(keys).between(first, end)
    assert keys_in(part) == [key for key in keys if first <= key < end]
    again = part.between(later, earlier)
    assert keys_in(again) == [key for key in keys_in(part) if later <= key < earlier]
    assert again == rows_of(keys_in(again))


@given(KEYS, st.integers(0, 60), st.integers(0, 70))
def test_parts_come_to_the_whole(keys: list[int], cut: int, count: int) -> None:
    whole = rows_of(keys)
    parts = [whole.between(0, cut), Rows(), whole.between(cut, 61)]
    assert sum(parts, Rows()) == whole
    assert json.loads(array_of(part.text for part in parts)) == [{"key": key} for key in keys]
    assert keys_in(sum(newest(parts, count), Rows())) == keys[max(0, len(keys) - count) :]
    assert keys_in(sum(oldest(parts, count), Rows())) == keys[:count]
    assert keys_in((whole.between(0, cut) + whole.between(cut, 61))[1:-1]) == keys[1:-1]
