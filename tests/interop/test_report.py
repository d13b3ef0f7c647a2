"""The comparison finds each way in which a client's rows can be wrong."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.interop.support.report import Report
from tests.interop.support.rows import Rows, exact, row

RIGHT: Rows = {1: row("1.00000001", 2), 2: row("3", 4)}


def test_values_are_counted() -> None:
    report = Report("any")
    report.same("rows", {1: row(Decimal("1.0000000100"), 2), 2: row(3.0, 4)}, RIGHT)
    report.same("rows", {1: row(1.00000001, 2)}, {1: RIGHT[1]})
    assert report.compared == {"rows": 6}


@pytest.mark.parametrize(
    ("got", "message"),
    [
        ({}, "no rows"),
        ({1: RIGHT[1]}, "1 of 2 are missing: [2]"),
        (RIGHT | {3: row(5, 6)}, "1 too many: [3]"),
        (RIGHT | {2: row("3.00000001", 4)}, "1 of 2 differ"),
        (RIGHT | {2: row("3")}, "1 of 2 differ"),
    ],
)
def test_a_difference_is_a_failure(got: Rows, message: str) -> None:
    report = Report("any")
    with pytest.raises(AssertionError, match=re.escape(message)):
        report.same("rows", got, RIGHT)
    assert not report.compared


def test_floats_are_taken_as_they_are_shown() -> None:
    assert exact(0.1) == Decimal("0.1")
    assert exact(True) == 1
