"""Whether the parts of tables are on disk as the embedded engine believes.

The engine acknowledges what it could not write: on a full disk an insert, or a merge, ends well
and leaves empty files. So the files of each part are compared once with what it says of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

PARTS = "SELECT path, bytes_on_disk FROM system.parts WHERE active AND database = currentDatabase()"

_NOT_COUNTED = {
    "checksums.txt",
    "columns.txt",
    "columns_substreams.txt",
    "default_compression_codec.txt",
    "metadata_version.txt",
    "txn_version.txt",
    "uuid.txt",
}
"""Files whose bytes the engine does not count; none of them is ever empty."""


class PartFiles:
    """The parts that were found whole."""

    def __init__(self) -> None:
        self._whole: set[str] = set()

    def broken(self, parts: Iterable[tuple[str, int]]) -> list[str]:
        """The directories, of these with their bytes, that have not what they should."""
        known = dict(parts)
        self._whole &= known.keys()
        broken = [p for p, size in known.items() if p not in self._whole and _bytes(p) != size]
        self._whole = known.keys() - broken
        return broken


def _bytes(path: str) -> int | None:
    """The counted bytes of a part; None when it is not there, or a small file of it is empty."""
    counted = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                size = entry.stat().st_size
                if entry.name not in _NOT_COUNTED:
                    counted += size
                elif not size:
                    return None
    except FileNotFoundError:
        return None
    return counted
