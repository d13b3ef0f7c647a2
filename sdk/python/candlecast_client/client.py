"""The client: sequences of candles that survive reconnections, and the REST interface."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

import aiohttp
from pydantic import ValidationError

from .backoff import Backoff
from .candles import Candles, Pair
from .connection import Connection, connected, first_of
from .errors import (
    CandlecastError,
    ConnectionLost,
    InvalidCall,
    RequestRefused,
    SubscriptionRefused,
)
from .generated import STREAM_ADDRESS
from .generated.models import (
    DataStatus,
    Error,
    FailedTimeframe,
    InitialHistory,
    OhlcvUpdate,
    Subscribe,
    SymbolSubscription,
    SymbolUnsubscription,
    TimeframeSubscription,
    Unsubscribe,
)
from .rest import RestClient

MAX_PAIRS_PER_REQUEST = 100
"""Timeframes in one request, within the limits of any server."""
REQUEST_PAUSE_SECONDS = 0.06
"""Pause between requests, which keeps their rate within the usual limit of 20 a second."""
TRANSIENT_ERRORS = ("TIMEOUT", "INTERNAL_ERROR", "CONNECTION_ERROR")
"""Error codes after which the client reconnects and retries."""

log = logging.getLogger(__name__)


class Client:
    """A client of one server. An asynchronous context manager; use it within one event loop.

    It connects when the first sequence of candles is requested, reconnects whenever the
    connection is lost, and disconnects when the last sequence is closed.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        backoff: Backoff | None = None,
        silence_seconds: float = 40.0,
        on_connection: Callable[[ConnectionLost | None], None] = lambda _: None,
    ) -> None:
        """`url` is of the form `http://localhost:8080`; raises InvalidCall for any other.

        `key` is presented with every request and connection, where the server asks for keys.
        After `silence_seconds` without a message the client pings the server.
        `on_connection` is called when the connection is made (None) or lost (the error).
        """
        self._url = url.rstrip("/")
        if not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", self._url):
            raise InvalidCall(f"url must be of the form http://localhost:8080, not {url}")
        if key is not None and not re.fullmatch(r"[!-~]{1,128}", key, re.ASCII):
            raise InvalidCall("key must be an API key of the server, as cck_...")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._backoff = backoff or Backoff()
        self._silence_seconds = silence_seconds
        self._on_connection = on_connection
        self._sequences: dict[Pair, list[Candles]] = {}
        self._asked: dict[Pair, int] = {}
        self._released: dict[Pair, None] = {}
        self._work = asyncio.Event()
        self._rest: RestClient | None = None
        self._is_closed = False

    @property
    def rest(self) -> RestClient:
        """The REST interface; raises InvalidCall outside `async with`."""
        if self._rest is None:
            raise InvalidCall("The client is not open: use `async with Client(...) as client`")
        return self._rest

    async def __aenter__(self) -> Client:
        self._is_closed = False
        self._session = aiohttp.ClientSession(headers=self._headers)
        self._rest = RestClient(self._session, self._url)
        self._task = asyncio.create_task(self._run(), name="candlecast client")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every sequence and the connection."""
        self._is_closed = True
        self._task.cancel()
        await asyncio.wait([self._task])
        for sequence in self._all():
            await sequence.aclose()
        await self._session.close()

    def candles(
        self,
        symbol: str,
        timeframe: int,
        *,
        history: int = 0,
        on_status: Callable[[DataStatus], None] | None = None,
    ) -> Candles:
        """The candles of a symbol as one sequence, starting with `history` of them (0 to 1000).

        `timeframe` is in minutes. The history includes the running candle. `on_status` is called
        when the server reports a new data status; while data is loading or partial the sequence
        pauses. Raises InvalidCall for arguments that no server accepts.
        """
        if self._is_closed:
            raise InvalidCall("The client is closed")
        try:
            TimeframeSubscription(timeframe=timeframe, initial_candles=history)
            SymbolUnsubscription(symbol=symbol, timeframes=[timeframe])
        except ValidationError as error:
            reasons = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise InvalidCall(reasons) from None
        pair = Pair(symbol, timeframe)
        sequence = Candles(pair, history, on_status, self._closed)
        self._sequences.setdefault(pair, []).append(sequence)
        self._released.pop(pair, None)
        self._ask(pair)
        return sequence

    def on_history(self, message: InitialHistory) -> None:
        """Pass the history of a subscription to its sequences."""
        self._dispatch(message.symbol, message.timeframe, lambda s: s.on_history(message))

    def on_update(self, message: OhlcvUpdate) -> None:
        """Pass an update of a candle to its sequences."""
        self._dispatch(message.symbol, message.timeframe, lambda s: s.on_update(message))

    def _dispatch(self, symbol: str, label: str, handle: Callable[[Candles], None]) -> None:
        pair = Pair(symbol, int(label.removesuffix("m")))
        for sequence in list(self._sequences.get(pair, ())):
            awaited = sequence.awaited
            try:
                handle(sequence)
            except Exception as error:  # including what `on_status` raises
                sequence.fail(error)
            if sequence.awaited > awaited:
                self._ask(pair)

    def _ask(self, pair: Pair) -> None:
        """Queue a subscription with the awaited history, for as soon as there is a connection."""
        self._asked[pair] = max((sequence.awaited for sequence in self._sequences[pair]), default=0)
        self._work.set()

    def _closed(self, sequence: Candles) -> None:
        sequences = self._sequences[sequence.pair]
        sequences.remove(sequence)
        if not sequences:
            del self._sequences[sequence.pair]
            self._asked.pop(sequence.pair, None)
            self._released[sequence.pair] = None
            self._work.set()

    def _all(self) -> list[Candles]:
        return [sequence for group in self._sequences.values() for sequence in group]

    async def _run(self) -> None:
        """Keep a connection while there are sequences."""
        attempt = 0
        clock = asyncio.get_running_loop().time
        url = self._url.replace("http", "ws", 1) + STREAM_ADDRESS
        while True:
            while not self._sequences:
                self._work.clear()
                await self._work.wait()
            since = clock()
            try:
                async with connected(self._session, url, self) as connection:
                    log.info("Connected to %s", url)
                    self._on_connection(None)
                    self._begin()
                    await first_of(connection.run(self._silence_seconds), self._serve(connection))
                attempt = 0
            except (ConnectionLost, TimeoutError) as problem:
                lost = ConnectionLost(str(problem) or "The server did not reply in time")
                self._on_connection(lost)
                attempt = 0 if clock() - since >= self._backoff.steady else attempt
                pause = self._backoff.pause(attempt)
                log.warning("%s; reconnecting in %.1f s", lost, pause)
                await asyncio.sleep(pause)
                attempt += 1
            except Exception as error:
                for sequence in self._all():
                    sequence.fail(error)

    def _begin(self) -> None:
        """Subscribe to everything: a new connection has no subscriptions."""
        now = asyncio.get_running_loop().time()
        self._released.clear()
        for pair, sequences in self._sequences.items():
            for sequence in sequences:
                sequence.resume(now)
            self._ask(pair)

    async def _serve(self, connection: Connection) -> None:
        """Send the queued requests until there are no sequences left."""
        while self._sequences or self._released:
            if self._asked:
                await self._subscribe(connection, self._take())
            elif self._released:
                await self._unsubscribe(connection)
            else:
                self._work.clear()
                await self._work.wait()
                continue
            await asyncio.sleep(REQUEST_PAUSE_SECONDS)

    def _take(self) -> dict[Pair, int]:
        """Take the queued subscriptions that fit into one request."""
        pairs = list(self._asked)[:MAX_PAIRS_PER_REQUEST]
        return {pair: self._asked.pop(pair) for pair in pairs}

    async def _subscribe(self, connection: Connection, wanted: Mapping[Pair, int]) -> None:
        parts = [
            SymbolSubscription(
                symbol=symbol,
                timeframes=[
                    TimeframeSubscription(timeframe=pair.timeframe, initial_candles=wanted[pair])
                    for pair in pairs
                ],
            )
            for symbol, pairs in _by_symbol(wanted)
        ]
        request = Subscribe(action="subscribe", subscriptions=parts)
        result = await connection.requests.subscribe(request)
        if isinstance(result, Error):
            self._refused(result, wanted)
            return
        for failure in result.failed_subscriptions:
            self._failed(failure)

    def _refused(self, error: Error, wanted: Mapping[Pair, int]) -> None:
        """Fail the pair that the refusal of a request names, or all of them when it names none."""
        if error.error_code in TRANSIENT_ERRORS:
            raise ConnectionLost(f"{error.error_code}: {error.message}")
        named = (error.details.get("symbol"), error.details.get("timeframe"))
        culprits = [pair for pair in wanted if pair == named] or list(wanted)
        for pair in wanted:
            if pair in culprits:
                self._fail(pair, RequestRefused(error))
            elif pair in self._sequences:
                self._ask(pair)

    def _failed(self, failure: FailedTimeframe) -> None:
        if failure.error_code == "UNAVAILABLE":
            raise ConnectionLost(failure.message)
        for pair in list(self._sequences):
            if pair.symbol == failure.symbol and failure.timeframe in (None, pair.timeframe):
                self._fail(pair, SubscriptionRefused(failure))

    def _fail(self, pair: Pair, error: CandlecastError) -> None:
        for sequence in list(self._sequences.get(pair, ())):
            sequence.fail(error)
        self._released.pop(pair, None)  # it was never subscribed

    async def _unsubscribe(self, connection: Connection) -> None:
        pairs = dict.fromkeys(list(self._released)[:MAX_PAIRS_PER_REQUEST])
        for pair in pairs:
            del self._released[pair]
        parts = [
            SymbolUnsubscription(symbol=symbol, timeframes=[pair.timeframe for pair in group])
            for symbol, group in _by_symbol(pairs)
        ]
        request = Unsubscribe(action="unsubscribe", unsubscriptions=parts)
        result = await connection.requests.unsubscribe(request)
        if isinstance(result, Error):
            raise ConnectionLost(f"{result.error_code}: {result.message}")


def _by_symbol(pairs: Mapping[Pair, object]) -> Iterator[tuple[str, list[Pair]]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.symbol].append(pair)
    yield from groups.items()
