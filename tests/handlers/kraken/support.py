"""A client that speaks Kraken's protocol and holds all that it gets to a document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
from jsonschema import Draft7Validator

from asyncapi_server import Contract
from handlers.kraken.api import CONTRACTS, PATHS, PUBLIC
from tests.running import RECORDINGS

KRAKEN_RECORDINGS = RECORDINGS / "kraken"
ADDRESS = "/"
"""The one channel of each document."""
TIMEOUT_SECONDS = 20.0

Message = Any


class Judge:
    """Says which messages of a document a server's message is, by the reference validator."""

    def __init__(self, contract: Contract) -> None:
        self._schemas = {
            message.name: Draft7Validator(message.schema)
            for message in contract.channel(ADDRESS).sends
        }

    def names(self, message: Message) -> list[str]:
        """The documented messages that this is; a good one is exactly one of them."""
        return [name for name, schema in self._schemas.items() if schema.is_valid(message)]


JUDGES: Mapping[str, Judge] = {name: Judge(contract) for name, contract in CONTRACTS.items()}


class Client:
    """One connection to one of the servers."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, judge: Judge) -> None:
        self._socket = socket
        self._judge = judge
        self.messages: list[Message] = []

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, server: str = PUBLIC) -> AsyncIterator[Self]:
        """A connection to a server at a base URL, past its first message."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url + PATHS[server]) as socket,
        ):
            client = cls(socket, JUDGES[server])
            assert (await client.receive())["event"] == "systemStatus"
            yield client

    async def send(self, message: Message) -> None:
        """Send text as it is, anything else as JSON."""
        await self._socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def subscribe(
        self, *pairs: str, event: str = "subscribe", **subscription: object
    ) -> list[Message]:
        """Subscribe and return the status of each pair."""
        await self.send({"event": event, "pair": list(pairs), "subscription": subscription})
        return [await self.wait_for(is_status) for _ in pairs]

    async def receive(self) -> Message:
        """The next message, which has to be a documented one."""
        text = await asyncio.wait_for(self._socket.receive_str(), TIMEOUT_SECONDS)
        message = json.loads(text)
        assert len(self._judge.names(message)) == 1, text
        self.messages.append(message)
        return message

    async def wait_for(self, wanted: Callable[[Message], bool]) -> Message:
        """The next message that is wanted."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not wanted(message := await self.receive()):
                pass
        return message

    async def ask(self, message: Message) -> Message:
        """Send a request and return the next message that is neither data nor a heartbeat."""
        await self.send(message)
        return await self.wait_for(is_answer)

    async def data(self, channel: str, pair: str) -> Message:
        """The next payload of a channel."""
        found = await self.wait_for(lambda m: isinstance(m, list) and m[-2:] == [channel, pair])
        return found[1]

    def received(self, channel: str, pair: str) -> list[Message]:
        """Every payload of a channel so far."""
        return [m[1] for m in self.messages if isinstance(m, list) and m[-2:] == [channel, pair]]


def is_status(message: Message) -> bool:
    return isinstance(message, dict) and message["event"] == "subscriptionStatus"


def is_answer(message: Message) -> bool:
    return isinstance(message, dict) and message["event"] != "heartbeat"


def status(answer: Message) -> tuple[str, str]:
    """The state of a status, and its pair."""
    return answer["status"], answer.get("errorMessage") or answer["pair"]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not holds():  # noqa: ASYNC110  # a condition of the program, not of the test
            await asyncio.sleep(0.02)
