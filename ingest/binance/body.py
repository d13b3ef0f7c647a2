"""The body of an answer, read and unpacked within a bound."""

from __future__ import annotations

import zlib
from typing import Final, Protocol

import aiohttp

from ingest.core.errors import ExchangeUnavailable

from .network import Response

MAX_BODY_BYTES: Final = 32 * 2**20
"""The longest answer that is read: a full `exchangeInfo` is about 15 MB."""

ENCODING: Final = "gzip"
"""For the Accept-Encoding of a request."""

_GZIP: Final = 16 + zlib.MAX_WBITS


class _Unpacker(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...


async def read_body(response: Response, limit: int = MAX_BODY_BYTES) -> bytes:
    """The bytes of an answer that aiohttp has not unpacked.

    Raises ExchangeUnavailable once there are more than `limit`, before they are in memory, and
    aiohttp's ClientPayloadError for bytes that cannot be unpacked or end too early.
    """
    unpacker = _unpacker(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    async for chunk in response.content.iter_any():
        try:
            body += unpacker.decompress(chunk, limit + 1 - len(body))
        except zlib.error as error:
            raise aiohttp.ClientPayloadError(f"The answer cannot be unpacked: {error}") from error
        if len(body) > limit:
            raise ExchangeUnavailable(
                f"The exchange's answer is longer than {limit} bytes and was not read: "
                "check the base URL"
            )
    if not unpacker.eof:
        raise aiohttp.ClientPayloadError("The answer ends before what was packed does")
    return bytes(body)


def _unpacker(encoding: str) -> _Unpacker:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return zlib.decompressobj(_GZIP)
    raise ExchangeUnavailable(
        f"The exchange's answer is packed as {encoding[:40]!r}, which was not asked for: "
        "check the base URL and what stands before it"
    )


class _Plain:
    """A body that is not compressed."""

    eof = True

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return data[:max_length]
