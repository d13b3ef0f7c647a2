"""A copy of the project, to change its documents in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

ROOT = Path(__file__).parents[2]
FOLDERS = ("generated", "handlers", "ingest", "scripts", "server", "simulator", "specs")


class Copy:
    """The project without its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            copytree(ROOT / name, folder / name, ignore=ignore_patterns("__pycache__", "written"))
        for file in ("pyproject.toml", "README.md"):
            (folder / file).write_bytes((ROOT / file).read_bytes())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy until it ends."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )

    def generate(self) -> None:
        """Write what follows from the documents."""
        done = self.run("-m", "scripts.generate")
        assert done.returncode == 0, done.stderr

    def type_errors(self) -> list[str]:
        """The errors of types in what is written by hand, with their notes."""
        found = self.run("-m", "mypy", "handlers", "ingest", "server").stdout
        return [line for line in found.splitlines() if ": error: " in line or ": note: " in line]

    def changed(self) -> set[str]:
        """The files that differ from the project's, those that are generated left out."""
        return {
            path.relative_to(self.folder).as_posix()
            for name in FOLDERS
            for path in (self.folder / name).rglob("*")
            if path.is_file()
            and name != "generated"
            and "__pycache__" not in path.parts
            and _differ(path, ROOT / path.relative_to(self.folder))
        }


def _differ(one: Path, two: Path) -> bool:
    return not two.exists() or one.read_bytes() != two.read_bytes()
