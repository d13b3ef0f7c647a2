"""The file of keys: read by a server, changed by `candlecast key`."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ingest.core.errors import SettingError
from server.edge.keys import NO_KEYS, Key, KeyRing, KeysUnusable, parse_keys, write_keys

if os.name == "posix":
    import fcntl

MAX_BYTES: Final = 8 * 2**20
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

log = logging.getLogger(__name__)


def read_keys(path: Path) -> KeyRing:
    """The keys of a file, none where it does not exist yet; raises SettingError.

    A file that others may read or write is warned of.
    """
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return NO_KEYS
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if len(text) > MAX_BYTES:
        raise _unusable(path, f"it has more than {MAX_BYTES} bytes")
    if os.name == "posix" and mode & OTHERS:
        log.warning(
            "Others may read or write the keys in %s (mode %03o): chmod 600 it",
            path,
            stat.S_IMODE(mode),
        )
    try:
        return parse_keys(text)
    except KeysUnusable as error:
        raise _unusable(path, str(error)) from error


@contextmanager
def changing(path: Path) -> Iterator[dict[str, Key]]:
    """The keys of a file, for one writer at a time to change; written unless something is raised.

    The file is replaced as a whole, readable by its owner alone. The lock is a file beside it,
    since the file itself is replaced.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_name(f"{path.name}.lock")):
            ring = dict(read_keys(path))
            yield ring
            _replace(path, write_keys(ring))
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.name == "posix":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: bytes) -> None:
    """Write a file beside its place and move it there, so that nobody reads half of it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _unusable(path: Path, why: str) -> SettingError:
    return SettingError(f"CANDLECAST_KEYS_FILE is {path}, which cannot be used: {why}")
