"""A WebSocket connection to the server under test that checks every message received."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from asyncapi_server.contract_tests.cases import Case, Kind, shortened
from asyncapi_server.contract_tests.conversation import Conversation, Judge
from asyncapi_server.contract_tests.violations import (
    ConnectionClosed,
    ContractViolation,
    NoReply,
    NotAlive,
)

MAX_TRANSCRIPT = 60
"""Lines of a transcript; the oldest are dropped first."""
CLOSE_SECONDS = 2.0


@dataclass
class Tally:
    """Counts of messages sent and answers received."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and message."""
    sites: Counter[str] = field(default_factory=Counter)
    """By the constraint that was violated."""
    answers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By kind and message, and the message that answered."""
    unasked: Counter[str] = field(default_factory=Counter)
    """Unsolicited messages, by name."""
    connections: int = 0

    @property
    def messages(self) -> int:
        """How many messages were sent."""
        return self.sent.total()

    def count(self, case: Case) -> None:
        self.sent[case.kind, case.message] += 1
        if case.kind is Kind.NEAR_MISS:
            self.sites[f"{case.message}{case.site}"] += 1


class Client:
    """One connection; every violation carries its transcript."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, judge: Judge, tally: Tally) -> None:
        self._socket = socket
        self.rules = judge.rules
        self._tally = tally
        self._conversation = Conversation(judge)
        self._transcript: list[str] = []
        self._pongs = 0
        self._next = 0.0
        """When the next frame may be sent, by the clock of the event loop."""

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, url: str, judge: Judge, tally: Tally
    ) -> Client:
        """Open a connection; raises ConnectionClosed when the server does not accept it."""
        try:
            async with asyncio.timeout(judge.rules.reply_seconds):
                socket = await session.ws_connect(
                    url,
                    headers=judge.rules.headers,
                    autoping=False,
                    max_msg_size=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ConnectionClosed(f"no connection to {url}: {error!r}") from error
        tally.connections += 1
        return cls(socket, judge, tally)

    async def send(self, case: Case) -> None:
        """Send a message; its answer is awaited by `settle`."""
        await self._turn()
        self._note(f"> {case}")
        self._conversation.sent(case)
        self._tally.count(case)
        kind = aiohttp.WSMsgType.BINARY if case.binary else aiohttp.WSMsgType.TEXT
        try:
            await self._socket.send_frame(case.data, kind)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise self._trace(ConnectionClosed(f"the connection is gone: {error!r}")) from error

    async def settle(self) -> None:
        """Wait until everything is answered. Raises a ContractViolation."""
        try:
            async with asyncio.timeout(self.rules.reply_seconds):
                while self._conversation.waiting:
                    await self._receive()
        except TimeoutError:
            names = "; ".join(map(str, self._conversation.waiting))
            text = f"no answer in {self.rules.reply_seconds:g} s to {shortened(names)}"
            raise self._trace(NoReply(text)) from None

    async def alive(self) -> None:
        """Check that the server answers a ping frame. Raises a ContractViolation."""
        await self._turn()
        before = self._pongs
        try:
            async with asyncio.timeout(self.rules.reply_seconds):
                await self._socket.ping(b"alive?")
                while self._pongs == before:
                    await self._receive()
        except TimeoutError:
            text = f"no pong in {self.rules.reply_seconds:g} s"
            raise self._trace(NotAlive(text)) from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise self._trace(ConnectionClosed(f"the connection is gone: {error!r}")) from error

    async def listen(self, seconds: float) -> None:
        """Check unsolicited messages for a while. Raises a ContractViolation."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._receive()

    async def close(self) -> None:
        """Close the connection by the client; a server that does not answer is abandoned."""
        await self._socket.close()

    async def _turn(self) -> None:
        """Wait as long as the rate demands before the next frame."""
        clock = asyncio.get_running_loop().time
        if (pause := self._next - clock()) > 0:
            await asyncio.sleep(pause)
        self._next = clock() + 1 / self.rules.rate

    async def _receive(self) -> None:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.PING:
            await self._socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.PONG:
            self._pongs += 1
        elif message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            self._judge(message.data)
        else:
            code, reason = self._socket.close_code, message.extra or ""
            raise self._trace(ConnectionClosed(f"the server closed with {code} {reason}".rstrip()))

    def _judge(self, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode(errors="backslashreplace")
        self._note(f"< {shortened(text)}")
        try:
            name, case = self._conversation.received(data)
        except ContractViolation as violation:
            raise self._trace(violation) from None
        if case is None:
            self._tally.unasked[name] += 1
        else:
            self._tally.answers[case.kind, case.message, name] += 1

    def _note(self, line: str) -> None:
        self._transcript.append(line)
        del self._transcript[:-MAX_TRANSCRIPT]

    def _trace(self, violation: ContractViolation) -> ContractViolation:
        return type(violation)(violation.text, tuple(self._transcript))


async def close_all(clients: Iterable[Client]) -> None:
    """Close connections at once; errors are ignored."""
    await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
