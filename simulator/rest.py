"""The exchange's REST API: market data under `/api/v3`, with weights, limits and errors."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import orjson
from aiohttp import web

from simulator import klines, wire
from simulator.book import last_quote
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.lies import Lies
from simulator.limits import BANNED, TOO_MANY, Gate
from simulator.market import Market
from simulator.params import Params, bad_combination
from simulator.script import Script
from simulator.ticker import AVERAGE_MINUTES, Minutes, Ticker
from simulator.trades import raw_trades

DEFAULT_LIMIT: Final = 500
MAX_LIMIT: Final = 1000
_FAR_FUTURE_MS: Final = 10**14
MAX_ADDRESS_BYTES: Final = 8192
"""The longest path and query that the exchange's front takes."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Handles the REST requests of an exchange."""

    markets: Mapping[str, Market]
    clock: Clock
    gate: Gate
    script: Script
    lies: Lies
    minutes: Mapping[str, Minutes]

    def routes(self) -> list[web.RouteDef]:
        """Return the routes with their weights."""
        table: list[tuple[str, int, Callable[[web.Request], Awaitable[web.Response]]]] = [
            ("ping", 1, self.ping),
            ("time", 1, self.time),
            ("exchangeInfo", 20, self.exchange_info),
            ("aggTrades", 4, self.agg_trades),
            ("trades", 25, self.trades),
            ("klines", 2, self.klines),
            ("uiKlines", 2, self.klines),
            ("avgPrice", 2, self.average_price),
            ("ticker", 4, self.ticker),
            ("ticker/24hr", 2, self.ticker_24hr),
            ("ticker/price", 2, self.ticker_price),
            ("ticker/bookTicker", 2, self.book_ticker),
        ]
        return (
            [
                web.get(f"/api/v3/{path}", self._guarded(weight, answer))
                for path, weight, answer in table
            ]
            + [
                web.get(f"/{kind}/v1/exchangeInfo", self._guarded(1, self.no_futures))
                for kind in ("fapi", "dapi")
            ]
            + [web.route("*", "/api/{rest:.*}", self._guarded(1, self.unknown))]
        )

    async def ping(self, request: web.Request) -> web.Response:
        """Respond to a connectivity check."""
        Params(request.query)
        return _json({})

    async def time(self, request: web.Request) -> web.Response:
        """Return the exchange's time in milliseconds."""
        Params(request.query)
        return _json({"serverTime": max(0, self.clock.now() // 1000 + self.lies.time_ms)})

    async def exchange_info(self, request: web.Request) -> web.Response:
        """Describe the symbols; `simulated` is what the real exchange never has."""
        params = Params(
            request.query, "symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"
        )
        status = params.choice("symbolStatus", "TRADING", "HALT", "BREAK")
        shown = params.choice("showPermissionSets", "true", "false") != "false"
        named = params.markets(self.markets)
        if named is not None and status is not None:
            raise bad_combination()
        chosen = named or [
            market for market in self.markets.values() if status in (None, market.status)
        ]
        limits = self.gate.limits
        return _json(
            {
                "simulated": True,
                "timezone": "UTC",
                "serverTime": self.clock.now() // 1000,
                "rateLimits": [
                    {
                        "rateLimitType": "REQUEST_WEIGHT",
                        "interval": "MINUTE",
                        "intervalNum": 1,
                        "limit": limits.weight,
                    },
                    {
                        "rateLimitType": "RAW_REQUESTS",
                        "interval": "MINUTE",
                        "intervalNum": 5,
                        "limit": 61_000,
                    },
                ],
                "exchangeFilters": [],
                "symbols": [
                    _symbol_info(market) | ({} if shown else {"permissionSets": []})
                    for market in chosen
                ],
            }
        )

    async def agg_trades(self, request: web.Request) -> web.Response:
        """Return aggregate trades, oldest first, by id or by time."""
        params = Params(request.query, "symbol", "fromId", "startTime", "endTime", "limit")
        market = params.market(self.markets)
        from_id, limit = params.integer("fromId"), params.limit(DEFAULT_LIMIT, MAX_LIMIT)
        start, end = params.window()
        now = self.clock.now()
        if from_id is not None:
            if start is not None or end is not None:
                raise bad_combination()
            found = market.trades(from_id, limit, now)
        else:
            until = now if end is None else min(now, end * 1000 + 999)
            if start is None:
                found = market.before(market.source.last_id(until) + 1, limit)
            else:
                first = market.source.id_at(min(start, _FAR_FUTURE_MS) * 1000)
                found = market.trades(first, limit, until)
            # A recorded trade may be older than its predecessor.
            times = found.time_ms
            found = found[(times >= (start or 0)) & (times <= until // 1000)]
        if self.lies.newest and from_id is start is end is None:
            found = replace(found, ids=np.maximum(found.ids + self.lies.newest, 0))
        rows = self.lies.texts(market.symbol, found.ids.tolist(), wire.rest_rows(found))
        return _text(f"[{','.join(rows)}]")

    async def klines(self, request: web.Request) -> web.Response:
        """Return klines by open time: from `startTime` on, or the newest ones."""
        params = Params(
            request.query, "symbol", "interval", "startTime", "endTime", "limit", "timeZone"
        )
        market, frame = params.market(self.markets), params.frame()
        limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)
        start, end = params.window()
        # Folding millions of trades is slow and must not block the streams.
        found = await asyncio.to_thread(
            klines.klines,
            market,
            frame,
            None if start is None else min(start, _FAR_FUTURE_MS),
            _FAR_FUTURE_MS if end is None else end,
            self.clock.now(),
            limit,
        )
        return _json([kline.row() for kline in found])

    async def trades(self, request: web.Request) -> web.Response:
        """Return the newest raw trades, oldest first."""
        params = Params(request.query, "symbol", "limit")
        market, limit = params.market(self.markets), params.limit(DEFAULT_LIMIT, MAX_LIMIT)
        last_id = market.source.last_id(self.clock.now())
        raw = list(raw_trades(market.before(last_id + 1, limit)))
        return _json([wire.raw_row(trade) for trade in raw[-limit:]])

    async def average_price(self, request: web.Request) -> web.Response:
        """Return the average price of the latest minutes."""
        market = Params(request.query, "symbol").market(self.markets)
        found = await self._ticker(market, AVERAGE_MINUTES)
        if found is None:
            raise ApiError(-1000, "There has been no trade yet.")
        price, last = wire.decimal(found.average), market.last_trade(self.clock.now())
        close_ms = int(last.time_ms[0])
        return _json({"mins": AVERAGE_MINUTES, "price": price, "closeTime": close_ms})

    async def ticker(self, request: web.Request) -> web.Response:
        """Return the figures of a window of some symbols."""
        params = Params(request.query, "symbol", "symbols", "windowSize", "type")
        kind, minutes = params.choice("type", "FULL", "MINI"), params.window_minutes()
        chosen = params.markets(self.markets)
        if chosen is None:
            raise ApiError(-1128, "Either symbol or symbols has to be sent.")
        found = [await self._ticker(market, minutes) for market in chosen]
        rows = [ticker.mini() if kind == "MINI" else ticker.figures() for ticker in found if ticker]
        return _one_or_all(request, rows)

    async def ticker_24hr(self, request: web.Request) -> web.Response:
        """Return the figures of the latest 24 hours of one symbol, some, or all."""
        params = Params(request.query, "symbol", "symbols", "type")
        kind = params.choice("type", "FULL", "MINI")
        chosen = params.markets(self.markets)
        if chosen is None:
            self.gate.charge(_ip(request), 78)  # all symbols: weight 80
        rows = []
        for market in chosen or list(self.markets.values()):
            if (found := await self._ticker(market)) is not None:
                now = self.clock.now()
                rows.append(found.mini() if kind == "MINI" else found.full(market, now))
        return _one_or_all(request, rows)

    async def ticker_price(self, request: web.Request) -> web.Response:
        """Return the newest price of one symbol, some, or all."""
        chosen = Params(request.query, "symbol", "symbols").markets(self.markets)
        if chosen is None:
            self.gate.charge(_ip(request), 2)  # all symbols: weight 4
        now = self.clock.now()
        lasts = [(market, market.last_trade(now)) for market in chosen or self.markets.values()]
        return _one_or_all(
            request,
            [
                {"symbol": market.symbol, "price": wire.decimal(int(last.price[0]))}
                for market, last in lasts
                if len(last)
            ],
        )

    async def no_futures(self, request: web.Request) -> web.Response:
        """Describe an exchange of futures that has no symbols."""
        Params(request.query)
        return _json(
            {
                "timezone": "UTC",
                "serverTime": self.clock.now() // 1000,
                "rateLimits": [],
                "exchangeFilters": [],
                "assets": [],
                "symbols": [],
            }
        )

    async def _ticker(self, market: Market, *minutes: int) -> Ticker | None:
        now, found = self.clock.now(), self.minutes.get(market.symbol)
        return await asyncio.to_thread(found.ticker, now, *minutes) if found else None

    async def book_ticker(self, request: web.Request) -> web.Response:
        """Return the best bid and ask of one symbol, some, or all."""
        params = Params(request.query, "symbol", "symbols")
        chosen = params.markets(self.markets)
        if chosen is None:
            self.gate.charge(_ip(request), 2)  # all symbols: weight 4
        now = self.clock.now()
        quotes = [
            found.answer(market.symbol)
            for market in chosen or self.markets.values()
            if (found := last_quote(market, now))
        ]
        return _one_or_all(request, quotes)

    async def unknown(self, request: web.Request) -> web.Response:
        """Respond to an unknown path."""
        raise ApiError(-1000, f"{request.path}: no such path in this exchange.", status=404)

    def _guarded(
        self, weight: int, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a handler with limits, scripted responses, errors and the log."""

        async def guarded(request: web.Request) -> web.Response:
            arrived, ip = time.time(), _ip(request)
            waiting, early = self.gate.blocked(ip), False
            if len(request.raw_path) > MAX_ADDRESS_BYTES:
                response = web.Response(status=414, text="<html>414 Request-URI Too Large</html>")
            elif waiting:
                early = self.gate.ignored(ip)
                response = _limited(*(self.gate.blocked(ip) or waiting))
            else:
                response = await self._answer(request, ip, weight, answer)
            used = self.gate.used(ip)
            response.headers["X-MBX-USED-WEIGHT"] = str(used)
            response.headers["X-MBX-USED-WEIGHT-1M"] = str(used)
            retry_after = response.headers.get("Retry-After")
            self.gate.record(
                ip,
                request.method,
                request.path_qs,
                status=response.status,
                weight=weight,
                retry_after=int(retry_after) if retry_after else None,
                early=early,
                arrived=arrived,
            )
            return response

        return guarded

    async def _answer(
        self,
        request: web.Request,
        ip: str,
        weight: int,
        answer: Callable[[web.Request], Awaitable[web.Response]],
    ) -> web.Response:
        scripted = self.script.take(request.path)
        if scripted:
            if scripted.status in (TOO_MANY, BANNED) and scripted.retry_after:
                self.gate.block(ip, scripted.status, scripted.retry_after)
                return _limited(scripted.status, scripted.retry_after)
            ordered = await scripted.play(request)
            if ordered is not None:
                return ordered
        self.gate.charge(ip, weight)
        waiting = self.gate.blocked(ip)
        if waiting:
            return _limited(*waiting)
        try:
            if request.method != "GET":
                raise ApiError(-1000, "Only GET is served.", status=405)
            return await answer(request)
        except ApiError as error:
            return _json({"code": error.code, "msg": str(error)}, status=error.status)


def _one_or_all(request: web.Request, rows: Sequence[object]) -> web.Response:
    """Respond with the one row of `symbol`, or with all rows."""
    return _json(rows[0] if "symbol" in request.query and rows else rows)


def _limited(status: int, retry_after: int) -> web.Response:
    if status == BANNED:
        until = int((time.time() + retry_after) * 1000)
        message = f"Way too much request weight used; IP banned until {until}. Please use WebSocket"
    else:
        message = "Too much request weight used. Please use WebSocket"
    response = _json(
        {"code": -1003, "msg": f"{message} Streams for live updates to avoid polling the API."},
        status=status,
    )
    response.headers["Retry-After"] = str(retry_after)
    return response


def _symbol_info(market: Market) -> dict[str, object]:
    asset = market.asset
    most = 10**17  # 1e9 units
    return {
        "symbol": asset.symbol,
        "status": market.status,
        "baseAsset": asset.base,
        "baseAssetPrecision": 8,
        "quoteAsset": asset.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": wire.decimal(asset.tick),
                "maxPrice": wire.decimal(most),
                "tickSize": wire.decimal(asset.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": wire.decimal(asset.step),
                "maxQty": wire.decimal(most),
                "stepSize": wire.decimal(asset.step),
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def _ip(request: web.Request) -> str:
    return request.remote or "unknown"


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json", charset="utf-8"
    )


def _text(value: str) -> web.Response:
    return web.Response(text=value, content_type="application/json")
