"""How commands find the server that has an embedded store open: a file beside the store.

It has the server's address and a key of this run. Nobody holds the engine's lock beside the file
of a server that was killed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from ingest.storage.engine import database_path, holder_of
from server.settings import Settings


class Presence(msgspec.Struct, frozen=True):
    """A server that runs."""

    url: str
    key: str
    """Shows that whoever sends it can read the operator's files."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that a command sends with each request."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@contextmanager
def announced(settings: Settings, presence: Presence) -> Iterator[None]:
    """Let commands on the same store find this server meanwhile."""
    path = _path(settings)
    if path is None:
        yield
        return
    _write(path, msgspec.json.encode(presence))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def running(settings: Settings) -> Presence | None:
    """The server that has the embedded store open; None when there is none, or it says nothing."""
    path = _path(settings)
    if path is None or not holder_of(database_path(settings.store) / "status"):
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Presence)
    except (OSError, msgspec.DecodeError):
        return None


def _path(settings: Settings) -> Path | None:
    if settings.store_backend != "chdb":
        return None
    return Path(f"{urlsplit(settings.store).path}.server.json")


def _write(path: Path, body: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
