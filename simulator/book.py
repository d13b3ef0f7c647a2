"""The best bid and ask, derived from the last trade."""

from dataclasses import dataclass

from simulator.market import Market
from simulator.wire import decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with quantities, in units of 1e-8."""

    update_id: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int

    def event(self, symbol: str) -> str:
        """Write the data of a `bookTicker` stream message."""
        return (
            f'{{"u":{self.update_id},"s":"{symbol}","b":"{decimal(self.bid)}",'
            f'"B":"{decimal(self.bid_quantity)}","a":"{decimal(self.ask)}",'
            f'"A":"{decimal(self.ask_quantity)}"}}'
        )

    def answer(self, symbol: str) -> dict[str, str]:
        """Return the REST form."""
        return {
            "symbol": symbol,
            "bidPrice": decimal(self.bid),
            "bidQty": decimal(self.bid_quantity),
            "askPrice": decimal(self.ask),
            "askQty": decimal(self.ask_quantity),
        }


def quote(market: Market, trade_id: int, price: int, quantity: int, *, buyer_maker: bool) -> Quote:
    """Quote around a trade: it traded at the bid if its buyer was the maker."""
    tick, step = market.asset.tick, market.asset.step
    bid = max(price if buyer_maker else price - tick, tick)
    ask = max(price + tick if buyer_maker else price, bid + tick)
    # The quantities are derived from the trade, so that repeated requests agree.
    left = quantity + (trade_id * 7919 % 997 + 1) * step
    return Quote(trade_id, bid, left, ask, quantity + (trade_id * 104_729 % 997 + 1) * step)


def last_quote(market: Market, now_us: int) -> Quote | None:
    """Quote around the newest trade; None before the first one."""
    last = market.last_trade(now_us)
    if not len(last):
        return None
    return quote(
        market,
        int(last.ids[0]),
        int(last.price[0]),
        int(last.quantity[0]),
        buyer_maker=bool(last.buyer_maker[0]),
    )
