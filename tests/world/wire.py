"""Connections of the exchange's streams: what it sends, late, twice, spoilt or never."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ingest.binance.websocket import Receiver
from tests.world.exchange import Exchange
from tests.world.market import Made
from tests.world.plan import RATES, SYMBOLS

PING_SECONDS: Final = 20.0
MOST_MESSAGES_A_SECOND: Final = 5
FAR: Final = 2_000_000
"""How far a wrong id is ahead; a nearer one could be right, and nobody could know."""

CORRUPTIONS: Final = (
    ('"p":"', '"p":"-'),
    ('"p":"', '"pp":"'),
    ('"q":"', '"q":'),
    ('"a":', '"a":-'),
    ('"T":', '"T":99'),
    ('"f":', '"f":null,"x":'),
    ('"m":', '"m":"true","y":'),
    ("{", "["),
)


def _corrupt(text: str, symbol: str, luck: random.Random) -> str:
    return text.replace(*luck.choice(CORRUPTIONS))


def _of_another(text: str, symbol: str, luck: random.Random) -> str:
    others = [name for name in (*SYMBOLS, "NOSUCHUSDT") if name != symbol]
    return text.replace(f'"s":"{symbol}"', f'"s":"{luck.choice(others)}"')


def _garbage(text: str, symbol: str, luck: random.Random) -> str:
    return luck.choice(("{", "\x00\xff", '{"stream":5}', "[]", '"aggTrade"', "nonsense"))


def _of_the_future(text: str, symbol: str, luck: random.Random) -> str:
    return text[:-1] + ',"x1":null,"future":{"a":[1,"2"]}}'


SPOILING: Final[Mapping[str, Callable[[str, str, random.Random], str]]] = {
    "corrupt": _corrupt,
    "symbol": _of_another,
    "unknown": _of_the_future,
    "garbage": _garbage,
}
"""Faults that change the text of a message."""


class ExchangeSocket:
    """One connection as the provider's side of the network sees it."""

    def __init__(
        self,
        exchange: Exchange,
        receiver: Receiver,
        luck: random.Random,
        latency_s: float,
        violation: Callable[[str], None],
    ) -> None:
        self.closed = False
        self._exchange = exchange
        self._luck = luck
        self._latency_s = latency_s
        self._violation = violation
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._arrived: list[bytes] = []
        self._is_paused = False
        self._subscribed: set[str] = set()
        self._sent_at: deque[float] = deque(maxlen=MOST_MESSAGES_A_SECOND)
        self._last_arrival = 0.0
        self.is_open = True
        """Whether the exchange still sends."""
        self.is_stalled = False

    # As the provider uses it ---------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        """A request reaches the exchange after a while."""
        self._send_later(self._take_request, message)

    def ping(self) -> None:
        """A ping reaches the exchange after a while."""
        self._send_later(self._take_ping)

    def pong(self, payload: bytes) -> None:
        """The answer to a ping reaches the exchange after a while."""
        self._send_later(lambda: None)

    def pause(self) -> None:
        """Read nothing until `resume`."""
        self._is_paused = True

    def resume(self) -> None:
        """Read on."""
        self._is_paused = False
        self._loop.call_soon(self._hand_over)

    async def close(self) -> None:
        """End it on this side."""
        self._is_paused = False
        self._hand_over()
        self.closed = True
        self.is_open = False

    # As the exchange uses it ---------------------------------------------------------------------

    def publish(self, symbol: str, items: Sequence[Made]) -> None:
        """Send trades that were made, as the faults let it."""
        if symbol not in self._subscribed or not self.is_open:
            return
        stream = f"{symbol.lower()}@aggTrade"
        event_ms = self._exchange.now_ms()
        spoilt = self._exchange.faults.any_of((*RATES, "far id"))
        for item in items:
            if item.is_absent or self._exchange.is_skipped(symbol, item):
                continue
            row = self._exchange.row(symbol, item, f'"e":"aggTrade","E":{event_ms},"s":"{symbol}",')
            text = f'{{"stream":"{stream}","data":{row}}}'
            if spoilt:
                self._send_spoilt(symbol, item, text)
            else:
                self._send(text)

    def _send_spoilt(self, symbol: str, item: Made, text: str) -> None:
        luck, faults = self._luck, self._exchange.faults
        happens = {
            kind
            for kind in RATES
            if (event := faults.of(kind, symbol)) and luck.random() < event.amount
        }
        if "drop" in happens:
            return
        if faults.of("far id", symbol) and luck.random() < 0.2:
            number = item.trade.aggregate_id
            text = text.replace(f'"a":{number},', f'"a":{number + FAR},')
        for kind in sorted(happens & SPOILING.keys()):
            text = SPOILING[kind](text, symbol, luck)
        if "delay" in happens or "reorder" in happens:
            longest = 3.0 if "delay" in happens else 0.2
            self._loop.call_later(self._latency_s + luck.uniform(0, longest), self._arrive, text)
        else:
            self._send(text)
        if "repeat" in happens:
            self._send(text)

    def end(self, code: int | None = None) -> None:
        """Close with a code, or cut it off without a word."""
        if not self.is_open:
            return
        self.is_open = False
        reason = "it was cut" if code is None else f"the exchange closed it with code {code}"
        self._loop.call_later(self._latency_s, self._notify, self._receiver.on_end, reason)

    def announce_shutdown(self) -> None:
        """Say that the connection will be closed soon."""
        self._send('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')

    def exchange_pings(self) -> None:
        """Ping, as the exchange does now and then."""
        self._deliver(self._notify, self._receiver.on_ping, b"1")

    def _send_later(self, take: Callable[..., None], *what: bytes) -> None:
        if self.closed:
            return
        now = self._loop.time()
        if len(self._sent_at) == MOST_MESSAGES_A_SECOND and now - self._sent_at[0] < 1.0:
            self._violation("more than 5 messages in a second on a stream")
        self._sent_at.append(now)
        self._loop.call_later(self._latency_s, take, *what)

    def _take_ping(self) -> None:
        if self.is_open:
            self._deliver(self._notify, self._receiver.on_pong)

    def _take_request(self, message: bytes) -> None:
        if not self.is_open or self.is_stalled:
            return
        request = json.loads(message)
        symbols = {name.partition("@")[0].upper() for name in request["params"]}
        if request["method"] == "SUBSCRIBE":
            self._subscribed |= symbols
        else:
            self._subscribed -= symbols
        if not self._exchange.faults.of("mute stream"):
            self._send(json.dumps({"result": None, "id": request["id"]}))

    def _send(self, text: str) -> None:
        self._deliver(self._put, text.encode("latin-1"))

    def _deliver(self, arrive: Callable[..., None], *what: object) -> None:
        """In order with what was sent before."""
        if self.is_stalled:
            return
        self._last_arrival = max(self._last_arrival, self._loop.time() + self._latency_s)
        self._loop.call_at(self._last_arrival, arrive, *what)

    def _arrive(self, text: str) -> None:
        if self.is_open and not self.is_stalled:
            self._put(text.encode("latin-1"))

    def _notify(self, call: Callable[..., None], *what: object) -> None:
        """Tell the receiver of something that is no message."""
        if not self.closed:
            self._hand_over()
            call(*what)

    def _put(self, message: bytes) -> None:
        if not self.closed:
            if not self._arrived:
                self._loop.call_soon(self._hand_over)
            self._arrived.append(message)

    def _hand_over(self) -> None:
        """What arrives at one time comes together."""
        if self._arrived and not self._is_paused and not self.closed:
            messages, self._arrived = self._arrived, []
            self._receiver.on_messages(messages)


def publish(sockets: Iterable[ExchangeSocket], symbol: str, items: Sequence[Made]) -> None:
    """Send trades to all connections."""
    for socket in sockets:
        socket.publish(symbol, items)
