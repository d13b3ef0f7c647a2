"""Node.js, for the scripts of pages and for what npm has."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

NODE = shutil.which("node")
NPM = shutil.which("npm")


def run(script: Path, *arguments: str, given: object = None) -> Any:
    """Run a script with a value as JSON on its standard input; returns what it prints as JSON."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(script), *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@cache
def modules(folder: Path) -> Path | None:
    """The packages that a folder's `package.json` names; None when they cannot be installed."""
    if NODE is None or NPM is None:
        return None
    installed = folder / "node_modules"
    with (folder / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tests may run in several processes
        if not (installed / ".package-lock.json").exists():
            subprocess.run([NPM, "ci", "--silent", "--ignore-scripts"], cwd=folder, check=False)
    return installed if installed.exists() else None
