"""Fixed-point decimals are exact both ways and take nothing but plain decimals."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core import fixed


@given(st.integers(0, fixed.MAX_FIXED))
def test_text_parses_back_to_the_value(value: int) -> None:
    assert fixed.parse(fixed.text(value)) == value
    assert Decimal(fixed.text(value)) * 10**8 == value


@given(st.integers(0, fixed.MAX_FIXED))
def test_the_exchange_s_eight_decimals_parse_as_any_other_shape(value: int) -> None:
    eight = f"{value // 10**8}.{value % 10**8:08d}"
    assert fixed.parse(eight) == value == fixed.parse(fixed.text(value))


@given(st.integers(-(10**40), 10**40), st.integers(0, 16))
def test_decimals_are_exact_at_any_length(value: int, decimals: int) -> None:
    with localcontext() as context:
        context.prec = 100
        assert fixed.to_decimal(value, decimals).scaleb(decimals) == value


@pytest.mark.parametrize("value", [0, 1, 10, 100_000_000, 4324510000000])
def test_text_has_no_exponent_and_no_trailing_zeros(value: int) -> None:
    shown = fixed.text(value)
    assert "e" not in shown.lower()
    assert not ("." in shown and shown.endswith(("0", ".")))


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "1.", ".5", "-1", "+1", "1e5", "NaN", "Infinity", " 1", "1 ", "1_000", "1.0\n"),
        *("0.000000001", "92233720368.54775808", "123456789012.00000000", "1.0000_000"),
        *("-1.00000000", "+1.00000000", "\u0661.00000000", "1.\u0661", ".00000000", "1\u00b2"),
    ],
)
def test_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"plain decimal|fit"):
        fixed.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e2", 100 * 10**8), ("1.0E-5", 1000), ("12.5e+1", 125 * 10**8), ("0.1", 10**7)],
)
def test_exponents_are_read_exactly(text: str, value: int) -> None:
    assert fixed.parse_exact(text) == value


@pytest.mark.parametrize("text", ["1e-9", "1e11", "1e99", "e5", "1e", "-1e2", "1e1000", "NaN"])
def test_what_does_not_fit_is_refused_with_an_exponent_too(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each has words of its own
        fixed.parse_exact(text)
