"""A running mock of a document, and a client of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from asyncapi_server import load_document
from asyncapi_server.mock.server import Mock


class Session:
    """A running mock and a client session for it."""

    def __init__(self, mock: Mock, url: str, client: ClientSession) -> None:
        self.mock, self.url, self.client = mock, url, client

    def connect(self, path: str | None = None) -> Any:
        return self.client.ws_connect(self.url + (path or self.mock.paths[0]))

    async def post(self, name: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        url = self.url.replace("ws", "http", 1)
        async with self.client.post(f"{url}/send/{name}", data=data) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def mocked(document: Path, server: str | None = None) -> AsyncIterator[Session]:
    mock = Mock(load_document(document), server=server)
    async with mock.listening() as url, ClientSession() as client:
        yield Session(mock, url, client)
