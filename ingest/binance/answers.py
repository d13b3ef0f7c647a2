"""Answers of the exchange over REST, but for trades and klines: bodies in, values out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

import msgspec

from generated.native.facts import TIMESTAMP_MS_MAXIMUM
from ingest.core import fixed
from ingest.core.errors import ExchangeUnavailable, RequestRefused
from ingest.core.symbol import is_symbol

from .parse import excerpt

NO_SUCH_SYMBOL: Final = -1121
ILLEGAL_CHARACTERS: Final = -1100
TOO_MANY_REQUESTS: Final = -1003

_ADVICE: Final = {
    TOO_MANY_REQUESTS: "lower the share of the request weight",
    ILLEGAL_CHARACTERS: "a parameter has characters that are not allowed",
    -1102: "a parameter is missing or empty",
    -1120: "ask for an interval that the exchange has",
    NO_SUCH_SYMBOL: "check the symbol against the exchange's list",
    -1128: "from_id cannot be combined with start_time or end_time",
}

_T = TypeVar("_T")


class SymbolInfo(NamedTuple):
    """One market. `status` is TRADING while it is open."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    price_decimals: int = fixed.DECIMALS
    """How many decimals a price has: those of the tick size."""


class ExchangeInfo(NamedTuple):
    """The markets by symbol, those that exist of the ones asked for, and the weight limit."""

    symbols: dict[str, SymbolInfo]
    weight_per_minute: int | None
    is_simulated: bool = False
    """Whether the exchange says that it is none."""


class _Time(msgspec.Struct):
    server_time: int = msgspec.field(name="serverTime")


class _Filter(msgspec.Struct, rename="camel"):
    tick_size: str = ""


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str = ""
    base_asset: str = ""
    quote_asset: str = ""
    filters: list[_Filter] = []


class _RateLimit(msgspec.Struct, rename="camel"):
    rate_limit_type: str = ""
    interval: str = ""
    interval_num: int = 0
    limit: int = 0


class _Info(msgspec.Struct, rename="camel"):
    symbols: list[_Symbol]
    rate_limits: list[_RateLimit] = []
    simulated: bool = False


class _Refusal(msgspec.Struct):
    code: int = 0
    msg: str = ""


def server_time(body: bytes) -> int:
    """The exchange's clock in milliseconds."""
    time_ms = _read(body, _Time).server_time
    if not 0 <= time_ms <= TIMESTAMP_MS_MAXIMUM:
        raise ExchangeUnavailable(f"The exchange's time is out of range: {str(time_ms)[:40]}")
    return time_ms


def exchange_info(body: bytes, is_wanted: Callable[[str], bool]) -> ExchangeInfo:
    """The wanted symbols of an `exchangeInfo` answer, and the weight limit."""
    info = _read(body, _Info)
    limits = [
        limit.limit
        for limit in info.rate_limits
        if limit.rate_limit_type == "REQUEST_WEIGHT"
        and (limit.interval, limit.interval_num) == ("MINUTE", 1)
        and limit.limit > 0
    ]
    return ExchangeInfo(
        {
            one.symbol: SymbolInfo(
                one.symbol, one.status, one.base_asset, one.quote_asset, _price_decimals(one)
            )
            for one in info.symbols
            if is_symbol(one.symbol) and is_wanted(one.symbol)
        },
        limits[0] if limits else None,
        info.simulated,
    )


def _price_decimals(symbol: _Symbol) -> int:
    """The decimals of the tick size; the most there can be where there is none."""
    for tick_size in (one.tick_size for one in symbol.filters):
        with suppress(ValueError):
            if tick := fixed.parse(tick_size):
                return len(fixed.text(tick).partition(".")[2])
    return fixed.DECIMALS


def _read(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:
        raise ExchangeUnavailable(
            f"The exchange's answer cannot be read ({error}); it came as {excerpt(body)}"
        ) from None


def refusal(path: str, status: int, body: bytes) -> ExchangeUnavailable | RequestRefused:
    """The error for a 3xx or 4xx answer other than 418 and 429."""
    if status == 403:
        return ExchangeUnavailable(
            f"The exchange's firewall refused {path} (403): wait some minutes, and check that "
            "this address may use the exchange"
        )
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        said = _Refusal()
    if not said.code:
        return ExchangeUnavailable(
            f"{path} was answered by status {status}, {excerpt(body)}: check the base URL"
        )
    advice = _ADVICE.get(said.code, "see the exchange's list of error codes")
    return RequestRefused(
        f"The exchange refused {path}: {said.code} {said.msg[:200]} ({advice})",
        said.code,
    )
