"""Whether the definitions of tables and views are on disk as the embedded engine believes.

The engine acknowledges a definition that a full disk did not take. It leaves an empty file, and
with one it refuses to open the database.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote

log = logging.getLogger(__name__)

VIEWS = ("ohlcv_", "_tmp_replace_")
"""How the names of views begin, which are made anew when they are not there; those of views that
are just being made too."""


def is_written(root: Path, name: str) -> bool:
    """Whether a table or view of the database below `root` has a definition on disk."""
    file_name = quote(name, safe="")  # as the engine does with what is no ASCII letter
    return any(file.stat().st_size for file in root.glob(f"metadata/*/{file_name}.sql"))


def forget_unwritten_views(root: Path) -> None:
    """Remove empty definitions of views from a database that nobody has open."""
    for file in sorted(root.glob("metadata/*/*.sql")):
        if file.name.startswith(VIEWS) and not file.stat().st_size:
            log.warning("The view %s was never written, for the disk was full", file.stem)
            file.unlink()
