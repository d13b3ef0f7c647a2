"""Node.js and the `ws` package, installed outside the project's environment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .child import ROOT
from .errors import NotAvailable

HOME = ROOT / "build" / "bench-node"
PACKAGE = "ws@8.23.0"
INSTALL_SECONDS = 120.0


def node() -> tuple[str, dict[str, str]]:
    """The node program, and an environment with `ws`, which is installed if needed."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise NotAvailable("node and npm are not installed")
    modules = HOME / "node_modules"
    if not (modules / "ws").is_dir():
        _install(npm, HOME)
    return program, {"NODE_PATH": str(modules)}


def _install(npm: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            [*command, PACKAGE],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotAvailable(f"npm did not install {PACKAGE} in time") from error
    if done.returncode:
        raise NotAvailable(f"npm could not install {PACKAGE}: {done.stderr.strip()[-200:]}")
