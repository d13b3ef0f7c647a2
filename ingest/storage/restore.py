"""Makes an embedded database of a backup."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from ..core.errors import BackupError, SettingError, StoreInUse
from . import schema
from .backup import PARTIAL, Progress, copy, sync_names
from .engine import database_path, holder_of
from .manifest import Manifest
from .store import Store


def restore(
    backup: Path, dsn: str, progress: Progress = lambda *_: None, *, replace: bool = False
) -> Path | None:
    """Copy a backup to where the DSN's database is to be, check each part, and open it once.

    With `replace` a database that is there is moved aside, and its new path returned. Raises
    SettingError when there is one without it, BackupError when the backup is not whole, StoreInUse.
    """
    if not dsn.startswith("chdb:"):
        raise SettingError(
            "CANDLECAST_STORE is a ClickHouse server, which restores its own backups: RESTORE "
            "DATABASE in its documentation"
        )
    manifest, root = Manifest.read(backup), database_path(dsn)
    schema.check_version(manifest.schema_version)
    if root.exists() and not replace:
        raise SettingError(
            f"There is a database in {root}: let CANDLECAST_STORE name another one, or move this "
            "one aside by --replace"
        )
    if holder := holder_of(root / "status"):
        raise StoreInUse(f"The database in {root} is open in another process ({holder}): end it")
    partial = Path(f"{root}{PARTIAL}")
    try:
        if partial.exists():
            shutil.rmtree(partial)
        _copy(backup, partial, manifest, progress)
        _check(partial, backup)
        aside = _move_aside(root) if root.exists() else None
        partial.rename(root)
        sync_names(root.parent)
    except OSError as error:
        raise BackupError(
            f"The backup in {backup} cannot be copied to {root}: {error.strerror}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return aside


def _copy(backup: Path, partial: Path, manifest: Manifest, progress: Progress) -> None:
    total, done = manifest.bytes, 0
    partial.mkdir(parents=True)
    progress(done, total)
    for name, size in manifest.files.items():
        source, target = backup / name, partial / name
        if source.is_symlink() or not source.is_file() or source.stat().st_size != size:
            raise BackupError(
                f"{source} is not there in its {size:,} bytes: the backup is not whole, use another"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(source, target, link=False)
        done += size
        progress(done, total)
    for name, link in manifest.links.items():
        target = partial / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(link, target)


def _check(partial: Path, backup: Path) -> None:
    """Let the engine compare each part with its checksums."""
    with Store(f"chdb://{partial.absolute()}") as store:
        torn = [(part.table, part.name) for part in store.torn_parts]
        broken = [*torn, *store.connection.unsound_parts()]
    if broken:
        names = ", ".join(f"{table} {name}" for table, name in broken[:5])
        raise BackupError(
            f"{len(broken)} parts in {backup} are not what was stored ({names}): use another backup"
        )


def _move_aside(root: Path) -> Path:
    aside = Path(f"{root}.replaced-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}")
    root.rename(aside)
    return aside
