"""The public archive: zipped CSV files of whole past days and months, with checksums.

Files are written on first request, from the same trades as everything else, and cached in a
directory of the process. The same file has the same bytes in every run.
"""

import asyncio
import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from simulator import klines
from simulator.clock import Clock
from simulator.errors import SimulatorError
from simulator.limits import Gate
from simulator.market import Market
from simulator.script import Script
from simulator.trades import E8, Trades

CACHE_BYTES: Final = 2 << 30
"""The size of the file cache; the oldest files are evicted first."""

US_FROM: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1000
"""Files from this day (ms) on have times in microseconds, older ones in milliseconds."""

_PIECE: Final = 1 << 16
_PERIOD: Final = r"(?P<year>\d{4})-(?P<month>\d\d)"
_TRADES: Final = re.compile(
    r"(?P<every>daily|monthly)/aggTrades/(?P<symbol>[^\Wa-z]+)/"
    rf"(?P<name>(?P=symbol)-aggTrades-{_PERIOD}(?:-(?P<day>\d\d))?)\.zip(?P<sum>\.CHECKSUM)?"
)
_KLINES: Final = re.compile(
    r"(?P<every>daily|monthly)/klines/(?P<symbol>[^\Wa-z]+)/(?P<interval>[0-9]+[smhdwM])/"
    rf"(?P<name>(?P=symbol)-(?P=interval)-{_PERIOD}(?:-(?P<day>\d\d))?)\.zip(?P<sum>\.CHECKSUM)?"
)
_TRADES_HEADER: Final = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,"
    "is_buyer_maker,is_best_match\n"
)
_KLINES_HEADER: Final = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
_ROW: Final = "%d,%d.%08d,%d.%08d,%d,%d,%d,%s,%s\n"


