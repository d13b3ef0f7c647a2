"""The tools that the clients' tests need besides Python, where installed."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON_CLIENT = ROOT / "sdk" / "python"
TYPESCRIPT_CLIENT = ROOT / "sdk" / "typescript"
COMMAND_SECONDS = 300.0


@cache
def chromium() -> str | None:
    """The browser's program; None when there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@cache
def node() -> str | None:
    """Node's program; None when there is none, or the package's tools cannot be installed."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        return None
    with _alone():
        installed = TYPESCRIPT_CLIENT / "node_modules" / ".package-lock.json"
        return program if installed.exists() or run("npm", "ci").returncode == 0 else None


@cache
def built() -> str | None:
    """Node's program, with the TypeScript client and its tests built; None when there is none."""
    program = node()
    stamp = TYPESCRIPT_CLIENT / "build" / "stamp"
    if program is not None:
        with _alone():
            if not stamp.exists() or stamp.stat().st_mtime < _changed():
                for target in ("build", "build:test"):
                    done = run("npm", "run", "--silent", target)
                    if done.returncode:
                        raise RuntimeError(f"the TypeScript client does not build:\n{done.stdout}")
                stamp.touch()
    return program


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder of the TypeScript client."""
    return subprocess.run(
        command,
        cwd=TYPESCRIPT_CLIENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock among the processes of the test run."""
    with (TYPESCRIPT_CLIENT / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _changed() -> float:
    """The time when a source last changed."""
    folders = (TYPESCRIPT_CLIENT / "src", TYPESCRIPT_CLIENT / "test")
    files = [*TYPESCRIPT_CLIENT.glob("*.json"), *(p for f in folders for p in f.rglob("*.ts"))]
    return max(path.stat().st_mtime for path in files)
