"""Names, prices and step sizes of the seeded symbols."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.errors import SimulatorError
from simulator.trades import E8, Ints

QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDS", "USDP", "DAI", "PAX", "USD", "BTC", "ETH",
    "BNB", "TRX", "XRP", "DOGE", "SOL", "EUR", "GBP", "AUD", "TRY", "BRL", "RUB", "UAH", "NGN",
    "ZAR", "PLN", "RON", "ARS", "JPY", "MXN", "CZK", "IDRT", "BIDR",
)  # fmt: skip
"""Quote assets; a longer name precedes its suffixes."""

_USD: Final = {
    "BTC": 64_000.0, "ETH": 3_200.0, "BNB": 580.0, "SOL": 150.0, "XRP": 0.52, "DOGE": 0.13,
    "ADA": 0.45, "TRX": 0.12, "AVAX": 35.0, "LINK": 14.0, "DOT": 6.8, "LTC": 82.0, "BCH": 450.0,
    "NEAR": 6.5, "UNI": 7.5, "ATOM": 8.4, "XLM": 0.11, "FIL": 5.7, "APT": 9.1, "ARB": 1.0,
    "OP": 2.3, "INJ": 25.0, "SUI": 1.1, "AAVE": 92.0, "SHIB": 0.000024, "EUR": 1.08, "TRY": 0.031,
    "BRL": 0.19,
}  # fmt: skip

UNEVENNESS: Final = 1.2
"""The exponent of Zipf's law: of 1,500 symbols, a quarter of all trades are the first one's, and
half of the symbols have less than a ten-thousandth each."""

KNOWN_SYMBOLS: Final = tuple(f"{base}USDT" for base in list(_USD)[:25])


@dataclass(frozen=True, slots=True)
class Asset:
    """A symbol with its step sizes, in units of 1e-8."""

    symbol: str
    base: str
    quote: str
    tick: int
    step: int
    price: int
    """A typical price."""
    quantity: int
    """A typical quantity."""


def split(symbol: str) -> tuple[str, str]:
    """Split a symbol into base and quote asset."""
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    raise SimulatorError(f"{symbol}: the quote asset must be one of {', '.join(QUOTES)}")


def asset(symbol: str) -> Asset:
    """Describe a symbol; the price of an unknown base asset is derived from its name."""
    base, quote = split(symbol)
    value = _usd(base) / _usd(quote)
    price = max(1000, int(value * E8))
    # Pairs quoted in coins use all 8 decimals, so that products exceed the precision of a quote
    # volume; the others have the step sizes of the exchange.
    fine = quote in ("BTC", "ETH", "BNB")
    tick = 1 if fine else 10 ** max(0, len(str(price)) - 7)
    step = 1 if fine else 10 ** max(0, min(8, 16 - len(str(price))))
    typical = max(step, int(500 / _usd(base) * E8))
    return Asset(symbol, base, quote, tick, step, price // tick * tick, typical // step * step)


def recorded(symbol: str, prices: Ints, quantities: Ints) -> Asset:
    """Describe a symbol by its recorded trades, with the coarsest steps that fit them all."""
    base, quote = split(symbol)
    return Asset(
        symbol,
        base,
        quote,
        _step(prices),
        _step(quantities),
        int(prices.max()),
        int(quantities.max()),
    )


def names(count: int) -> list[str]:
    """Return that many symbols, well-known ones first."""
    made = (f"SIM{number:03d}USDT" for number in range(1, count - len(KNOWN_SYMBOLS) + 1))
    return [*KNOWN_SYMBOLS[:count], *made]


def uneven(total: float, count: int) -> list[float]:
    """Divide a total among so many symbols by rank, like markets do: a few busy, most quiet."""
    shares = [rank**-UNEVENNESS for rank in range(1, count + 1)]
    return [total * share / sum(shares) for share in shares]


def _step(values: Ints) -> int:
    """Find the largest power of ten up to one unit that divides all values."""
    common = int(np.gcd.reduce(values))
    return max(step for step in (int(10**n) for n in range(9)) if common % step == 0)


def _usd(name: str) -> float:
    if name in _USD:
        return _USD[name]
    if name in QUOTES:
        return 1.0
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    return float(10 ** (int.from_bytes(digest, "little") / 2**32 * 5 - 2))
