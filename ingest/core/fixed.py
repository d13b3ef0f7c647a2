"""Fixed-point decimals: an `int` in units of 1e-8, the precision that the exchange itself keeps.

Sums of such integers are exact and fast. Products (price times quantity) are in units of 1e-16.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

DECIMALS = 8
ONE = 100_000_000
MAX_FIXED = 2**63 - 1
"""The exchange keeps prices and quantities in 64 bits: 92233720368.54775807 at the most."""

_EXPONENT = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?[eE][+-]?[0-9]{1,2}", re.ASCII)
_PLAIN = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,8})?", re.ASCII)


def parse(text: str) -> int:
    """The value of a plain, non-negative decimal such as "43245.10000000", in units of 1e-8.

    Raises ValueError for anything else: signs, exponents, NaN, blanks, more than 8 decimals, or
    more than 64 bits.
    """
    if text[-9:-8] == ".":  # eight decimals, as the exchange writes them
        digits = text[:-9] + text[-8:]
        if len(text) <= 20 and len(text) > 9 and digits.isdigit() and digits.isascii():
            value = int(digits)
            if value <= MAX_FIXED:
                return value
        raise ValueError(f"{text[:40]!r} is not a plain decimal within 64 bits")
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a plain decimal of at most 8 decimals")
    whole, _, fraction = text.partition(".")
    value = int(whole) * ONE + int(fraction.ljust(DECIMALS, "0"))
    if value > MAX_FIXED:
        raise ValueError(f"{text!r} does not fit 64 bits")
    return value


def parse_exact(text: str) -> int:
    """The same for a decimal that may have an exponent, such as "1.0E-5" in archives."""
    if not _EXPONENT.fullmatch(text):
        return parse(text)
    value = Fraction(text) * ONE
    if value.denominator != 1 or value > MAX_FIXED:
        raise ValueError(f"{text!r} does not fit 64 bits in units of 1e-8")
    return value.numerator


def text(value: int, decimals: int = DECIMALS) -> str:
    """A plain decimal without exponent or trailing zeros: 4324510000000 is "43245.1"."""
    if value < 0:
        return "-" + text(-value, decimals)
    whole, fraction = divmod(value, 10**decimals)
    if not fraction:
        return str(whole)
    return f"{whole}.{fraction:0{decimals}d}".rstrip("0")


def eight_places(value: int) -> str:
    """A decimal with all of its eight places, as the exchange writes it."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{value // ONE}.{value % ONE:0{DECIMALS}d}"


def to_decimal(value: int, decimals: int = DECIMALS) -> Decimal:
    """The same value as a Decimal, exact in any decimal context, shaped as by `text`."""
    return Decimal(text(value, decimals))
