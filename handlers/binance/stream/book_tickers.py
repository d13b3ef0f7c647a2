"""The streams `bookTicker`: the best bid and ask, each time that they change."""

from __future__ import annotations

from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import Stream
from ingest.binance.quotes import Quote
from ingest.pipeline.quotes import HeardQuote, Quotes


class BookTickers:
    """Publishes the quotes that change."""

    def __init__(self, quotes: Quotes, fan: Fan) -> None:
        self._quotes = quotes
        self._fan = fan
        self._streams: dict[str, Stream] = {}

    def open(self, stream: Stream) -> None:
        """Follow a symbol."""
        self._streams[stream.symbol] = stream
        self._quotes.listen(stream.symbol, self._hear)

    def close(self, stream: Stream) -> None:
        """Follow it no longer."""
        self._quotes.ignore(stream.symbol, self._hear)
        del self._streams[stream.symbol]

    async def first(self, stream: Stream) -> Make | None:
        """The quote now, where the stream has given one: those asked for have no number."""
        heard = self._quotes.newest(stream.symbol)
        return None if heard is None or not heard.quote.update_id else _make(stream, heard.quote)

    def _hear(self, symbol: str, heard: HeardQuote) -> None:
        stream = self._streams[symbol]
        self._fan.publish([Message(stream, _make(stream, heard.quote))])


def _make(stream: Stream, quote: Quote) -> Make:
    return lambda _: messages.book_ticker(stream.symbol, quote)
