"""Folders that contain only generated files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def differences(folders: Iterable[Path], files: Mapping[Path, str]) -> list[Path]:
    """The files that are missing, different or superfluous."""
    present = {
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        path
        for path in present | set(files)
        if path not in files or path not in present or path.read_text("utf-8") != files[path]
    )


def write(folders: Iterable[Path], files: Mapping[Path, str]) -> list[Path]:
    """Make the folders contain exactly these files; returns the paths of those that changed."""
    changed = differences(folders, files)
    for path in changed:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], "utf-8")
        else:
            path.unlink()
    return changed
