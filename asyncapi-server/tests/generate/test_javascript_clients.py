"""Clients in TypeScript talk to the mocks of their documents, all from one process of Node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from asyncapi_server.document.model import Channel
from asyncapi_server.generate.interface import ChannelType
from asyncapi_server.generate.typescript.channel import methods
from asyncapi_server.mock.samples import SampleBook
from asyncapi_server.mock.server import Mock
from generate.documents import SERVED
from generate.javascript import node
from generate.talk import demanded, document, is_same, requests

DRIVER = Path(__file__).with_name("drive.mjs")


async def test_each_request_is_answered_and_each_message_received(
    javascript: Path, tmp_path: Path
) -> None:
    command = node()
    if command is None:
        pytest.skip("there is no Node with a WebSocket: clients in TypeScript are not run")
    book, mocks, talks, plan = SampleBook(), [], [], []
    async with AsyncExitStack() as stack:
        for case in SERVED:
            served, interface = document(case), case.interface()
            mocks.append(Mock(served))
            url = await stack.enter_async_context(mocks[-1].listening())
            for channel in interface.channels:
                talks.append(Talk(channel, served.channels[channel.address], book))
                name = "client" if len(interface.channels) == 1 else channel.module
                script = javascript / case.key / f"{name}.js"
                plan.append({"module": str(script), "mock": len(mocks) - 1, **talks[-1].plan(url)})
        control = await stack.enter_async_context(controlling(mocks))
        path = tmp_path / "plan.json"
        path.write_text(json.dumps({"control": control, "talks": plan}))
        results = await driven(*command, str(DRIVER), str(path))
    assert len(results) == len(talks) > len(SERVED) / 2
    for talk, result in zip(talks, results, strict=True):
        assert "failed" not in result, result
        talk.check(result)
    assert sum(len(talk.calls) for talk in talks) > 100
    assert sum(len(talk.sends) for talk in talks) > 100


class Talk:
    """What one client sends, and what it has to get."""

    def __init__(self, channel: ChannelType, its: Channel, book: SampleBook) -> None:
        self._channel, self._its, self._book = channel, its, book
        self._sent = {message.name: message for message in its.sends}
        self.calls = list(requests(its, book))
        self.sends = [
            (message.name, each.payload)
            for message in channel.alone
            for each in book.of(self._sent[message.name])
        ]

    def plan(self, url: str) -> dict[str, object]:
        """The same for the driver."""
        parameters, query, headers = demanded(self._channel, self._its)
        names = methods(self._channel)
        return {
            "options": {"url": url, "parameters": parameters, "query": query, "headers": headers},
            "calls": [[names[message.name], payload] for message, payload in self.calls],
            "sends": self.sends,
        }

    def check(self, result: dict[str, Any]) -> None:
        replies = {each.message.name: each.replies for each in self._channel.requests}
        for (message, _), answer in zip(self.calls, result["answers"], strict=True):
            judges = [self._book.validator(self._sent[e.name]) for e in replies[message.name]]
            assert not judges or any(judge.is_valid(answer["value"]) for judge in judges), answer
        for (_, payload), received in zip(self.sends, result["received"], strict=True):
            assert is_same(received["message"], payload), received


@asynccontextmanager
async def controlling(mocks: list[Mock]) -> AsyncIterator[str]:
    """A server that lets a mock send; yields its URL."""

    async def send(request: web.Request) -> web.Response:
        number, name, payload = await request.json()
        return web.json_response(mocks[number].send(name, payload))

    application = web.Application()
    application.router.add_post("/", send)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def driven(*command: str) -> list[dict[str, Any]]:
    """Run the driver; returns what it got."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return [json.loads(line) for line in output.splitlines()]
