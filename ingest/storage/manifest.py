"""The list of all that a backup holds, written last: a directory without one is no backup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from ..core.errors import BackupError

NAME: Final = "backup.json"
FORMAT: Final = 1
LONGEST: Final = 256 * 2**20
"""Bytes of a list that is read; a file of a part takes some 100 of them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a backup by their paths in it, with their sizes, and its symbolic links."""

    made_ms: int
    schema_version: int
    files: Mapping[str, int]
    links: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(self.files.values())

    def write(self, directory: Path) -> None:
        """Write it into the directory of the backup."""
        facts = {
            "format": FORMAT,
            "made_ms": self.made_ms,
            "schema_version": self.schema_version,
            "files": dict(self.files),
            "links": dict(self.links),
        }
        (directory / NAME).write_text(json.dumps(facts, indent=1), encoding="ascii")

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read that of a backup. Raises BackupError where there is none that can be used."""
        path = directory / NAME
        try:
            with path.open("rb") as file:
                facts = json.loads(file.read(LONGEST))
            return cls._of(facts)
        except OSError as error:
            raise BackupError(
                f"{directory} is no whole backup, for {NAME} in it cannot be read "
                f"({error.strerror}): name a directory that `candlecast backup` made"
            ) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BackupError(
                f"{path} is not as `candlecast backup` writes it ({error}): use another backup"
            ) from error

    @classmethod
    def _of(cls, facts: Any) -> Self:
        if facts["format"] != FORMAT:
            raise ValueError(f"format {facts['format']!r}, where this program knows {FORMAT}")
        files = {_inside(path): _whole(size) for path, size in facts["files"].items()}
        links = {
            _inside(path): _inside_from(path, target) for path, target in facts["links"].items()
        }
        return cls(_whole(facts["made_ms"]), _whole(facts["schema_version"]), files, links)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _inside(path: str) -> str:
    """A path below the backup; ValueError for one that leads out of it."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
        raise ValueError(f"the path {path!r} leads out of the backup")
    return path


def _inside_from(path: str, target: str) -> str:
    """The target of a link; ValueError when it leads out of the backup."""
    pure = PurePosixPath(target)
    depth = len(PurePosixPath(path).parts) - 1
    for part in pure.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            break
    if pure.is_absolute() or depth < 0 or "\0" in target:
        raise ValueError(f"the link {path!r} leads out of the backup")
    return target
