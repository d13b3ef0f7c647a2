"""Every tree is strictly typed; all of one language are checked in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import asyncapi_server
from generate.documents import SERVED
from support.rooms import CASES


def test_the_trees_of_python_are_strictly_typed(trees: Path, tmp_path: Path) -> None:
    config = tmp_path / "mypy.ini"
    source = Path(asyncapi_server.__file__).parents[1]
    config.write_text(f"[mypy]\nstrict = true\nmypy_path = {source}:{trees}\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(config)]
    packages = ["--cache-dir", str(tmp_path / "cache"), "-p", "served", "-p", "connected"]
    done = subprocess.run(
        [*command, *packages], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_trees_of_typescript_are_strictly_typed(javascript: Path) -> None:
    assert (javascript.parent / "complaints").read_text() == ""


def test_the_cases_of_real_documents_are_among_them() -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is absent: only the documents of this repository are tried")
    assert sum(case.path.is_relative_to(CASES) for case in SERVED) > 20
