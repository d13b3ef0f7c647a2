"""Generated servers, with handlers that answer as the mock does, pass the contract tests."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from asyncapi_server import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Router,
    handler_name,
    jsontext,
    snake_case,
)
from asyncapi_server.contract_tests import Rules
from asyncapi_server.contract_tests.campaign import run_all
from asyncapi_server.document.model import Channel
from asyncapi_server.mock.samples import SampleBook, Samples
from generate.documents import Case, each_document
from generate.talk import call, document, is_same, module, plain
from support.campaigns import beside

MESSAGES = 20
"""How many are sent to each channel, besides each example and each near miss."""
RULES = Rules(reply_seconds=5.0, connections=1, listen_seconds=0.0)
SETTINGS = EndpointSettings(messages_per_second=10_000, message_burst=100_000)


@each_document
async def test_a_generated_server_keeps_to_its_document(
    case: Case, trees: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "asyncapi_server")
    async with serving(case) as url:
        reports = await beside(
            run_all, case.path, url, as_client=case.as_client, messages=MESSAGES, rules=RULES
        )
    for report in reports.values():
        assert report.violations == (), report


@each_document
def test_makers_write_the_samples_of_what_is_sent_unprompted(case: Case, trees: Path) -> None:
    served, interface = document(case), case.interface()
    book = SampleBook()
    for channel in interface.channels:
        package = module("served", case, interface, channel)
        sent = {message.name: message for message in served.channels[channel.address].sends}
        for message in channel.alone:
            maker = getattr(package.sends, snake_case(message.name))
            for each in book.of(sent[message.name]):
                positional, named = call(message, each.payload, interface)
                made = jsontext.loads(maker(*positional, **named))
                assert is_same(made, each.payload), made


@asynccontextmanager
async def serving(case: Case) -> AsyncIterator[str]:
    """Serve the generated packages of a document; yields the URL that addresses are below."""
    served, interface = document(case), case.interface()
    book, numbers = SampleBook(), itertools.count()
    application, endpoints = web.Application(), []
    for channel in interface.channels:
        package = module("served", case, interface, channel)
        assert Contract.from_document(served) == package.CONTRACT
        its = served.channels[channel.address]
        samples = Samples(its, book)
        router = Router(
            package.CONTRACT,
            package.ADDRESS,
            answering(samples, its),
            error_reply=samples.error,
            models=package.MODELS,
            sends=package.sends,
            enforce_security=False,
            check_outgoing=True,
        )
        endpoint = Endpoint(router, settings=SETTINGS)
        path = "/" + package.ADDRESS.partition("?")[0].lstrip("/")
        route = re.sub(r"\{[^{}]*\}", lambda _: f"{{parameter{next(numbers)}}}", path)
        application.router.add_get(route, endpoint.handle)
        endpoints.append(endpoint)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await asyncio.gather(*(endpoint.close_all() for endpoint in endpoints))
        await runner.cleanup()


def answering(samples: Samples, channel: Channel) -> object:
    """Handlers that answer with the samples of the mock."""

    def handler(request: str) -> Callable[[object, Connection, object], Awaitable[object]]:
        async def answer(_: object, __: Connection, message: object) -> object:
            return samples.reply(request, plain(message))

        return answer

    names = [message.name for message in channel.receives]
    return type("Handlers", (), {handler_name(name): handler(name) for name in names})()
