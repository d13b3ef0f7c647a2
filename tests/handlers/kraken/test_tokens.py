"""Tokens are granted for the key alone, and last as long as they are said to."""

from __future__ import annotations

from handlers.kraken.tokens import MAX_TOKENS, Tokens


def test_no_token_is_granted_without_the_key() -> None:
    assert Tokens("", 900).grant("") is None
    assert Tokens("key", 900).grant("other") is None
    assert Tokens("key", 900).grant("ke\udcffy") is None
    assert Tokens("key", 900).grant("key") is not None


def test_a_token_is_valid_for_its_time_and_no_longer() -> None:
    now = [0.0]
    tokens = Tokens("key", 900, lambda: now[0])
    token = tokens.grant("key") or ""
    now[0] = 899.0
    assert tokens.remaining(token) == 1.0
    now[0] = 900.0
    assert tokens.remaining(token) == 0.0
    assert tokens.remaining("no token") == 0.0


def test_tokens_are_bounded_in_number() -> None:
    tokens = Tokens("key", 900, lambda: 0.0)
    granted = [tokens.grant("key") or "" for _ in range(MAX_TOKENS + 1)]
    assert len(set(granted)) == len(granted)
    assert tokens.remaining(granted[0]) == 0.0
    assert tokens.remaining(granted[1]) == tokens.remaining(granted[-1]) == 900.0
