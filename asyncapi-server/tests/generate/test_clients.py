"""Clients in Python talk to the mock of their document."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from asyncapi_server.document.model import Channel
from asyncapi_server.generate.interface import ChannelType, Interface
from asyncapi_server.generate.python.channel import methods, opening
from asyncapi_server.generate.python.values import Values
from asyncapi_server.mock.samples import SampleBook
from asyncapi_server.mock.server import Mock
from generate.documents import Case, each_document
from generate.talk import call, demanded, document, is_same, module, plain, requests

SECONDS = 5.0


@each_document
async def test_each_request_is_answered_and_each_message_received(case: Case, trees: Path) -> None:
    interface, served = case.interface(), document(case)
    book, mock = SampleBook(), Mock(served)
    async with mock.listening() as url, asyncio.timeout(4 * SECONDS):
        for channel in interface.channels:
            client_module = module("connected", case, interface, channel)
            its = served.channels[channel.address]
            async with connected(client_module, url, interface, channel, its) as client:
                await ask_all(client, interface, channel, its, book)
            async with connected(client_module, url, interface, channel, its) as client:
                await receive_all(client, channel, its, mock, book)


def connected(
    client_module: Any, url: str, interface: Interface, channel: ChannelType, its: Channel
) -> AbstractAsyncContextManager[Any]:
    shapes = (channel.parameters, channel.query, channel.headers)
    values = Values(shapes, interface.definitions)
    arguments = {
        found[name].name: value
        for given, found in zip(demanded(channel, its), opening(channel, values), strict=True)
        for name, value in given.items()
        if name in found
    }
    opened: AbstractAsyncContextManager[Any] = client_module.connect(
        url, reply_seconds=SECONDS, **arguments
    )
    return opened


async def ask_all(
    client: Any, interface: Interface, channel: ChannelType, its: Channel, book: SampleBook
) -> None:
    """Send each sample of each request, and hold the answer to its schema."""
    names = methods(channel)
    types = {each.message.name: each for each in channel.requests}
    sent = {message.name: message for message in its.sends}
    for message, payload in requests(its, book):
        request = types[message.name]
        positional, named = call(request.message, payload, interface)
        try:
            answer = await getattr(client, names[message.name])(*positional, **named)
        except Exception as refusal:
            if type(refusal).__bases__[0].__name__ != "Refused":
                raise
            answer = vars(refusal)["reply"]
        if not request.replies:
            assert answer is None
            continue
        possible = [book.validator(sent[reply.name]) for reply in request.replies]
        assert any(judge.is_valid(plain(answer)) for judge in possible), plain(answer)


async def receive_all(
    client: Any, channel: ChannelType, its: Channel, mock: Mock, book: SampleBook
) -> None:
    """Receive a sample of each message that the server sends unprompted."""
    sent = {message.name: message for message in its.sends}
    messages = aiter(client)
    for message in channel.alone:
        for each in book.of(sent[message.name]):
            mock.send(message.name, each.payload)
            received = plain(await anext(messages))
            assert is_same(received, each.payload), received
