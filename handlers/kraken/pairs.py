"""Names: the provider's symbols as Kraken's pairs. BTCUSDT is XBT/USDT."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from generated.kraken.facts import PAIR_FORM, PAIR_RENAMED_ASSETS
from handlers.kraken.channels import Channel
from ingest.binance.answers import SymbolInfo

_FORM = re.compile(PAIR_FORM)

CHANNELS_OF_A_PAIR = 16
MAX_NUMBER = 2**31 // CHANNELS_OF_A_PAIR
"""Numbers of pairs are below this, so that a channel's number fits a signed int of 32 bits."""


class KrakenPair(NamedTuple):
    """A symbol under Kraken's names."""

    symbol: str
    base: str
    quote: str
    decimals: int
    """Decimals that a price is written with at least."""
    is_open: bool

    @property
    def wsname(self) -> str:
        """The name on the WebSocket: XBT/USDT."""
        return f"{self.base}/{self.quote}"

    @property
    def altname(self) -> str:
        """The name in requests over REST: XBTUSDT."""
        return self.base + self.quote


class Pairs:
    """All pairs that are followed, once the exchange has listed their symbols."""

    def __init__(self, symbols: Collection[str], markets: Mapping[str, SymbolInfo]) -> None:
        """`symbols` may change; `markets` is filled when the exchange answers."""
        self._markets = markets
        self._symbols = symbols
        self._numbers = _numbers(symbols)
        self._known_markets: list[SymbolInfo] = []
        self._by_wsname: dict[str, KrakenPair] = {}

    @property
    def are_known(self) -> bool:
        """Whether the exchange has said what the symbols are."""
        return bool(self._markets)

    def named(self, wsname: str) -> KrakenPair | None:
        """The pair of a WebSocket name, when it is followed."""
        return self._known().get(wsname)

    def of_any_name(self, name: str) -> KrakenPair | None:
        """The pair of a name over REST or on the WebSocket, when it is followed."""
        return next((pair for pair in self.all() if name in (pair.altname, pair.wsname)), None)

    def some(self, names: str | None) -> list[KrakenPair] | None:
        """The pairs of such names, with commas between; all without names, and None where one of
        them is not followed."""
        if names is None:
            return self.all()
        by_name = {name: pair for pair in self.all() for name in (pair.altname, pair.wsname)}
        wanted = names.split(",")
        return [by_name[name] for name in wanted] if by_name.keys() >= set(wanted) else None

    def of(self, symbol: str) -> KrakenPair:
        """The pair of a symbol that the exchange has listed."""
        return _pair(self._markets[symbol])

    def all(self) -> list[KrakenPair]:
        """Every pair in the order of the settings."""
        return list(self._known().values())

    def number(self, symbol: str) -> int:
        """The number that the channels of a symbol are counted from."""
        if symbol not in self._numbers:
            self._numbers[symbol] = _free_number(symbol, set(self._numbers.values()))
        return self._numbers[symbol] * CHANNELS_OF_A_PAIR

    def channel_number(self, channel: Channel) -> int:
        """The number of a channel in messages."""
        return self.number(channel.symbol) + channel.offset

    def _known(self) -> Mapping[str, KrakenPair]:
        known = [self._markets[symbol] for symbol in self._symbols if symbol in self._markets]
        if known != self._known_markets:
            self._known_markets = known
            self._by_wsname = {pair.wsname: pair for pair in map(_pair, known)}
        return self._by_wsname


def is_pair(name: str) -> bool:
    """Whether a name is written as one of a pair, followed or not."""
    return _FORM.fullmatch(name) is not None


def _pair(market: SymbolInfo) -> KrakenPair:
    base, quote = (
        PAIR_RENAMED_ASSETS.get(asset, asset) for asset in (market.base_asset, market.quote_asset)
    )
    decimals = max(1, market.price_decimals)
    return KrakenPair(market.symbol, base, quote, decimals, market.status == "TRADING")


def _numbers(symbols: Iterable[str]) -> dict[str, int]:
    """A number for each symbol: made from its name, so that it outlives a restart."""
    taken: dict[int, str] = {}
    for symbol in sorted(symbols):
        taken[_free_number(symbol, taken)] = symbol
    return {symbol: number for number, symbol in taken.items()}


def _free_number(symbol: str, taken: Container[int]) -> int:
    number = crc32(symbol.encode()) % MAX_NUMBER
    while number in taken:
        number = (number + 1) % MAX_NUMBER
    return number
