"""The symbols that a request names."""

from __future__ import annotations

import msgspec

from handlers.problem import InvalidParameter


def names_of(symbol: str | None, symbols: str | None) -> list[str] | None:
    """The names in `symbol`, or in the JSON of `symbols`; None where a request has neither.

    Raises InvalidParameter.
    """
    if symbol is not None and symbols is not None:
        raise InvalidParameter("query.symbol", "send one of symbol and symbols")
    if symbol is not None:
        return [symbol]
    return None if symbols is None else _listed(symbols)


def _listed(text: str) -> list[str]:
    try:
        names = msgspec.json.decode(text, type=list[str])
    except (ValueError, RecursionError):
        names = []
    if not names:
        raise InvalidParameter("query.symbols", 'send an array such as ["BTCUSDT","ETHUSDT"]')
    return list(dict.fromkeys(names))
