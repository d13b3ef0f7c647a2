"""The exchange's public archive: which files hold a span of trades, and how they get here whole.

Files are zipped CSV of whole past days or months (UTC), each with a SHA-256 beside it. They are
revised now and then and have been cut short: nothing is handed on before its checksum is right.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from ingest.core.errors import ExchangeUnavailable

from .limits import pause_before
from .network import Network, Response, SessionClient

MAX_FILE_BYTES: Final = 16 * 2**30
"""The longest file that is fetched; a month of the busiest symbol is about 1 GB."""

CHUNK_BYTES: Final = 2**20
ATTEMPTS: Final = 4
CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 30.0

_TIMEOUT: Final = aiohttp.ClientTimeout(
    total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
)
_CHECKSUM: Final = re.compile(r"([0-9a-f]{64})\s", re.ASCII | re.IGNORECASE)
_log = logging.getLogger(__name__)


class ArchiveFile(NamedTuple):
    """The aggregate trades of one symbol in a day or month; times in ms, the end excluded."""

    symbol: str
    start_ms: int
    end_ms: int
    is_month: bool

    @property
    def name(self) -> str:
        """Such as `BTCUSDT-aggTrades-2020-01-02.zip`."""
        period = _moment(self.start_ms).strftime("%Y-%m" if self.is_month else "%Y-%m-%d")
        return f"{self.symbol}-aggTrades-{period}.zip"

    @property
    def path(self) -> str:
        """The path below the archive's base URL."""
        every = "monthly" if self.is_month else "daily"
        return f"data/spot/{every}/aggTrades/{self.symbol}/{self.name}"

    def days(self) -> list[ArchiveFile]:
        """The daily files with the same trades, for a month that is not there yet."""
        return files_covering(self.symbol, self.start_ms, self.end_ms, self.end_ms, months=False)


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def files_covering(
    symbol: str, start_ms: int, end_ms: int, now_ms: int, *, months: bool = True
) -> list[ArchiveFile]:
    """The files that hold the span from `start_ms` to `end_ms` (excluded), oldest first.

    Months where the whole month is in the span, days elsewhere. A day that has not ended at
    `now_ms` has no file: its trades are for REST.
    """
    day = _moment(start_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    until = min(end_ms, now_ms)
    files = []
    while _ms(day) < until:
        next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        is_month = months and day.day == 1 and _ms(next_month) <= until
        end = next_month if is_month else day + timedelta(days=1)
        if _ms(end) <= now_ms:
            files.append(ArchiveFile(symbol, _ms(day), _ms(end), is_month))
        day = end
    return files


class BinanceArchive(SessionClient):
    """Fetches files of the archive at `base_url` (`https://data.binance.vision`) to a directory.

    Files that are there already, whole and right, are not fetched again; parts go on where they
    stopped. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        base_url: str,
        directory: Path,
        *,
        network: Network | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        network = network or Network()
        super().__init__(lambda: network.session(_TIMEOUT))
        self._base_url = base_url.rstrip("/")
        self._directory = directory
        self._attempts = attempts

    async def fetch(
        self, file: ArchiveFile, progress: Callable[[int], None] | None = None
    ) -> Path | None:
        """The verified file, or None when the archive does not have it.

        `progress` gets the bytes of each piece that has come. Raises ExchangeUnavailable.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._fetch(file, progress)
            except (aiohttp.ClientError, TimeoutError, _Spoilt) as error:
                fault = f"{type(error).__name__.strip('_')} {error}"
            if attempt >= self._attempts:
                raise ExchangeUnavailable(
                    f"{file.name} could not be fetched in {attempt} attempts ({fault}): "
                    "try again later, or fetch the span over REST"
                )
            _log.warning("%s: %s; it is tried again", file.name, fault)
            await asyncio.sleep(pause_before(attempt))

    async def _fetch(
        self, file: ArchiveFile, progress: Callable[[int], None] | None
    ) -> Path | None:
        expected = await self._checksum(file)
        if expected is None:
            return None
        whole = self._directory / file.name
        part = whole.with_suffix(".part")
        if await asyncio.to_thread(_sha256, whole) == expected:
            return whole
        await self._download(file, part, progress)
        if await asyncio.to_thread(_sha256, part) != expected:
            part.unlink(missing_ok=True)
            raise _Spoilt("the checksum does not agree with the file")
        return part.replace(whole)

    async def _checksum(self, file: ArchiveFile) -> str | None:
        async with self._get(f"{file.path}.CHECKSUM", {}) as response:
            if response.status == 404:
                return None
            response.raise_for_status()
            text = (await response.content.read(1024)).decode("ascii", "replace")
        found = _CHECKSUM.match(text)
        if found is None:
            raise _Spoilt("its checksum file has no checksum")
        return found[1].lower()

    async def _download(
        self, file: ArchiveFile, part: Path, progress: Callable[[int], None] | None
    ) -> None:
        """Fetch what is missing of a part."""
        await asyncio.to_thread(self._directory.mkdir, parents=True, exist_ok=True)
        size = await asyncio.to_thread(_size, part)
        async with self._get(file.path, {"Range": f"bytes={size}-"} if size else {}) as response:
            if response.status == 416:  # nothing is missing, or the file has become shorter
                return
            response.raise_for_status()
            if response.status != 206:
                size = 0
            with part.open("r+b" if size else "wb") as output:
                output.seek(size)
                async for piece in response.content.iter_chunked(CHUNK_BYTES):
                    size += len(piece)
                    if size > MAX_FILE_BYTES:
                        raise _Spoilt(f"it is longer than {MAX_FILE_BYTES} bytes")
                    await asyncio.to_thread(output.write, piece)
                    if progress is not None:
                        progress(len(piece))

    def _get(self, path: str, headers: dict[str, str]) -> AbstractAsyncContextManager[Response]:
        return self.session.get(f"{self._base_url}/{path}", headers=headers)


class _Spoilt(Exception):
    """A file differs from what the archive says of it."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str | None:
    """The checksum of a file, or None when there is none."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return None
