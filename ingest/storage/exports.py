"""Candles and trades as files: written part by part, so that a long one takes no more memory."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from ..core.timeframe import width_ms
from .connection import Connection, Parameters
from .pages import CandlePage, Pages
from .tables import Table, TableFormat
from .trades import Selection

CANDLES_OF_A_PART = 20_000
TRADES_OF_A_PART = 100_000
"""Ids, at the most; each part is a row group in Parquet."""
GZIP_LEVEL = 6

Statement = tuple[str, Parameters]


class FileFormat(StrEnum):
    """The formats of files, by the end of their names."""

    PARQUET = "parquet"
    CSV = "csv.gz"


class Digest(NamedTuple):
    """Distinguishes the rows of a file from all others."""

    rows: int
    first_key: int
    last_key: int
    value: int
    """Of all columns of all rows, in any order."""


@dataclass(frozen=True, slots=True)
class CandleSpan:
    """The candles of all buckets in [start, end), in milliseconds, all of them stored."""

    symbol: str
    timeframe: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class TradeSpan:
    """The trades with times in [start, end), in milliseconds."""

    symbol: str
    start_ms: int
    end_ms: int


Span = CandleSpan | TradeSpan


class Exports:
    """Writes files of one store's rows."""

    def __init__(self, connection: Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages

    def digest(self, span: Span) -> Digest:
        """The digest of the rows of a span."""
        sql, parameters = self._statement(span, Table(TableFormat.NDJSON))
        key = "candle_time" if isinstance(span, CandleSpan) else "aggregate_id"
        [row] = self._connection.rows(
            f"SELECT count(), min({key}), max({key}), groupBitXor(cityHash64(*))"  # noqa: S608
            f" FROM ({sql})",
            parameters,
        )
        return Digest(*map(int, row))

    def write(
        self, span: Span, digest: Digest, file_format: FileFormat, folder: Path, stem: str
    ) -> Path:
        """Write the rows of a span to `folder`; they are on disk, as a whole, when this returns.

        The name is the stem, with the SHA-256 of the content and the format behind it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                parts = self._parts(span, digest)
                if file_format is FileFormat.PARQUET:
                    self._write_parquet(parts, file)
                else:
                    self._write_csv(parts, file)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            path = folder / f"{stem}.{sha256}.{file_format}"
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return path

    def _write_parquet(self, parts: Iterator[Span], file: BinaryIO) -> None:
        import pyarrow.parquet as pq  # takes memory that a server without files need not

        writer = None
        for part in parts:
            rows = self._rows(part, TableFormat.ARROW)
            table = pa.ipc.open_stream(rows).read_all()
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="zstd")
            if table.num_rows:
                writer.write_table(table)
        if writer is not None:
            writer.close()

    def _write_csv(self, parts: Iterator[Span], file: BinaryIO) -> None:
        fmt = TableFormat.CSV
        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressed:
            for part in parts:
                compressed.write(self._rows(part, fmt))
                fmt = TableFormat.CSV_LINES

    def _rows(self, span: Span, fmt: TableFormat) -> bytes:
        sql, parameters = self._statement(span, Table(fmt))
        return self._connection.formatted(sql, fmt, parameters)

    def _parts(self, span: Span, digest: Digest) -> Iterator[Span]:
        """The span in parts of a bounded size."""
        if isinstance(span, CandleSpan):
            step = CANDLES_OF_A_PART * width_ms(span.timeframe)
            for start in range(span.start_ms, span.end_ms, step):
                yield replace(span, start_ms=start, end_ms=min(start + step, span.end_ms))
            return
        for first in range(digest.first_key, digest.last_key + 1, TRADES_OF_A_PART):
            last = min(first + TRADES_OF_A_PART - 1, digest.last_key)
            yield _Trades(span.symbol, span.start_ms, span.end_ms, first, last)

    def _statement(self, span: Span, table: Table) -> Statement:
        if isinstance(span, CandleSpan):
            page = CandlePage(
                span.symbol, span.timeframe, span.start_ms, span.end_ms, span.end_ms, ()
            )
            return self._pages.candles_query(page, table)
        ids = (span.first_id, span.last_id) if isinstance(span, _Trades) else (None, None)
        selection = Selection(span.symbol, span.start_ms, span.end_ms - 1, *ids)
        return self._pages.trades_query(selection, table)


@dataclass(frozen=True, slots=True)
class _Trades(TradeSpan):
    """Those of them with ids from the first to the last."""

    first_id: int
    last_id: int
