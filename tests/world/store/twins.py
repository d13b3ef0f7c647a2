"""A modelled store and one on the engine, to which the same is done: every answer has to agree."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from handlers.native.forms import CANDLES, TRADES
from ingest.core.errors import MalformedTrade
from ingest.core.fixed import text
from ingest.core.keep import DAY_MS
from ingest.core.timeframe import MINUTE_MS, bucket_start, width_ms
from ingest.core.trade import Trade
from ingest.storage import ConfirmedGap, Selection, Store
from ingest.storage.connection import Connection

from .disk import Disk
from .engine import EngineStore
from .model import ModelStore
from .weather import Calm

T = TypeVar("T")

TIMEFRAMES = (1, 2, 5, 7, 60, 173, 2850, 2880)
EDGE_MS = 1_701_388_800_000
"""The first of December 2023."""
MOST_MS = EDGE_MS + 30 * DAY_MS
FIRST_ID = 100
STEPS_MS = (0, 700, 20_000, 50_000, 400_000, 9_000_000)
EXPIRED_S = 20.0
_SYMBOLS = itertools.count()


class Still(Calm):
    """Calm weather whose clock the test moves."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def now_s(self) -> float:
        """Seconds as the test has set them."""
        return self.time_s


class Twins:
    """Both stores, and the trades that were stored in them."""

    def __init__(self, opened: Connection, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.opened = opened
        self.weather = Still()
        self.disk = Disk()
        number = next(_SYMBOLS)
        self.symbols = (f"A{number}USDT", f"B{number}USDT")
        self.newest = dict.fromkeys(self.symbols, EDGE_MS - self.draw(st.integers(0, 2)) * 200_000)
        """The time of the newest trade of each symbol."""
        self.made: dict[str, dict[int, Trade]] = {symbol: {} for symbol in self.symbols}
        """The trades by id, as they were made last."""
        self.open()

    def open(self) -> None:
        """Start a process on each."""
        self.model = ModelStore(self.disk, self.weather)
        self.engine = EngineStore(self.opened, self.weather)

    def both(self, call: Callable[[Store], T]) -> T:
        """Do the same to both, and compare the answers."""
        model, engine = call(self.model), call(self.engine)
        assert model == engine
        return model

    # Drawing -------------------------------------------------------------------------------------

    def one(self, *choices: T) -> T:
        """One of some choices."""
        chosen: T = self.draw(st.sampled_from(choices))
        return chosen

    def number(self, least: int, most: int) -> int:
        """A whole number between these."""
        drawn: int = self.draw(st.integers(least, most))
        return drawn

    def symbol(self) -> str:
        """One of the symbols, mostly the first."""
        return self.one(self.symbols[0], *self.symbols)

    def time(self, symbol: str) -> int:
        """A time around the trades of a symbol."""
        trades = list(self.made[symbol].values())
        base = self.one(*trades).timestamp if trades else EDGE_MS
        return base + self.one(-DAY_MS, -400_000, -1, 0, 1, 60_000, 400_000, DAY_MS)

    def minute(self, symbol: str) -> int:
        """The start of a minute around the trades of a symbol."""
        return bucket_start(self.time(symbol), 1)

    def id(self, symbol: str) -> int:
        """An id around those of a symbol."""
        return self.number(FIRST_ID - 2, max(self.made[symbol], default=FIRST_ID) + 2)

    # What the pipeline does ----------------------------------------------------------------------

    def trade(self, symbol: str, id_: int, time_ms: int) -> Trade:
        """A new trade, seldom a tombstone."""
        if self.number(0, 9) == 0:
            made = Trade(id_, 0, 0, -1, -1, time_ms, False)
        else:
            price, quantity = self.one(1, 7, 10**8, 10**15), self.one(1, 3, 10**8, 10**13)
            price, quantity = price * self.number(1, 99), quantity * self.number(1, 9)
            last = id_ * 10 + self.number(0, 2)
            made = Trade(id_, price, quantity, id_ * 10, last, time_ms, self.one(True, False))
        self.made[symbol][id_] = made
        return made

    def batch(self, symbol: str) -> list[Trade]:
        """New trades, some after a jump and some late, repeats, and trades that have moved."""
        trades = []
        made = self.made[symbol]
        for _ in range(self.number(1, 6)):
            what = self.number(0, 19)
            if what < 13 or not made:
                id_ = max(made, default=FIRST_ID - 1) + self.one(1, 1, 1, 1, 3)
                self.newest[symbol] += self.one(*STEPS_MS)
                late = self.one(0, 0, 0, 1500, 70_000, 600_000)
                trades.append(self.trade(symbol, id_, self.newest[symbol] - late))
            elif what < 15:
                missing = set(range(FIRST_ID, max(made))) - made.keys()
                if missing:
                    id_ = self.one(*sorted(missing))
                    trades.append(self.trade(symbol, id_, self.time(symbol)))
            else:
                trade = self.one(*made.values())
                if what == 19:
                    trade = made[trade.aggregate_id] = _moved(trade, self.time(symbol))
                trades.append(trade)
        # In one batch a trade has one time.
        return [made[trade.aggregate_id] for trade in trades]

    def insert(self) -> None:
        """Trades come in."""
        symbols = self.symbols if self.number(0, 3) == 0 else (self.symbol(),)
        batch = {symbol: self.batch(symbol) for symbol in symbols}
        self.both(lambda store: store.trades.insert(batch))

    def insert_lines(self) -> None:
        """Trades of an archive come in; sometimes a line is none."""
        symbol = self.symbol()
        trades = self.batch(symbol)
        times = [trade.timestamp for trade in trades] or [EDGE_MS]
        since = bucket_start(min(times), 1)
        until = bucket_start(max(times), 1) + self.one(MINUTE_MS, MINUTE_MS, 0)
        lines = b"".join(map(_line, trades)) + self.one(b"", b"", b"", b"no trade\n")

        def insert(store: Store) -> bool:
            try:
                store.trades.insert_lines(symbol, lines, since, until)
            except MalformedTrade:
                return False
            return True

        if not self.both(insert):
            self.both(lambda store: store.trades.insert({symbol: trades}))

    def settle(self) -> None:
        """Minutes that have ended are recomputed."""
        closed = {symbol: bucket_start(self.newest[symbol], 1) for symbol in self.symbols}
        for symbol in self.symbols:
            closed[symbol] += self.one(0, 0, -600_000, MINUTE_MS)
        spans = self.both(lambda store: store.candles.unsettled(closed))
        if self.number(0, 4):
            close = self.one(True, False)
            self.both(lambda store: store.candles.recompute(spans, close=close))
            until = {symbol: closed[symbol] for symbol in spans}
            if self.number(0, 1):
                self.both(lambda store: store.candles.close(until))

    def recompute(self) -> None:
        """Any closed minutes are recomputed."""
        symbol = self.symbol()
        since = self.minute(symbol)
        until = min(since + self.one(1, 5, 2000) * MINUTE_MS, bucket_start(self.newest[symbol], 1))
        self.both(lambda store: store.candles.recompute({symbol: [(since, until)]}))

    def materialize(self) -> None:
        """A timeframe comes into use, or goes out of it."""
        symbol, timeframe = self.symbol(), self.one(*TIMEFRAMES)
        pair = (symbol, timeframe)
        if self.number(0, 2) == 0:
            if pair in self.model.candles.pairs:
                self.both(lambda store: store.candles.drop(*pair))
        else:
            self.both(lambda store: store.candles.delete_dropped([pair]))
            self.both(lambda store: store.candles.materialize(*pair))
        self.both(
            lambda store: (
                self.own_pairs(store.candles.pairs),
                self.own_pairs(store.candles.dropped),
            )
        )

    def add_levels(self) -> None:
        """Levels are added to the symbols that lack them."""
        self.both(lambda store: store.candles.add_levels(100_000))
        self.both(lambda store: [store.candles.written(symbol) for symbol in self.symbols])

    def expire(self) -> None:
        """Old data is kept no longer."""
        symbol = self.symbol()
        days = [self.time(symbol) // DAY_MS * DAY_MS for _ in range(2)]
        lines = (*days, bucket_start(days[0], 1), self.id(symbol))
        self.both(lambda store: store.retention.expire(symbol, *lines))
        self.both(lambda store: store.retention.line(symbol))
        until = time.monotonic() + EXPIRED_S
        while self.engine.connection.rows(
            "SELECT 1 FROM system.mutations WHERE database = currentDatabase() AND NOT is_done"
        ):
            assert time.monotonic() < until
            time.sleep(0.005)

    def remove(self) -> None:
        """The newest trades turn out to be impossible."""
        symbol = self.symbol()
        made = self.made[symbol]
        first = max(made, default=FIRST_ID) - self.number(0, 4)
        self.both(lambda store: store.trades.remove_from(symbol, first))
        self.made[symbol] = {id_: trade for id_, trade in made.items() if id_ < first}

    def confirm(self) -> None:
        """The exchange does not have some ids."""
        symbol, first = self.symbol(), self.id(self.symbols[0])
        last = first + self.number(0, 3)
        self.both(lambda store: store.gaps.confirm(symbol, first, last, 3))

    def restart(self) -> None:
        """The processes end, in order or not, and others start."""
        is_in_order = self.one(True, False)
        for store in (self.model, self.engine):
            (store.close if is_in_order else store.kill)()
        self.open()

    def wait(self) -> None:
        """Time passes: what is known will be noted."""
        self.weather.time_s += 11

    # What is read --------------------------------------------------------------------------------

    def read_candles(self) -> None:
        """Candles of one timeframe are read."""
        symbol, timeframe = self.symbol(), self.one(*TIMEFRAMES)
        before, limit = self.minute(symbol), self.number(1, 8)
        self.both(lambda store: store.candles.read(symbol, timeframe, before, limit))
        self.both(lambda store: store.candles.bases(symbol, TIMEFRAMES, before))
        self.both(lambda store: store.candles.newest_traded(symbol, timeframe))
        self.both(lambda store: store.candles.previous_close(symbol, timeframe, before))
        self.both(lambda store: store.candles.first_minute(symbol))
        self.both(lambda store: store.candles.watermark(symbol))
        self.both(lambda store: store.candles.views(symbol))

    def read_page(self) -> None:
        """Candles are read as rows."""
        symbol, timeframe = self.symbol(), self.one(*TIMEFRAMES)
        width = width_ms(timeframe)
        start = bucket_start(self.time(symbol), timeframe)
        end = start + self.number(0, 12) * width
        whole_from = self.one(0, 0, self.time(symbol))
        self.both(
            lambda store: store.pages.candle_rows(
                symbol, timeframe, start, end, CANDLES, whole_from
            )
        )

    def read_trades(self) -> None:
        """Trades of one symbol are read."""
        symbol, limit = self.symbol(), self.number(1, 6)
        id_, time_ms, later = self.id(symbol), self.time(symbol), self.time(symbol)
        selection = Selection(
            symbol,
            self.one(None, time_ms),
            self.one(None, later),
            self.one(None, id_),
            self.one(None, id_ + limit),
        )
        end_time = self.one(None, time_ms)
        self.both(lambda store: store.trades.page(selection, limit, TRADES))
        self.both(lambda store: store.trades.last_id_of_page(selection, limit))
        self.both(lambda store: store.trades.latest(symbol, limit, TRADES, end_time=end_time))
        self.both(lambda store: store.trades.latest_selection(symbol, limit, end_time))
        self.both(lambda store: store.trades.time_of(symbol, id_))
        self.both(lambda store: store.trades.newest_time_from(symbol, id_))
        self.both(lambda store: store.trades.since(symbol, time_ms))
        self.both(lambda store: store.trades.folded(symbol, time_ms, later))
        self.both(lambda store: store.trades.tombstones(symbol, time_ms, later))
        self.both(lambda store: store.trades.missing(symbol, id_, id_ + limit))

    def compare(self) -> None:
        """All that is stored is the same."""
        for symbol in self.symbols:
            self.compare_symbol(symbol)
        self.both(lambda store: self.own(store.trades.high_water()))
        self.both(lambda store: self.own(store.trades.newest_minutes()))
        self.both(lambda store: self.own(store.trades.id_ranges()))
        self.both(lambda store: self.own(_untimed(store.gaps.confirmed())))
        self.both(lambda store: store.candles.unsettled(dict.fromkeys(self.symbols, MOST_MS)))

    def audit(self) -> None:
        """Compare what is stored with the trades, and repair it."""
        self.both(lambda store: sorted(map(str, store.audit.run(self.symbols, repair=False))))
        self.both(lambda store: sorted(map(str, store.audit.run(self.symbols, repair=True))))

    def compare_symbol(self, symbol: str) -> None:
        """All that is stored of a symbol is the same."""
        self.both(lambda store: store.trades.since(symbol, 0))
        self.both(lambda store: store.trades.id_range(symbol))
        self.both(lambda store: [store.candles.read(symbol, t, MOST_MS, 5) for t in TIMEFRAMES])
        self.both(lambda store: store.candles.views(symbol))

    def own(self, answer: dict[str, T]) -> dict[str, T]:
        """An answer without the symbols of other examples."""
        return {symbol: answer[symbol] for symbol in self.symbols if symbol in answer}

    def own_pairs(self, pairs: frozenset[tuple[str, int]]) -> set[tuple[str, int]]:
        """The pairs of this example's symbols."""
        return {pair for pair in pairs if pair[0] in self.symbols}


def _moved(trade: Trade, time_ms: int) -> Trade:
    return msgspec.structs.replace(trade, timestamp=time_ms)


def _line(trade: Trade) -> bytes:
    """A trade as the archive writes it."""
    figures = (
        trade.aggregate_id, text(trade.price), text(trade.quantity), trade.first_trade_id,
        trade.last_trade_id, trade.timestamp, trade.is_buyer_maker, True,
    )  # fmt: skip
    return f"{','.join(map(str, figures))}\n".encode()


def _untimed(gaps: dict[str, list[ConfirmedGap]]) -> dict[str, list[ConfirmedGap]]:
    """Gaps without the time of the engine's own clock."""
    return {s: [replace(gap, confirmed_at=0) for gap in found] for s, found in gaps.items()}
