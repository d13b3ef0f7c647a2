"""The exchange: its markets, its clock, and what it answers over REST, as its faults let it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from tests.world.archive import Answer, Archive
from tests.world.chance import chance
from tests.world.faults import Faults
from tests.world.market import Made, Market, decimal
from tests.world.plan import EVERY, SYMBOLS, Event, Plan

WEIGHTS: Final = {"time": 1, "aggTrades": 4, "exchangeInfo": 20}
BODIES: Final = (
    *(b"", b"[]", b"{}", b"null", b"<html>busy</html>", b'[{"a":1}]', b"[1,2", b'"x"'),
    *[b'[{"a":1000000000}]'] * 4,
)
TIME_LIES: Final = (74 * 365 * 86_400_000, 3_600_000, -3_600_000, 5_000, -5_000, 1_500)
NEWEST_LIES: Final = (10**9, 5_000, 500, -5_000)

NO_SYMBOL: Final[Answer] = (400, {}, b'{"code":-1121,"msg":"Invalid symbol."}')


class Unreadable(NamedTuple):
    """Ids whose trades are sent so that nobody can read them."""

    event: Event
    symbol: str
    from_id: int
    to_id: int


def _put(name: str, value: str) -> Callable[[str], str]:
    """Replaces the value of a field of a row."""

    def change(row: str) -> str:
        head, _, tail = row.partition(f'"{name}":')
        return f'{head}"{name}":{value},{tail.partition(",")[2]}'

    return change


FORMS: Final[Sequence[Callable[[str], str]]] = (
    _put("p", '"1,5"'),
    _put("q", "null"),
    _put("a", '"?"'),
    lambda _: "{}",
)
"""Ways to be unreadable; two of them hide the id."""


class Exchange:
    """The markets of a plan, and what is asked of them."""

    def __init__(self, plan: Plan, faults: Faults, now_s: Callable[[], float]) -> None:
        self.faults = faults
        self.markets = {symbol: _market(plan, symbol) for symbol in SYMBOLS[: plan.symbols]}
        self.weight_limit = plan.weight_limit
        self.used_weight = 0
        self.banned_until = 0.0
        self._unreadable: list[Unreadable] = []
        self._skipped: list[tuple[str, int, int, float]] = []
        """Symbol, first and last id, and until when they are passed over."""
        self._confirm_seconds = plan.confirm_seconds
        self._minute = 0
        self._start_s = now_s()
        self._start_ms = plan.start_ms
        self._now_s = now_s
        self.archive = Archive(self.markets, faults, self.now_ms)

    def now_ms(self) -> int:
        """The true time of the exchange."""
        return self._start_ms + int((self._now_s() - self._start_s) * 1000)

    def symbols_of(self, event: Event) -> Sequence[str]:
        """The symbols that an event is about."""
        return list(self.markets) if event.symbol == EVERY else [SYMBOLS[event.symbol]]

    # Trades as they are written ------------------------------------------------------------------

    def spoil(self, event: Event, luck: random.Random) -> None:
        """Let ids about the newest one be unreadable for as long as the event goes on."""
        for symbol in self.symbols_of(event):
            first = self.markets[symbol].next_id + luck.randint(-20, 20)
            last = first + luck.choice((0, 0, 5, 70))
            self._unreadable.append(Unreadable(event, symbol, first, last))

    def heal(self, event: Event) -> None:
        """Let the ids of an event be readable again."""
        self._unreadable = [each for each in self._unreadable if each.event != event]

    def skip(self, event: Event, luck: random.Random) -> None:
        """Pass over ids about the newest one for a while, though they exist; not for so long that
        they count as absent."""
        seconds = min(event.seconds, 0.6 * self._confirm_seconds)
        for symbol in self.symbols_of(event):
            first = self.markets[symbol].next_id + luck.randint(-5, 5)
            last = first + luck.choice((0, 0, 3, 20))
            self._skipped.append((symbol, first, last, self._now_s() + seconds))

    def is_skipped(self, symbol: str, item: Made) -> bool:
        """Whether a trade is neither sent nor given by its id for now."""
        return any(
            name == symbol and first <= item.trade.aggregate_id <= last and self._now_s() < until
            for name, first, last, until in self._skipped
        )

    def row(self, symbol: str, item: Made, extra: str = "") -> str:
        """A trade as the exchange writes it; `extra` are fields before the others."""
        trade = item.trade
        if trade.is_tombstone:
            price = quantity = "0"
        else:
            price, quantity = decimal(trade.price), decimal(trade.quantity)
        micro = "000" if self.faults.of("microseconds", symbol) else ""
        row = (
            f'{{{extra}"a":{trade.aggregate_id},"p":"{price}","q":"{quantity}",'
            f'"f":{trade.first_trade_id},"l":{trade.last_trade_id},"T":{trade.timestamp}{micro},'
            f'"m":{"true" if trade.is_buyer_maker else "false"},"M":true}}'
        )
        for each in self._unreadable:
            if each.symbol == symbol and each.from_id <= trade.aggregate_id <= each.to_id:
                return FORMS[int(each.event.amount * 3.99)](row)
        return row

    # REST ----------------------------------------------------------------------------------------

    def answer(self, path: str, parameters: Mapping[str, str | int]) -> Answer:
        """The answer to a request that has just arrived."""
        weight = WEIGHTS[path]
        refused = self._refused(weight)
        if refused is not None:
            return refused
        status, headers, body = getattr(self, f"_{path}")(parameters)
        headers = {**headers, "X-MBX-USED-WEIGHT-1M": str(self.used_weight)}
        if self.faults.of("body"):
            event = self.faults.of("body")
            assert event is not None
            return 200, headers, BODIES[int(event.amount * (len(BODIES) - 0.01))]
        return status, headers, body

    def _refused(self, weight: int) -> Answer | None:
        now = self._now_s()
        minute = self.now_ms() // 60_000
        if minute != self._minute:
            self._minute, self.used_weight = minute, 0
        faults = self.faults
        for kind, status in (("403", 403), ("5xx", 503)):
            if faults.of(kind):
                return status, {}, b'{"code":-1000,"msg":"?"}'
        for kind, status in (("429", 429), ("418", 418)):
            event = faults.of(kind)
            if event is not None:
                # Now and then without a word on how long.
                wait = 1 + int(event.amount * 20)
                return status, {"Retry-After": str(wait)} if event.amount > 0.2 else {}, b"{}"
        if now < self.banned_until:
            wait = int(self.banned_until - now) + 1
            return 418, {"Retry-After": str(wait)}, b"{}"
        foreign = faults.of("foreign weight")
        if foreign is not None:
            self.used_weight += int(foreign.amount * self.weight_limit)
            faults.end(foreign)
        self.used_weight += weight
        if self.used_weight > self.weight_limit:
            wait = 60 - self.now_ms() // 1000 % 60
            self.banned_until = now + wait
            return 429, {"Retry-After": str(wait)}, b'{"code":-1003,"msg":"Too much."}'
        return None

    def _time(self, _: Mapping[str, str | int]) -> Answer:
        lie = self.faults.of("time")
        off = TIME_LIES[int(lie.amount * 5.99)] if lie is not None else 0
        return 200, {}, b'{"serverTime":%d}' % (self.now_ms() + off)

    def _exchangeInfo(self, parameters: Mapping[str, str | int]) -> Answer:  # noqa: N802
        listed = [name for name, market in self.markets.items() if market.is_listed]
        wanted = json.loads(str(parameters["symbols"])) if "symbols" in parameters else listed
        if any(name not in self.markets or not self.markets[name].is_listed for name in wanted):
            return NO_SYMBOL
        symbols = [
            {"symbol": name, "status": "TRADING", "baseAsset": name[:3], "quoteAsset": name[3:]}
            for name in wanted
        ]
        limit = {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": self.weight_limit,
        }
        return 200, {}, json.dumps({"symbols": symbols, "rateLimits": [limit]}).encode()

    def _aggTrades(self, parameters: Mapping[str, str | int]) -> Answer:  # noqa: N802
        symbol = str(parameters["symbol"])
        market = self.markets[symbol]
        if not market.is_listed:
            return NO_SYMBOL
        limit = int(parameters["limit"])
        short = self.faults.of("short", symbol)
        if short is not None:
            limit = max(1, int(limit * short.amount / 4))
        if self.faults.of("empty", symbol):
            return 200, {}, b"[]"
        shift = 0
        if "fromId" in parameters:
            found = market.page(int(parameters["fromId"]), limit)
            # The last one stays: an answer that ends too early says nothing of what follows.
            found = [i for i in found[:-1] if not self.is_skipped(symbol, i)] + found[-1:]
        elif "startTime" in parameters:
            start, end = int(parameters["startTime"]), int(parameters.get("endTime", 1 << 60))
            found = market.since(start, end, limit)
        else:
            found = market.newest(limit)
            lie = self.faults.of("newest", symbol)
            shift = NEWEST_LIES[int(lie.amount * 3.99)] if lie is not None else 0
        rows = [self.row(symbol, item) for item in found]
        if shift:
            rows = [
                row.replace(
                    f'"a":{item.trade.aggregate_id}',
                    f'"a":{max(0, item.trade.aggregate_id + shift)}',
                )
                for row, item in zip(rows, found, strict=True)
            ]
        return 200, {}, f"[{','.join(rows)}]".encode()


def _market(plan: Plan, symbol: str) -> Market:
    """A market with the trades of its past."""
    luck = chance(plan.seed, "market", symbol)
    market = Market(symbol, luck.choice((0, 0, 1000, 10**9)), luck)
    now_ms = plan.start_ms - plan.past_minutes * 60_000
    every = 60_000 / plan.trades_a_minute
    while plan.past_minutes:
        now_ms += int(luck.expovariate(1) * every)
        if now_ms >= plan.start_ms:
            break
        market.make(now_ms)
    return market
