"""Content codings: gzip and zstd, chosen by `Accept-Encoding` (RFC 9110, 12.5.3)."""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from generated.reply import JSON
from server.rest.negotiation import qualities

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdCompressor
else:
    from backports.zstd import ZstdCompressor

COMPRESSED_TYPES: Final = frozenset({JSON, "application/x-ndjson", "text/csv"})
"""Arrow, Parquet and archives are compressed by themselves."""
LEAST_BYTES: Final = 1400
"""Shorter bodies fill one packet either way."""
_LEVEL: Final = 1
"""Of replies: candles and trades shrink to a fifteenth; higher levels take three times as long for
a tenth."""
_INLINE_BYTES: Final = 65_536
"""Longer pieces are compressed in a thread, of which there is one: that bounds the work."""
_HEADERS_KEPT: Final = 256

_thread = ThreadPoolExecutor(1, thread_name_prefix="compress")


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Coding(NamedTuple):
    compressor: Callable[[int], _Compressor]
    """Makes one of a level."""
    level_of_kept: int
    """The level for bodies that are compressed once; higher ones take longer for a hundredth."""


_CODINGS: Final[dict[str, _Coding]] = {
    "zstd": _Coding(ZstdCompressor, 9),
    "gzip": _Coding(lambda level: zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS + 16), 6),
}
"""The best one first."""


@lru_cache(_HEADERS_KEPT)
def coding_of(accept_encoding: bytes) -> str | None:
    """The coding that a client prefers of those that there are; None for none."""
    accepted = qualities(accept_encoding.decode("latin-1"))
    known = {name: accepted.get(name, accepted.get("*", 0.0)) for name in _CODINGS}
    best = max(known, key=lambda name: known[name])
    return best if known[best] > accepted.get("identity", 0.0) else None


async def compressed(body: bytes, coding: str) -> bytes:
    """A whole body, compressed for good: for one that is sent many times."""

    def compress() -> bytes:
        compressor = _CODINGS[coding].compressor(_CODINGS[coding].level_of_kept)
        return compressor.compress(body) + compressor.flush()

    return await asyncio.get_running_loop().run_in_executor(_thread, compress)


class Body:
    """A body that is compressed piece by piece."""

    def __init__(self, coding: str) -> None:
        self._compressor = _CODINGS[coding].compressor(_LEVEL)

    async def take(self, piece: bytes, *, is_last: bool) -> bytes:
        """The compressed bytes that a piece yields."""
        if len(piece) <= _INLINE_BYTES:
            return self._take(piece, is_last)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_thread, self._take, piece, is_last)

    def _take(self, piece: bytes, is_last: bool) -> bytes:
        compressed = self._compressor.compress(piece)
        return compressed + self._compressor.flush() if is_last else compressed