@dataclass(frozen=True, slots=True)
class ArchiveFaults:
    """The faults of the archive's files."""

    header: bool = False
    """Whether column names come first (valid, but unusual for spot)."""
    short: bool = False
    """Whether the last tenth of the trades is missing, with a matching checksum."""
    wrong_checksum: bool = False
    cut: bool = False
    """Whether the download ends half-way, with the checksum of the full file."""

    def changed(self, values: dict[str, object]) -> "ArchiveFaults":
        """Return these faults with some changed."""
        for name, value in values.items():
            if name not in self.__slots__ or not isinstance(value, bool):
                names = ", ".join(self.__slots__)
                raise SimulatorError(f"archive faults are true or false: {names}")
        return replace(self, **values)  # type: ignore[arg-type]  # checked above


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the archive: the CSV of a period, in milliseconds, end excluded."""

    market: Market
    name: str
    interval: str | None
    start_ms: int
    end_ms: int

    def csv(self, faults: ArchiveFaults) -> Iterator[str]:
        """Generate the content in pieces."""
        if self.interval is None:
            if faults.header:
                yield _TRADES_HEADER
            yield from self._trades(short=faults.short)
        else:
            if faults.header:
                yield _KLINES_HEADER
            yield from self._klines(self.interval)

    def ids(self) -> tuple[int, int]:
        """Return the first id of the period and one past the last."""
        source = self.market.source
        return source.id_at(self.start_ms * 1000), source.last_id(self.end_ms * 1000 - 1) + 1

    def _trades(self, *, short: bool) -> Iterator[str]:
        at, end = self.ids()
        if short:
            end -= (end - at) // 10
        while at < end:
            part = self.market.slice(at, min(_PIECE, end - at))
            part = part[part.ids < end]
            if not len(part):
                return
            at = int(part.ids[-1]) + 1
            yield _rows(part, microseconds=self.start_ms >= US_FROM)

    def _klines(self, interval: str) -> Iterator[str]:
        frame, opening, last = klines.Frame(interval), self.start_ms, self.end_ms - 1
        while opening <= last:
            part = klines.klines(self.market, frame, opening, last, self.end_ms * 1000 - 1)
            if not part:
                return
            opening = frame.following(part[-1].open_time)
            for kline in part:
                row = kline.row()
                if self.start_ms >= US_FROM:
                    row[0], row[6] = kline.open_time * 1000, kline.close_time * 1000 + 999
                yield ",".join(map(str, row)) + "\n"


class Archive:
    """Serves `/data/spot/...` from files that it writes to a directory."""

    def __init__(
        self, markets: Mapping[str, Market], clock: Clock, gate: Gate, script: Script
    ) -> None:
        self.faults = ArchiveFaults()
        self.directory: Path | None = None
        """The directory of the files; set while serving."""
        self._markets = markets
        self._clock = clock
        self._gate = gate
        self._script = script
        self._making: dict[Path, asyncio.Lock] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the archive's route."""
        return [web.get("/data/spot/{path:.*}", self.get)]

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Respond with a file, its checksum, or 404."""
        scripted = self._script.take(request.path)
        response: web.StreamResponse | None = None
        if scripted:
            response = await scripted.play(request)
        if response is None:
            response = await self._find(request.match_info["path"])
        ip = request.remote or "unknown"
        self._gate.record(ip, request.method, request.path[:200], status=response.status)
        return response

    async def _find(self, path: str) -> web.StreamResponse:
        match = _TRADES.fullmatch(path) or _KLINES.fullmatch(path)
        file = match and self._file(match)
        if not match or not file or self.directory is None:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        made = await self._made(file, self.directory)
        if match["sum"]:
            digest = await asyncio.to_thread(_sha256, made)
            if self.faults.wrong_checksum:
                digest = digest[::-1]
            return web.Response(text=f"{digest}  {file.name}.zip\n")
        if self.faults.cut:
            whole = await asyncio.to_thread(made.read_bytes)
            return web.Response(body=whole[: len(whole) // 2], content_type="application/zip")
        return web.FileResponse(made, headers={"Content-Type": "application/zip"})

    def _file(self, match: re.Match[str]) -> _File | None:
        parts = match.groupdict()
        market, interval, day = (
            self._markets.get(match["symbol"]),
            parts.get("interval"),
            match["day"],
        )
        if market is None or (match["every"] == "daily") != (day is not None):
            return None
        if interval is not None and interval not in klines.INTERVALS:
            return None
        try:
            start = datetime(int(match["year"]), int(match["month"]), int(day or 1), tzinfo=UTC)
        except ValueError:
            return None
        start_ms = int(start.timestamp()) * 1000
        end_ms = klines.Frame("1d" if day else "1M").following(start_ms)
        file = _File(market, match["name"], interval, start_ms, end_ms)
        first, end = file.ids()
        return file if end_ms * 1000 <= self._clock.now() and first < end else None

    async def _made(self, file: _File, directory: Path) -> Path:
        """Return the path of a file; write it if needed, once for concurrent requests."""
        faults = replace(self.faults, wrong_checksum=False, cut=False)
        content = (faults, file.market.holes, file.ids())
        version = hashlib.sha256(repr(content).encode()).hexdigest()[:12]
        path = directory / f"{file.name}.{version}.zip"
        async with self._making.setdefault(path, asyncio.Lock()):
            if not path.exists():
                await asyncio.to_thread(_make, file, faults, path)
        self._making.pop(path, None)
        return path


def _make(file: _File, faults: ArchiveFaults, path: Path) -> None:
    partial = path.with_suffix(".part")
    # A fixed date makes the bytes and their checksum the same in every run.
    info = zipfile.ZipInfo(f"{file.name}.csv", date_time=(2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    # Fast rather than small; the attribute is public only from Python 3.13 on.
    info._compresslevel = 1  # type: ignore[attr-defined]  # not in the type stubs
    with (
        zipfile.ZipFile(partial, "w") as archive,
        archive.open(info, "w", force_zip64=True) as entry,
    ):
        for text in file.csv(faults):
            entry.write(text.encode())
    partial.rename(path)
    kept = sorted(path.parent.glob("*.zip"), key=lambda p: p.stat().st_mtime)
    total = sum(p.stat().st_size for p in kept)
    for old in kept[:-1]:
        if total <= CACHE_BYTES:
            break
        total -= old.stat().st_size
        old.unlink()


def _rows(trades: Trades, *, microseconds: bool) -> str:
    columns = (
        trades.ids,
        trades.price // E8,
        trades.price % E8,
        trades.quantity // E8,
        trades.quantity % E8,
        trades.first,
        trades.last,
        trades.time_us if microseconds else trades.time_ms,
        trades.buyer_maker,
        trades.best_match,
    )
    return "".join([_ROW % row for row in zip(*(c.tolist() for c in columns), strict=True)])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
