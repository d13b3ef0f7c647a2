"""A proxy that takes TLS and hands the bytes on, for clients that speak nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

CERTIFICATE: Final = Path(__file__).parents[1] / "binance" / "localhost.pem"
CHUNK: Final = 1 << 16


@asynccontextmanager
async def relay(host: str) -> AsyncIterator[str]:
    """A proxy before `host`; gives its own host and port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name, _, port = host.partition(":")
        there, back = await asyncio.open_connection(name, int(port))
        await asyncio.gather(_pass(reader, back), _pass(there, writer))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
