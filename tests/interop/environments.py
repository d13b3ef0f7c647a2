"""The environments of the clients, installed from their lock files into `build/interop`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.running import ROOT

LOCKS: Final = Path(__file__).parent / "environments"
BUILD: Final = ROOT / "build" / "interop"
NODE: Final = BUILD / "node"


def python(name: str) -> str:
    """The Python of an environment."""
    return str(BUILD / name / "bin" / "python")


def make_python(name: str) -> None:
    """Install an environment, unless it is there as its lock file has it."""
    lock, folder = LOCKS / f"{name}.lock", BUILD / name
    if not _is_current(folder, lock):
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        # Compiled now, or the first of the many commands of freqtrade are slow.
        install = (uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes")
        _run(*install, "--no-deps", "--python", python(name), "--requirements", str(lock))
        _keep_stamp(folder, lock)


def make_node() -> None:
    """Install the clients from npm, unless they are there as the lock file has them."""
    lock = LOCKS / "package-lock.json"
    if not _is_current(NODE, lock):
        NODE.mkdir(parents=True, exist_ok=True)
        for file in (lock, LOCKS / "package.json"):
            shutil.copy(file, NODE)
        _run("npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(NODE))
        _keep_stamp(NODE, lock)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _is_current(folder: Path, lock: Path) -> bool:
    stamp = folder / ".lock"
    return stamp.exists() and stamp.read_text() == sha256(lock.read_bytes()).hexdigest()


def _keep_stamp(folder: Path, lock: Path) -> None:
    (folder / ".lock").write_text(sha256(lock.read_bytes()).hexdigest())
