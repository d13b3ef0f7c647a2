"""Files that others write and this server follows."""

from __future__ import annotations

from pathlib import Path


def state_of(path: Path) -> tuple[int, ...]:
    """The file's number, size and time of change; empty while there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
