"""The streams `miniTicker` and `ticker`: figures of the latest 24 hours."""

from __future__ import annotations

from functools import partial

from asyncapi_server import Hub
from handlers.binance.stream import messages
from handlers.binance.stream.fan import Fan, Make, Message
from handlers.binance.stream.names import DAY_TICKER, FORMS, Stream, Topic
from ingest.core.errors import CandlecastError
from ingest.pipeline.day import Figures, Recent
from ingest.pipeline.quotes import Quotes
from ingest.pipeline.view import MarketView


class Tickers:
    """Publishes the figures that have changed; `tick` has to be called once a second."""

    def __init__(self, view: MarketView, quotes: Quotes, hub: Hub, fan: Fan) -> None:
        self._view = view
        self._quotes = quotes
        self._hub = hub
        self._fan = fan
        self._recent: dict[Stream, Recent] = {}
        self._published: dict[Stream, object] = {}
        """The figures that each stream has published last."""

    def open(self, stream: Stream) -> None:
        """Follow a symbol."""
        self._recent[stream] = Recent(self._view, stream.symbol)
        if stream.kind == DAY_TICKER:
            self._quotes.need(stream.symbol)

    def close(self, stream: Stream) -> None:
        """Follow it no longer."""
        del self._recent[stream]
        self._published.pop(stream, None)
        if stream.kind == DAY_TICKER:
            self._quotes.release(stream.symbol)

    async def first(self, stream: Stream) -> Make | None:
        """The figures now; None while they cannot be relied upon."""
        if stream.kind == DAY_TICKER:
            await self._quotes.ask(stream.symbol)
        recent = self._recent.get(stream)
        try:
            figures = await recent.figures() if recent is not None else None
        except CandlecastError:
            return None
        return None if figures is None else self._make(stream, figures)

    async def tick(self) -> None:
        """Publish what has changed."""
        for stream, recent in list(self._recent.items()):
            if not any(self._hub.subscribers(Topic(stream, form)) for form in FORMS):
                continue
            try:
                figures = await recent.figures()
            except CandlecastError:
                continue  # silent while they cannot be relied upon
            shown = figures.total, figures.last, self._quotes.newest(stream.symbol)
            if shown != self._published.get(stream) and stream in self._recent:
                make = self._make(stream, figures)
                if make is not None:
                    self._published[stream] = shown
                    self._fan.publish([Message(stream, make)])

    def _make(self, stream: Stream, figures: Figures) -> Make | None:
        if stream.kind != DAY_TICKER:
            return partial(messages.mini_ticker, stream.symbol, figures)
        heard = self._quotes.newest(stream.symbol)
        if heard is None:
            return None
        return partial(messages.day_ticker, stream.symbol, figures, heard.quote)
