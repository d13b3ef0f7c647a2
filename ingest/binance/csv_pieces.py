"""The lines of an archive's file, unzipped piece by piece: nothing is ever in memory as a whole."""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Final

from ingest.core.errors import ExchangeUnavailable

PIECE_BYTES: Final = 64 * 2**20
"""About 800,000 trades; the engine stores each piece at once."""

READ_BYTES: Final = 2**20

MAX_CSV_BYTES: Final = 128 * 2**30
"""The longest file that is unzipped; a month of the busiest symbol is about 10 GB."""

MAX_RATIO: Final = 60
"""How many times longer than the zipped file its lines may be; files of trades come to 4 to 8."""

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


def csv_pieces(path: Path, piece_bytes: int = PIECE_BYTES) -> Generator[bytes, None, None]:
    """The lines of the one CSV file in a zip, whole ones in each piece, without a header.

    Raises ExchangeUnavailable when it is no such zip, or one that is out of all proportion.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = _entry(archive, path)
            limit = min(MAX_CSV_BYTES, entry.compress_size * MAX_RATIO + PIECE_BYTES)
            with archive.open(entry) as lines:
                yield from _pieces(lines, path, piece_bytes, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _unusable(path, f"it cannot be unzipped ({error})") from error


def _entry(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if len(entries) != 1 or not entries[0].filename.endswith(".csv"):
        raise _unusable(path, f"it holds {len(entries)} files, not one of CSV")
    if entries[0].compress_type not in _METHODS or entries[0].flag_bits & _ENCRYPTED:
        raise _unusable(path, "it is zipped in another way than the archive's files")
    return entries[0]


def _pieces(lines: IO[bytes], path: Path, size: int, limit: int) -> Iterator[bytes]:
    rest, total, is_first = b"", 0, True
    while part := b"".join(_read(lines, size - len(rest))):
        total += len(part)
        if total > limit:
            raise _unusable(path, f"its lines come to over {limit} bytes")
        piece = rest + part
        end = piece.rfind(b"\n") + 1
        if not end and len(piece) >= size:
            raise _unusable(path, f"it has a line of over {size} bytes")
        rest, piece = piece[end:], piece[:end]
        if is_first and end:
            is_first, piece = False, _without_header(piece)
        if piece:
            yield piece
    if rest:
        yield rest + b"\n"


def _read(lines: IO[bytes], size: int) -> Iterator[bytes]:
    """At most so many bytes, in parts: the unzipper's buffers are as large as one part."""
    while size > 0 and (part := lines.read(min(size, READ_BYTES))):
        size -= len(part)
        yield part


def _without_header(piece: bytes) -> bytes:
    """The lines without a byte order mark and the column names, which begin with a letter."""
    piece = piece.removeprefix(codecs.BOM_UTF8)
    return piece[piece.index(b"\n") + 1 :] if piece[:1].isalpha() else piece


def _unusable(path: Path, why: str) -> ExchangeUnavailable:
    return ExchangeUnavailable(f"{path.name} of the archive cannot be used: {why}")
