"""The names of markets: one pattern in the specs and in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.symbol import is_symbol

SPECS = Path(__file__).parents[2] / "specs" / "schemas"
PATTERN = re.compile(yaml.safe_load((SPECS / "symbol.yaml").read_text())["Symbol"]["pattern"])


@given(st.text(max_size=24))
def test_the_code_takes_the_names_that_the_specs_take(name: str) -> None:
    assert is_symbol(name) == (PATTERN.search(name) is not None and not name.endswith("\n"))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("BTCUSDT", True),
        ("1000SATSUSDT", True),
        ("币安人生USDT", True),
        ("ЁЖUSDT", True),
        ("btcusdt", False),
        ("B", False),
        ("A" * 21, False),
        ("BTC-USDT", False),
        ("BTC/USDT", False),
        ("BTC USDT", False),
        ("BTC\u00a0USDT", False),
        ("BTC\u202eUSDT", False),
        ("BTC\u200bUSDT", False),
        ("BTC`USDT", False),
        ("BTC\\USDT", False),
        ("BTCUSDT\n", False),
        ("BTC\ud800USDT", False),
    ],
)
def test_names_of_any_script_and_nothing_else(name: str, is_one: bool) -> None:
    assert is_symbol(name) == is_one
