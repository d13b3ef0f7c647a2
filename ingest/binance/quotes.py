"""The best bid and ask of symbols, live, and as the exchange answers over REST."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, NamedTuple, Protocol

import msgspec

from ingest.core import fixed
from ingest.core.errors import ExchangeUnavailable

from .connection import StreamConnection
from .messages import Event, stream_event
from .network import Network
from .parse import excerpt
from .stream import Stream

_log = logging.getLogger(__name__)


class Quote(NamedTuple):
    """Best bid and ask with the quantities there, in units of 1e-8."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    update_id: int = 0
    """The exchange's number of the order book's change; 0 where it gives none."""

    @property
    def offers(self) -> tuple[int, int, int, int]:
        """Bid and ask without the number of the change."""
        return self[:4]


class QuoteHandler(Protocol):
    """Who gets the quotes. The calls come from the event loop and must not block."""

    def on_quote(self, symbol: str, quote: Quote) -> None:
        """A new quote."""

    def on_quotes_lost(self, symbols: Iterable[str]) -> None:
        """The quotes of these symbols do not come for now; reconnecting goes on by itself."""


class _Ticker(msgspec.Struct, gc=False):
    u: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    s: str
    b: str
    B: str
    a: str
    A: str


class _Combined(msgspec.Struct, gc=False):
    data: _Ticker


class _Answer(msgspec.Struct, rename="camel"):
    symbol: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str


_decode_combined = msgspec.json.Decoder(_Combined).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_answers = msgspec.json.Decoder(list[_Answer]).decode


def stream_quote(raw: bytes) -> tuple[str, Quote] | None:
    """The symbol and quote of a `bookTicker` message of a combined stream; None for others."""
    try:
        data = _decode_combined(raw).data
        quote = _quote(data.b, data.B, data.a, data.A)
        return data.s, quote._replace(update_id=data.u)
    except (ValueError, RecursionError):
        return None


def rest_quote(body: bytes) -> Quote:
    """The quote of a `ticker/bookTicker` answer; raises ExchangeUnavailable."""
    with _unreadable(body):
        return _answered(_decode_answer(body))


def rest_quotes(body: bytes) -> dict[str, Quote]:
    """The quotes of all symbols in such an answer; raises ExchangeUnavailable."""
    with _unreadable(body):
        return {answer.symbol: _answered(answer) for answer in _decode_answers(body)}


@contextmanager
def _unreadable(body: bytes) -> Iterator[None]:
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise ExchangeUnavailable(
            f"The exchange's quote cannot be read ({error}); it came as {excerpt(body)}"
        ) from None


def _answered(answer: _Answer) -> Quote:
    return _quote(answer.bid_price, answer.bid_qty, answer.ask_price, answer.ask_qty)


def _quote(bid: str, bid_quantity: str, ask: str, ask_quantity: str) -> Quote:
    parse = fixed.parse
    return Quote(parse(bid), parse(bid_quantity), parse(ask), parse(ask_quantity))


class _Batch(NamedTuple):
    quotes: dict[str, Quote]
    """The newest of each symbol."""
    events: list[Event]


class QuoteStream(Stream[_Batch]):
    """The `bookTicker` streams of the symbols that are added.

    A quote replaces the one before, so after a lost connection the next one is as good as any.
    """

    def __init__(
        self, base_url: str, handler: QuoteHandler, *, network: Network | None = None
    ) -> None:
        super().__init__(base_url, network=network)
        self._handler = handler

    def _name(self, symbol: str) -> str:
        return f"{symbol.lower()}@bookTicker"

    def _parse(self, messages: list[bytes]) -> _Batch:
        batch = _Batch({}, [])
        for raw in messages:
            found = stream_quote(raw)
            if found is None:
                batch.events.append(stream_event(raw))
            else:
                batch.quotes[found[0]] = found[1]
        return batch

    def _deliver(self, connection: StreamConnection[_Batch], batch: _Batch) -> None:  # noqa: ARG002
        for symbol, quote in batch.quotes.items():
            if symbol in self.symbols:
                self._handler.on_quote(symbol, quote)

    def _connected(self, symbols: Sequence[str]) -> None:
        pass

    def _disconnected(self, symbols: Sequence[str], reason: str) -> None:
        _log.warning("The quotes of %d symbols are lost: %s", len(symbols), reason)
        self._handler.on_quotes_lost(symbols)
