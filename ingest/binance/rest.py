"""Binance's REST interface: bounded, within the request weight, with errors that say what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import aiohttp
import msgspec

from ingest.core.errors import (
    ExchangeUnavailable,
    MalformedTrade,
    RateLimited,
    RequestRefused,
)
from ingest.core.trade import Trade

from . import answers
from .body import ENCODING, read_body
from .kline import Kline, klines
from .limits import pause_before, whole_number
from .network import Network, SessionClient
from .page import MAX_ROWS, Page
from .parse import excerpt, rest_page
from .quotes import Quote, rest_quote, rest_quotes
from .weight import Priority, WeightCoordinator

REQUEST_TIMEOUT_S: Final = 10.0
ATTEMPTS: Final = 4
"""How often a request is sent when the network fails or the exchange answers 5xx."""

WEIGHT_TIME: Final = 1
WEIGHT_KLINES: Final = 2
WEIGHT_BOOK_TICKER: Final = 2
WEIGHT_BOOK_TICKERS: Final = 4
"""Of all symbols."""
WEIGHT_AGG_TRADES: Final = 4
WEIGHT_EXCHANGE_INFO: Final = 20

MAX_NAMED: Final = 40
"""The most symbols that an address names. The exchange refuses one of more than 8 KB, and a symbol
takes up to 190 bytes in it: 20 letters of East Asia, escaped."""

Parameters = Mapping[str, str | int]


class Edge(NamedTuple):
    """The first or the last trade that the exchange has; `trade` is None where only its id can be
    read."""

    aggregate_id: int
    trade: Trade | None


class _Overtaken(Exception):
    """A ban came while the connection was made."""


class BinanceRest(SessionClient):
    """The REST interface at `base_url` (`https://api.binance.com`).

    Every request waits for its weight. Network faults and 5xx are tried again; what remains is
    raised as ExchangeUnavailable, RateLimited (429 and 418: later requests wait by themselves
    until it is over) or RequestRefused. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        base_url: str,
        weight: WeightCoordinator,
        *,
        network: Network | None = None,
        timeout: float = REQUEST_TIMEOUT_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        network, limits = network or Network(), aiohttp.ClientTimeout(total=timeout)
        super().__init__(lambda: network.session(limits, admit=self._admit))
        self._base_url = base_url.rstrip("/")
        self._weight = weight
        self._attempts = attempts

    def _admit(self) -> None:
        """Stop a request at the last moment when a ban came while its connection was made."""
        if self._weight.ban_remaining():
            raise _Overtaken

    async def server_time(self) -> int:
        """The exchange's clock in milliseconds. One attempt: a late answer is of no use."""
        body = await self._get("time", {}, WEIGHT_TIME, "", Priority.CLOCK, attempts=1)
        return answers.server_time(body)

    async def exchange_info(self, symbols: list[str]) -> answers.ExchangeInfo:
        """Those of `symbols` that the exchange has. Adopts the exchange's weight limit.

        For more than an address can name the whole exchange is asked for. As that leaves out
        markets of some kinds, those that are not in it are asked for by name after all.
        """
        if not symbols:
            return answers.ExchangeInfo({}, None)
        if len(symbols) > MAX_NAMED:
            info = await self.whole_exchange_info(frozenset(symbols).__contains__)
            others = [symbol for symbol in symbols if symbol not in info.symbols]
            for start in range(0, len(others), MAX_NAMED):
                part = await self.exchange_info(others[start : start + MAX_NAMED])
                info.symbols.update(part.symbols)
            return info
        try:
            named = {"symbols": msgspec.json.encode(symbols).decode()}
            return await self._exchange_info(frozenset(symbols).__contains__, named)
        except RequestRefused as refusal:
            if refusal.code not in (answers.NO_SUCH_SYMBOL, answers.ILLEGAL_CHARACTERS):
                raise
            if len(symbols) == 1:
                return answers.ExchangeInfo({}, None)
            # One wrong symbol refuses the whole question: halve it to find out which.
            middle = len(symbols) // 2
            left = await self.exchange_info(symbols[:middle])
            right = await self.exchange_info(symbols[middle:])
            limit = left.weight_per_minute or right.weight_per_minute
            is_simulated = left.is_simulated or right.is_simulated
            return answers.ExchangeInfo(left.symbols | right.symbols, limit, is_simulated)

    async def whole_exchange_info(self, is_wanted: Callable[[str], bool]) -> answers.ExchangeInfo:
        """The wanted symbols of all that the exchange has, but for markets of some kinds."""
        return await self._exchange_info(is_wanted, {"showPermissionSets": "false"})

    async def _exchange_info(
        self, is_wanted: Callable[[str], bool], parameters: Parameters
    ) -> answers.ExchangeInfo:
        body = await self._get("exchangeInfo", parameters, WEIGHT_EXCHANGE_INFO, "", Priority.GAP)
        info = answers.exchange_info(body, is_wanted)
        if info.weight_per_minute is not None:
            self._weight.set_limit(info.weight_per_minute)
        return info

    async def agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int = MAX_ROWS,
        priority: Priority = Priority.GAP,
    ) -> Page:
        """One page of aggregate trades, at most 1000, all bounds inclusive, times in ms.

        With `from_id` or `start_time` the oldest first; with neither, the newest there are.
        `from_id` goes with no time. Rows that are no valid trades are in `malformed`.
        """
        parameters = _given(
            symbol=symbol, fromId=from_id, startTime=start_time, endTime=end_time, limit=limit
        )
        body = await self._get("aggTrades", parameters, WEIGHT_AGG_TRADES, symbol, priority)
        try:
            return rest_page(body, symbol)
        except MalformedTrade as error:
            raise ExchangeUnavailable(
                f"The exchange's trades of {symbol} cannot be read: {error}"
            ) from None

    async def newest(self, symbol: str, *, priority: Priority = Priority.GAP) -> Edge | None:
        """The newest aggregate trade, or None when there is none yet.

        Where the ids of the last rows cannot be read, they are taken to follow the others.
        """
        page = await self.agg_trades(symbol, limit=1, priority=priority)
        if page.malformed:
            page = await self.agg_trades(symbol, priority=priority)
        last = page.last_id
        return _edge(symbol, page, None if last is None else last + page.trailing)

    async def first_at(
        self, symbol: str, time_ms: int, *, priority: Priority = Priority.GAP
    ) -> Edge | None:
        """The oldest aggregate trade at or after `time_ms`, or None when there is none.

        Where the ids of rows cannot be read, they are taken to lie just before the first that can.
        """
        page = await self.agg_trades(symbol, start_time=time_ms, limit=1, priority=priority)
        if page.malformed:
            page = await self.agg_trades(symbol, start_time=time_ms, priority=priority)
        first = page.first_id
        return _edge(symbol, page, None if first is None else max(0, first - page.nameless))

    async def klines(
        self,
        symbol: str,
        interval: str,
        *,
        start_time: int | None = None,
        end_time: int | None = None,
        limit: int = MAX_ROWS,
        priority: Priority = Priority.HISTORY,
    ) -> list[Kline]:
        """The exchange's own candles, at most 1000, oldest first; `interval` such as "1m"."""
        parameters = _given(
            symbol=symbol, interval=interval, startTime=start_time, endTime=end_time, limit=limit
        )
        return klines(await self._get("klines", parameters, WEIGHT_KLINES, symbol, priority))

    async def quote(self, symbol: str) -> Quote:
        """The best bid and ask now."""
        weight = WEIGHT_BOOK_TICKER
        body = await self._get(
            "ticker/bookTicker", {"symbol": symbol}, weight, symbol, Priority.REQUEST
        )
        return rest_quote(body)

    async def quotes(self) -> dict[str, Quote]:
        """The best bid and ask of every symbol of the exchange now."""
        weight = WEIGHT_BOOK_TICKERS
        body = await self._get("ticker/bookTicker", {}, weight, "", Priority.REQUEST)
        return rest_quotes(body)

    async def _get(
        self,
        path: str,
        parameters: Parameters,
        weight: int,
        symbol: str,
        priority: Priority,
        *,
        attempts: int | None = None,
    ) -> bytes:
        """The body of a 200 answer."""
        last = attempts or self._attempts
        attempt = 0
        while True:
            attempt += 1
            try:
                status, body = await self._send(path, parameters, weight, symbol, priority)
            except _Overtaken:
                attempt -= 1
                continue
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                fault = f"{type(error).__name__} {error}".strip()
            else:
                if status == 200:
                    return body
                if status < 500:
                    raise answers.refusal(path, status, body)
                fault = f"status {status}: {excerpt(body)}"
            if attempt >= last:
                raise ExchangeUnavailable(
                    f"No answer from {self._base_url} to {path} after {attempt} attempts "
                    f"({fault}): check the network and the exchange's status page"
                )
            await asyncio.sleep(pause_before(attempt))

    async def _send(
        self, path: str, parameters: Parameters, weight: int, symbol: str, priority: Priority
    ) -> tuple[int, bytes]:
        """Send once; returns status and body, or raises RateLimited."""
        url = f"{self._base_url}/api/v3/{path}"
        async with self._weight.request(weight, symbol, priority) as receipt:
            try:
                async with self.session.get(
                    url,
                    params=parameters,
                    headers={"Accept-Encoding": ENCODING},
                    allow_redirects=False,
                ) as response:
                    receipt.used_weight = whole_number(response.headers.get("X-MBX-USED-WEIGHT-1M"))
                    if response.status in (418, 429):
                        wait = whole_number(response.headers.get("Retry-After"))
                        retry_at = self._weight.refused(response.status, wait)
                        raise RateLimited(
                            f"The exchange answered {response.status}: nothing is sent for "
                            f"{self._weight.ban_remaining():.0f} s; lower the share of the "
                            "request weight if this repeats",
                            retry_at,
                        )
                    return response.status, await read_body(response)
            except _Overtaken:
                receipt.sent = False
                raise


def _edge(symbol: str, page: Page, aggregate_id: int | None) -> Edge | None:
    if page.malformed and not page.trades:
        raise ExchangeUnavailable(
            f"No trade of {symbol} can be read; the first: {page.malformed[0].error}"
        )
    if aggregate_id is None:
        return None
    trade = next((trade for trade in page.trades if trade.aggregate_id == aggregate_id), None)
    return Edge(aggregate_id, trade)


def _given(**parameters: str | int | None) -> Parameters:
    return {name: value for name, value in parameters.items() if value is not None}
