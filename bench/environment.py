"""A separate environment for a peer whose packages conflict with ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .child import ROOT
from .errors import NotAvailable

INSTALL_SECONDS = 300.0


def python_with(requirement: str) -> Path:
    """The interpreter of an environment with this requirement (`name==version`)."""
    home = ROOT / "build" / f"bench-{requirement.partition('==')[0]}"
    python = home / "bin" / "python"
    done = home / f"{requirement}.installed"
    if not done.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(home)], requirement)
        _run([str(python), "-m", "pip", "install", "--quiet", requirement], requirement)
        done.touch()
    return python


def _run(command: list[str], requirement: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotAvailable(f"{requirement} could not be installed in time") from error
    if done.returncode:
        raise NotAvailable(f"{requirement} could not be installed: {done.stderr.strip()[-200:]}")
