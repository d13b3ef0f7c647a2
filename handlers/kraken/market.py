"""Kraken's REST requests about candles, trades and prices."""

from __future__ import annotations

import msgspec

from generated.kraken.facts import ErrorText
from generated.kraken.models import OhlcAnswer, TickerAnswer, TickerFigures, TradesAnswer
from generated.kraken.rest import MarketHandlers
from generated.reply import Raw
from handlers.kraken.figures import Figures, Recent
from handlers.kraken.messages import best, price, volume, vwap
from handlers.kraken.pairs import KrakenPair, Pairs
from handlers.kraken.trade_rows import FORM, StoredTrade, asked, decoded, following, row
from ingest.binance.quotes import Quote
from ingest.core.candle import Candle
from ingest.core.errors import NotReady
from ingest.core.paging import Bounds
from ingest.core.timeframe import MINUTE_MS
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider
from ingest.storage import Selection

MOST_CANDLES = 720
"""As many as Kraken gives."""
MOST_TRADES = 1000
NOT_LISTED = NotReady("The exchange has not listed the symbols yet; try again")


class Market(MarketHandlers):
    """`OHLC`, `Trades` and `Ticker` of `/public`."""

    def __init__(self, provider: Provider, pairs: Pairs) -> None:
        self._view = provider.view
        self._quotes = provider.quotes
        self._pairs = pairs
        self._recent: dict[str, Recent] = {}

    async def get_ohlc(
        self, *, pair: str, interval: int, since: int | None = None
    ) -> OhlcAnswer | Raw:
        """The newest candles, of those that begin after a time; the running one always."""
        found = self._named(pair)
        if found is None:
            return OhlcAnswer(error=[ErrorText.UNKNOWN_ASSET_PAIR])
        candles = await self._view.candles(Pair(found.symbol, interval), MOST_CANDLES, Bounds())
        if not candles:
            raise NotReady(f"The history of {found.symbol} has no whole candle yet; try again")
        *ended, running = candles
        shown = [each for each in ended if since is None or each.candle_time > since * 1000]
        rows = [_candle(candle, found.decimals) for candle in (*shown, running)]
        last_ms = ended[-1].candle_time if ended else running.candle_time - interval * MINUTE_MS
        return _answer({found.altname: rows, "last": last_ms // 1000})

    async def get_trades(
        self, *, pair: str, since: int | None = None, count: int
    ) -> TradesAnswer | Raw:
        """The first trades from a time on, or else the newest ones."""
        found = self._named(pair)
        if found is None:
            return TradesAnswer(error=[ErrorText.UNKNOWN_ASSET_PAIR])
        start_ms, given = asked(since) if since is not None else (None, 0)
        most = count + min(given, MOST_TRADES)
        trades = await self._trades(Selection(found.symbol, start_time=start_ms), most)
        passed = [trade for trade in trades if trade.time_ms == start_ms][:given]
        trades = [trade for trade in trades if trade not in passed][:count]
        last = await self._following(found.symbol, trades[-1]) if trades else str(since or 0)
        return _answer(
            {found.altname: [row(each, found.decimals) for each in trades], "last": last}
        )

    async def get_ticker(self, *, pair: str | None = None) -> TickerAnswer:
        """The figures of these pairs, with commas between, or of all that have them."""
        if not self._pairs.are_known:
            raise NOT_LISTED
        pairs = self._pairs.some(pair)
        if pairs is None:
            return TickerAnswer(error=[ErrorText.UNKNOWN_ASSET_PAIR])
        quotes = await self._quotes.ask_all([each.symbol for each in pairs])
        result = {}
        for each in pairs:
            recent = self._recent.setdefault(each.symbol, Recent(self._view, each.symbol))
            figures = await recent.figures()
            if figures is not None and each.symbol in quotes:
                result[each.altname] = _figures(each, figures, quotes[each.symbol])
            elif pair is not None:
                raise NotReady(f"The figures of {each.symbol} are not known yet; try again")
        return TickerAnswer(error=[], result=result)

    def _named(self, name: str) -> KrakenPair | None:
        if not self._pairs.are_known:
            raise NOT_LISTED
        return self._pairs.of_any_name(name)

    async def _trades(self, wanted: Selection, most: int) -> list[StoredTrade]:
        return decoded(await self._view.trades(wanted, most, FORM))

    async def _following(self, symbol: str, last: StoredTrade) -> str:
        """The number that asks for the trades after one."""
        same = await self._trades(Selection(symbol, last.time_ms, last.time_ms), MOST_TRADES)
        given = sum(trade.aggregate_id <= last.aggregate_id for trade in same)
        return following(last.time_ms, given)


def _answer(result: dict[str, object]) -> Raw:
    return Raw(msgspec.json.encode({"error": [], "result": result}))


def _candle(candle: Candle, decimals: int) -> list[object]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        candle.candle_time // 1000,
        *(price(value, decimals) for value in prices),
        vwap(candle, decimals),
        volume(candle.volume),
        candle.trades_count,
    ]


def _figures(pair: KrakenPair, figures: Figures, quote: Quote) -> TickerFigures:
    decimals, (last, today, day) = pair.decimals, figures
    spans = (today, day)
    return TickerFigures(
        a=list(map(str, best(quote.ask, quote.ask_quantity, decimals))),
        b=list(map(str, best(quote.bid, quote.bid_quantity, decimals))),
        c=[price(last.price, decimals), volume(last.quantity)],
        v=[volume(span.volume) for span in spans],
        p=[vwap(span, decimals) for span in spans],
        t=[span.trades_count for span in spans],
        l=[price(span.low, decimals) for span in spans],
        h=[price(span.high, decimals) for span in spans],
        o=price(today.open, decimals),
    )
