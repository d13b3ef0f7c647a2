"""Opening a connection: its URL, its headers and its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

from aiohttp import ClientError as HttpError
from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout

from .connection import Connection
from .errors import CannotConnect
from .messages import Incoming

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
HEARTBEAT_SECONDS: Final = 20.0


def address(
    url: str, path: str, parameters: Mapping[str, object], query: Mapping[str, object]
) -> str:
    """The URL of a channel below that of its server; values that are None or ... are left out."""
    base, _, own = url.partition("?")
    filled = re.sub(r"\{([^{}]*)\}", lambda name: quote(_text(parameters[name[1]]), safe=""), path)
    route, _, fixed = filled.lstrip("/").partition("?")
    pairs = [
        f"{quote(name, safe='')}={quote(_text(each), safe='')}"
        for name, value in query.items()
        if _is_given(value)
        for each in (value if isinstance(value, list | tuple) else [value])
    ]
    whole = f"{base.rstrip('/')}/{route}" if route else base.rstrip("/")
    queries = "&".join(filter(None, (own, fixed, *pairs)))
    return f"{whole}?{queries}" if queries else whole


@asynccontextmanager
async def opened(
    url: str,
    incoming: Sequence[Incoming],
    *,
    headers: Mapping[str, object],
    session: ClientSession | None,
    reply_seconds: float,
) -> AsyncIterator[Connection]:
    """Open a connection, which is closed on exit; headers that are None or ... are left out.

    Raises CannotConnect.
    """
    own = ClientSession() if session is None else session
    try:
        texts = {name: _text(value) for name, value in headers.items() if _is_given(value)}
        socket = await _socket(own, url, texts)
        connection = Connection(socket, incoming, reply_seconds)
        task = asyncio.create_task(connection.run())
        try:
            yield connection
        finally:
            await socket.close()
            await task
    finally:
        if session is None:
            await own.close()


async def _socket(
    session: ClientSession, url: str, headers: Mapping[str, str]
) -> ClientWebSocketResponse:
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            return await session.ws_connect(
                url,
                headers=headers,
                heartbeat=HEARTBEAT_SECONDS,
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
    except (HttpError, OSError, TimeoutError, ValueError) as error:
        text = f"{url} cannot be connected to: {error or 'no answer'}"
        raise CannotConnect(text, getattr(error, "status", None)) from error


def _is_given(value: object) -> bool:
    return value is not None and value is not ...


def _text(value: object) -> str:
    """A value of a query or of a header as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
