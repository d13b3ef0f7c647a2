"""The live trades of any number of symbols."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, TypedDict, Unpack

from ingest.core.trade import Trade

from .connection import StreamConnection
from .messages import Batch, stream_batch, trade_stream
from .network import Network
from .page import Malformed
from .stream import Stream


class TradeHandler(Protocol):
    """Who gets the trades. The calls come from the event loop and must not block."""

    def on_trades(self, symbol: str, trades: list[Trade]) -> None:
        """Trades as they came: repeats, jumps and disorder are for the taker to see."""

    def on_connected(self, symbols: Sequence[str]) -> None:
        """From now on the trades of `symbols` come; what was before is for REST."""

    def on_disconnected(self, symbols: Sequence[str], reason: str) -> None:
        """The trades of `symbols` do not come any more; reconnecting goes on by itself."""

    def on_malformed(self, malformed: Malformed, symbols: Collection[str]) -> None:
        """A message that is no valid trade of one of `symbols`: those of its connection, or the
        one that it names."""


class StreamOptions(TypedDict, total=False):
    """The options of `Stream`."""

    network: Network | None
    streams_per_connection: int
    max_age: float
    overlap: float
    stall: float


class TradeStream(Stream[Batch]):
    """The `aggTrade` streams of the symbols that are added."""

    def __init__(
        self, base_url: str, handler: TradeHandler, **options: Unpack[StreamOptions]
    ) -> None:
        super().__init__(base_url, **options)
        self._handler = handler
        self.trades = self.malformed = self.unexpected = 0
        """Trades delivered, messages that are none, and trades of symbols that nobody follows."""

    def _name(self, symbol: str) -> str:
        return trade_stream(symbol)

    def _parse(self, messages: list[bytes]) -> Batch:
        return stream_batch(messages)

    def _deliver(self, connection: StreamConnection[Batch], batch: Batch) -> None:
        for symbol, trades in batch.trades.items():
            if symbol in self.symbols:
                self.trades += len(trades)
                connection.heard_ms = max(connection.heard_ms, trades[-1].timestamp)
                self._handler.on_trades(symbol, trades)
            else:
                self.unexpected += len(trades)
        for malformed in batch.malformed:
            self.malformed += 1
            symbols = connection.subscribed.intersection((malformed.symbol,))
            self._handler.on_malformed(malformed, symbols or connection.subscribed)

    def _connected(self, symbols: Sequence[str]) -> None:
        self._handler.on_connected(symbols)

    def _disconnected(self, symbols: Sequence[str], reason: str) -> None:
        self._handler.on_disconnected(symbols, reason)
