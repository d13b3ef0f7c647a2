"""Daily and monthly files of candles and trades, with checksums, and lists of them."""

from __future__ import annotations

from typing import Final

from generated.native.facts import TIMEFRAME_MAXIMUM
from generated.native.models import (
    FileIndex,
    FileIndexEnvelope,
    FileListEnvelope,
    FilePeriod,
)
from generated.native.rest import BASE_PATH, FilesHandlers
from generated.reply import File, Raw
from handlers.native.rest import caching
from handlers.native.rest.envelope import envelope
from ingest.core.errors import NoSuchFile, NotReady
from ingest.core.periods import Period, period_of
from ingest.core.timeframe import label
from ingest.pipeline.files import Files, Wanted
from ingest.pipeline.view import MarketView
from ingest.storage import FileFormat

CHECKSUM: Final = ".CHECKSUM"
MEDIA_TYPES: Final = {
    FileFormat.PARQUET: "application/vnd.apache.parquet",
    FileFormat.CSV: "application/gzip",
}


class FilesOfPeriods(FilesHandlers):
    """`/data/files`: what is closed, as files that other programs read."""

    def __init__(self, view: MarketView, files: Files) -> None:
        self._view = view
        self._files = files

    async def list_files(self) -> FileIndexEnvelope:
        """The days of each symbol, and where its files are."""
        indexes = [
            FileIndex(
                symbol=symbol,
                trades=f"{BASE_PATH}/data/files/trades/{symbol}",
                trade_days=await self._days(symbol, None),
                candles=f"{BASE_PATH}/data/files/candles/{symbol}/1m",
                candle_days=await self._days(symbol, 1),
            )
            for symbol in self._view.symbols
        ]
        return envelope(FileIndexEnvelope, indexes, f"Files of {len(indexes)} symbols")

    async def _days(self, symbol: str, timeframe: int | None) -> int:
        """How many days there are; none of a symbol that is still being opened."""
        try:
            found = await self._files.available(symbol, timeframe)
        except NotReady:
            return 0
        return sum(not period.is_month for period in found)

    async def list_candle_files(self, symbol: str, timeframe: str) -> FileListEnvelope:
        """The files of candles of one timeframe."""
        minutes = _minutes(timeframe)
        base = f"{BASE_PATH}/data/files/candles/{symbol}/{label(minutes)}"
        return _listed(base, await self._files.available(symbol, minutes))

    async def list_trade_files(self, symbol: str) -> FileListEnvelope:
        """The files of trades."""
        base = f"{BASE_PATH}/data/files/trades/{symbol}"
        return _listed(base, await self._files.available(symbol, None))

    async def get_candle_file(self, symbol: str, timeframe: str, file: str) -> Raw | File:
        """A file of candles, or its checksum."""
        return await self._reply(symbol, _minutes(timeframe), file)

    async def get_trade_file(self, symbol: str, file: str) -> Raw | File:
        """A file of trades, or its checksum."""
        return await self._reply(symbol, None, file)

    async def _reply(self, symbol: str, timeframe: int | None, name: str) -> Raw | File:
        period_name, _, ending = name.removesuffix(CHECKSUM).partition(".")
        try:
            period = period_of(period_name)
        except ValueError:
            raise NoSuchFile(f"The calendar has no {period_name}") from None
        wanted = Wanted(symbol, timeframe, period, FileFormat(ending))
        made = await self._files.file(wanted)
        headers = {"ETag": f'"{made.sha256}"', "Cache-Control": caching.lasting(period.end_ms)}
        if name.endswith(CHECKSUM):
            text = f"{made.sha256}  {wanted.name}\n"
            return Raw(text.encode(), "text/plain", {**headers, "ETag": f'"{made.sha256}-sum"'})
        return File(made.path, wanted.name, MEDIA_TYPES[wanted.format], headers)


def _minutes(timeframe: str) -> int:
    minutes = int(timeframe[:-1])
    if minutes > TIMEFRAME_MAXIMUM:
        raise NoSuchFile(f"A candle lasts at most {TIMEFRAME_MAXIMUM}m, a year")
    return minutes


def _listed(base: str, periods: list[Period]) -> FileListEnvelope:
    data = [
        FilePeriod(
            period=period.name,
            parquet=f"{base}/{period.name}.{FileFormat.PARQUET}",
            csv=f"{base}/{period.name}.{FileFormat.CSV}",
        )
        for period in periods
    ]
    return envelope(FileListEnvelope, data, f"{len(data)} days and months")
