"""Backups of an embedded database, taken while it is in use.

A backup is a directory that is itself a database, as a kill at one moment would leave it: what was
being written then is recomputed or fetched again at the next start. For that moment no statement
runs; the engine gives each part another name (`FREEZE`, hard links), which takes milliseconds, and
the files are copied afterwards. Parts of tables never change, so a hard link is as good as a copy
for as long as the disk is whole.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from ..core.errors import BackupError, SettingError
from . import schema
from .connection import Connection
from .engine import database_path
from .manifest import Manifest

Progress = Callable[[int, int], object]
"""Takes the bytes that are copied, and those there are."""

PARTIAL: Final = ".partial"
SPARE_BYTES: Final = 64 * 2**20
"""Free space that a backup leaves."""

_FROZEN: Final = "candlecast"
"""The engine's name for the parts of the backup that is being made."""

_TABLES = """
SELECT name, data_paths[1] FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name"""


def back_up(
    connection: Connection,
    directory: Path,
    progress: Progress = lambda *_: None,
    *,
    link: bool = False,
) -> Manifest:
    """Make a backup in a directory that does not exist yet, and return the list of its files.

    With `link` files on the same file system are linked instead of copied. Raises SettingError for
    a store that is not embedded, BackupError when the directory cannot be made or has no room,
    StoreUnavailable.
    """
    if not connection.is_embedded:
        raise SettingError(
            "CANDLECAST_STORE is a ClickHouse server, which makes its own backups: BACKUP DATABASE "
            "in its documentation"
        )
    root, partial = database_path(connection.dsn).resolve(), Path(f"{directory}{PARTIAL}")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        if directory.exists():
            raise BackupError(f"{directory} exists already: name another directory")
        _remove(partial)
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(f"{partial} cannot be made ({error.strerror})") from error
    shadow = root / "shadow" / _FROZEN
    try:
        _remove(shadow)
        with connection.alone() as client:
            _freeze(client, root, partial)
            [[version]] = client.query(schema.STORED_VERSION).result_rows
        _check_room(shadow, partial, link=link)
        _copy_parts(shadow, partial, progress, link=link)
        manifest = _listed(partial, version)
        manifest.write(partial)
        _sync(partial)
        partial.rename(directory)
    except OSError as error:
        raise BackupError(
            f"The backup in {directory} cannot be written ({error.strerror}): make room, or let "
            "CANDLECAST_BACKUPS name another disk"
        ) from error
    finally:
        _remove(shadow)
        _remove(partial)
    return manifest


def _freeze(client: Client, root: Path, partial: Path) -> None:
    """Hold all parts, and copy the definitions, which are small and change in place."""
    for name, data_path in client.query(_TABLES).result_rows:
        client.command(f"ALTER TABLE {name} FREEZE WITH NAME '{_FROZEN}'")
        data = Path(data_path).resolve()
        table = partial / data.relative_to(root)
        (table / "detached").mkdir(parents=True)
        shutil.copyfile(data / "format_version.txt", table / "format_version.txt")
    for link in [*root.glob("metadata/*"), *root.glob("data/*/*")]:
        target = partial / link.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(link))
    for definition in root.glob("store/*/*/*.sql"):
        if definition.stat().st_size:  # an empty one is of a view that is just being made
            target = partial / definition.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(definition, target)


def _check_room(shadow: Path, partial: Path, *, link: bool) -> None:
    if link and os.stat(shadow).st_dev == os.stat(partial).st_dev:
        return
    wanted, free = sum(size for _, size in _sizes(shadow)), shutil.disk_usage(partial).free
    if wanted + SPARE_BYTES > free:
        raise BackupError(
            f"The backup takes {wanted / 1e6:,.0f} MB, and {partial.parent} has {free / 1e6:,.0f} "
            "MB left: make room, or let CANDLECAST_BACKUPS name another disk"
        )


def _copy_parts(shadow: Path, partial: Path, progress: Progress, *, link: bool) -> None:
    files = list(_sizes(shadow))
    total, done = sum(size for _, size in files), 0
    progress(done, total)
    for path, size in files:
        target = partial / path.relative_to(shadow)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(path, target, link=link)
        done += size
        progress(done, total)


def copy(source: Path, target: Path, *, link: bool) -> None:
    """Copy a file and its content to the disk; or link it, where the file system can."""
    if link:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _listed(partial: Path, version: int) -> Manifest:
    files = {str(path.relative_to(partial)): size for path, size in _sizes(partial)}
    links = {
        str(path.relative_to(partial)): os.readlink(path)
        for path in sorted([*partial.glob("metadata/*"), *partial.glob("data/*/*")])
    }
    return Manifest(time.time_ns() // 1_000_000, version, files, links)


def _sizes(directory: Path) -> Iterator[tuple[Path, int]]:
    """All files below a directory, and their sizes; links are not followed."""
    for parent, _, names in os.walk(directory):
        for name in sorted(names):
            path = Path(parent, name)
            if not path.is_symlink():
                yield path, path.stat().st_size


def _sync(directory: Path) -> None:
    """Let the names of all files be on disk."""
    for parent, _, _ in os.walk(directory):
        sync_names(Path(parent))


def sync_names(directory: Path) -> None:
    """Let the names of the files in a directory be on disk."""
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
