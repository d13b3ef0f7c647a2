"""Names and patterns of symbols, held to the shell's own matching."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.symbol import Symbols

LETTERS = st.text("AB1", min_size=2, max_size=8)
PATTERNS = st.lists(st.sampled_from(["A", "B", "1", "*", "AB"]), min_size=1, max_size=6).map(
    "".join
)


@given(st.lists(PATTERNS, min_size=1, max_size=4), st.lists(PATTERNS, max_size=3), LETTERS)
def test_a_symbol_is_chosen_as_the_shell_matches(
    chosen: list[str], excluded: list[str], symbol: str
) -> None:
    text = ",".join((*chosen, *(f"!{part}" for part in excluded)))
    try:
        symbols = Symbols.parse(text)
    except ValueError:
        is_short = any("*" not in part and len(part) < 2 for part in (*chosen, *excluded))
        assert is_short or all(
            any(fnmatchcase(part, other) for other in excluded) for part in chosen
        )
        return
    expected = any(fnmatchcase(symbol, part) for part in chosen)
    assert (symbol in symbols) == (
        expected and not any(fnmatchcase(symbol, part) for part in excluded)
    )
    assert Symbols.parse(str(symbols)) == symbols


def test_names_patterns_and_exclusions_are_apart() -> None:
    symbols = Symbols.parse("btcusdt, *USDC ,!*UP*,ethusdt,BTCUSDT,!ethusdt")
    assert symbols == Symbols(("BTCUSDT",), ("*USDC",), ("*UP*", "ETHUSDT"))
    assert str(symbols) == "BTCUSDT,*USDC,!*UP*,!ETHUSDT"
    assert "币安人生USDC" in symbols
    assert "ETHUSDT" not in symbols
    assert "UPUSDC" not in symbols


@pytest.mark.parametrize(
    "text", ["", ",", "BTC USDT", "BTCUSDT,", "!BTCUSDT", "*-*", "B?T", "[A]*", "*" + "A" * 30, "!"]
)
def test_what_chooses_nothing_or_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="symbols of the exchange"):
        Symbols.parse(text)
