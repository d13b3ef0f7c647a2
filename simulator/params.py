"""Query parameters of the REST API, validated like the exchange validates them."""

import re
from collections.abc import Mapping

import orjson
from multidict import MultiMapping

from simulator.errors import ApiError
from simulator.klines import INTERVALS, Frame
from simulator.market import Market

SYMBOL_RANGE = r"[\w\-._&&[^a-z]]{1,50}"
r"""The legal symbols in the exchange's Java syntax, where \w is a letter of any script."""

_SYMBOL = re.compile(r"(?:[^\Wa-z]|[-.]){1,50}")
_INTEGER = re.compile(r"[0-9]{1,20}")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?")
_WINDOW = re.compile(r"([0-9]{1,3})([mhd])")
_MOST_WINDOWS = {"m": 59, "h": 23, "d": 1}
"""The most of each unit; the exchange takes up to seven days, of which only one is kept here."""
MAX_LONG = 2**63 - 1


class Params:
    """The parameters of one request. Unknown and repeated ones are refused."""

    def __init__(self, query: MultiMapping[str], *known: str) -> None:
        for name in query:
            if len(query.getall(name)) > 1:
                raise ApiError(-1101, f"Duplicate values for parameter '{name}' detected.")
        read = sum(name in known for name in query)
        if read < len(query):
            raise ApiError(
                -1104,
                "Not all sent parameters were read; "
                f"read '{read}' parameter(s) but was sent '{len(query)}'.",
            )
        self._query = query

    def text(self, name: str) -> str | None:
        """Return a parameter; an empty one is refused."""
        value = self._query.get(name)
        if value == "":
            raise ApiError(-1105, f"Parameter '{name}' was empty.")
        return value

    def integer(self, name: str) -> int | None:
        """Return a non-negative integer, if it was sent."""
        value = self.text(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise _illegal(name, "[0-9]{1,20}")
        if int(value) > MAX_LONG:
            raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """Return `limit`: at least 1, and capped at `most`."""
        value = self.integer("limit")
        if value == 0:
            raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        return default if value is None else min(value, most)

    def window(self) -> tuple[int | None, int | None]:
        """Return `startTime` and `endTime` in milliseconds."""
        start, end = self.integer("startTime"), self.integer("endTime")
        if start is not None and end is not None and start > end:
            raise bad_combination()
        # A time beyond the range of datetime means "no bound".
        return start, None if end is None else min(end, 10**14)

    def market(self, markets: Mapping[str, Market]) -> Market:
        """Return the market of the mandatory `symbol`."""
        symbol = self._query.get("symbol")
        if not symbol:
            raise _mandatory("symbol")
        return _market(markets, symbol)

    def markets(self, markets: Mapping[str, Market]) -> list[Market] | None:
        """Return the markets of `symbol` or `symbols`, or None when neither was sent."""
        symbol, symbols = self.text("symbol"), self.text("symbols")
        if symbol is not None and symbols is not None:
            raise bad_combination()
        if symbol is not None:
            return [_market(markets, symbol)]
        if symbols is None:
            return None
        try:
            names = orjson.loads(symbols)
        except orjson.JSONDecodeError:
            names = None
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise _illegal("symbols", rf'\["{SYMBOL_RANGE}"(,"{SYMBOL_RANGE}"){{0,}}\]')
        return [_market(markets, name) for name in dict.fromkeys(names)]

    def frame(self) -> Frame:
        """Return the mandatory `interval` of klines, in the time zone that may be given."""
        interval = self._query.get("interval")
        if not interval:
            raise _mandatory("interval")
        if interval not in INTERVALS:
            raise ApiError(-1120, "Invalid interval.")
        return Frame(interval, self._zone_ms())

    def choice(self, name: str, *values: str) -> str | None:
        """Return a parameter that has one of some values."""
        value = self.text(name)
        if value is not None and value not in values:
            raise _illegal(name, "|".join(values))
        return value

    def window_minutes(self) -> int:
        """Return the length of `windowSize`, a day by default."""
        value = self.text("windowSize") or "1d"
        match = _WINDOW.fullmatch(value)
        size = int(match[1]) if match else 0
        if not match or not 1 <= size <= _MOST_WINDOWS[match[2]]:
            raise ApiError(-1130, "Data sent for parameter 'windowSize' is not valid.")
        return size * {"m": 1, "h": 60, "d": 1440}[match[2]]

    def _zone_ms(self) -> int:
        """Return `timeZone` in milliseconds, UTC by default."""
        value = self.text("timeZone")
        match = _ZONE.fullmatch(value or "0")
        hours, minutes = (int(match[2]), int(match[3] or 0)) if match else (99, 0)
        offset = (hours * 60 + minutes) * (-1 if match and match[1] == "-" else 1)
        if minutes > 59 or not -12 * 60 <= offset <= 14 * 60:
            raise ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.")
        return offset * 60_000


def bad_combination() -> ApiError:
    """Return the error for parameters that exclude each other."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def _market(markets: Mapping[str, Market], symbol: str) -> Market:
    if not _SYMBOL.fullmatch(symbol):
        raise _illegal("symbol", SYMBOL_RANGE)
    if symbol not in markets:
        raise ApiError(-1121, "Invalid symbol.")
    return markets[symbol]


def _mandatory(name: str) -> ApiError:
    return ApiError(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def _illegal(name: str, legal: str) -> ApiError:
    return ApiError(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '^{legal}$'."
    )
