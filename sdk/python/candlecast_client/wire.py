"""The generated application's wire: one aiohttp WebSocket that carries every channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Unpack

import aiohttp
from asyncapi_python.kernel.wire import AbstractWireFactory, EndpointParams

from .codec import JsonObject, ModelCodecs, read
from .errors import ConnectionLost, ContractBroken

MAX_MESSAGE_BYTES = 16 * 2**20
"""Longest message accepted from a server; a full history has some 300 kB."""


class WebSocketWire(AbstractWireFactory[Any, Any]):
    """One connection.

    A message goes to the channel object that its constants name, and the next one is read when it
    has been handled, so messages are handled in order. Replies go to the requests that wait for
    them. Messages of unknown types are ignored, since later versions of a server may add some.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codecs: ModelCodecs) -> None:
        self._socket = socket
        self._codecs = codecs
        self._consumers: list[tuple[Mapping[str, object], Consumer]] = []
        self._waiting: dict[tuple[str, str], asyncio.Future[JsonObject]] = {}
        self.last_heard = asyncio.get_running_loop().time()
        """The time of the last message, on the event loop's clock."""

    async def create_consumer(self, **params: Unpack[EndpointParams]) -> Consumer:
        """The receiving end of a channel object, for the messages that it names."""
        consumer = Consumer()
        for message in params["channel"].messages.values():
            self._consumers.append((self._codecs.create(message).constants, consumer))
        return consumer

    async def create_producer(self, **_: Unpack[EndpointParams]) -> Producer:
        """The sending end of a channel object."""
        return Producer(self)

    async def send(self, payload: bytes) -> None:
        """Send one message. Raises ConnectionLost."""
        try:
            await self._socket.send_str(payload.decode())
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ConnectionLost(f"The connection is gone: {error}") from error

    @contextmanager
    def reply_to(self, field: str, value: str) -> Generator[asyncio.Future[JsonObject], None, None]:
        """The future message that has this value in this field."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[field, value] = future
        try:
            yield future
        finally:
            del self._waiting[field, value]

    async def run(self) -> None:
        """Dispatch messages until the connection ends, then raise ConnectionLost."""
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            self.last_heard = asyncio.get_running_loop().time()
            await self._dispatch(read(frame.data))
        error = self._socket.exception()
        raise ConnectionLost(
            f"The connection ended with {error or f'code {self._socket.close_code}'}"
        )

    async def _dispatch(self, message: object) -> None:
        if not isinstance(message, dict):
            raise ContractBroken("The server sent a message that is not an object")
        for (field, value), future in self._waiting.items():
            if message.get(field) == value and not future.done():
                future.set_result(message)
                return
        for constants, consumer in self._consumers:
            if constants.items() <= message.items():
                await consumer.deliver(message)
                return


class Producer:
    """The sending end of a channel object."""

    def __init__(self, wire: WebSocketWire) -> None:
        self.wire = wire

    async def start(self) -> None:
        """Do nothing: the connection is open."""

    async def stop(self) -> None:
        """Do nothing: the owner closes the connection."""

    async def send_batch(self, messages: list[Any], *, address_override: str | None = None) -> None:
        """Send messages one after the other."""
        del address_override  # a connection has one address
        for message in messages:
            await self.wire.send(message.payload)


class Consumer:
    """The receiving end of a channel object."""

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue()

    async def start(self) -> None:
        """Do nothing: the wire delivers messages."""

    async def stop(self) -> None:
        """Do nothing."""

    async def recv(self) -> AsyncGenerator[Incoming, None]:
        """Messages as they arrive."""
        while True:
            yield await self._incoming.get()

    async def deliver(self, payload: JsonObject) -> None:
        """Queue a message and wait until it has been handled."""
        message = Incoming(payload)
        self._incoming.put_nowait(message)
        await message.handled.wait()


class Incoming:
    """A received message, parsed."""

    correlation_id: str | None = None
    reply_to: str | None = None

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self.headers: dict[str, Any] = {}
        self.handled = asyncio.Event()

    async def ack(self) -> None:
        """Mark it as handled."""
        self.handled.set()

    async def nack(self) -> None:
        """Mark it as handled: the endpoint reports the error of its handler."""
        self.handled.set()

    async def reject(self) -> None:
        """Mark it as handled: it was refused."""
        self.handled.set()
