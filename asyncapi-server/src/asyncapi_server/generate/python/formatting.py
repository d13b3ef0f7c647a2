"""Generated modules of Python, formatted by ruff."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ruff import find_ruff_bin  # type: ignore[import-untyped]

LINE_LENGTH = 100
FUTURE = "from __future__ import annotations\n"


def formatted(files: Mapping[str, str]) -> dict[str, str]:
    """Files by their paths, of which the modules of Python are formatted.

    Their imports are sorted, and those that nothing needs are left out.
    """
    modules = {name: text for name, text in files.items() if name.endswith(".py")}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in modules.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        _ruff(folder, "check", "--fix-only", "--select=I,F401")
        _ruff(folder, "format")
        found = {name: Path(folder, name).read_text("utf-8") for name in modules}
    return {**files, **found}


def _ruff(folder: str, *command: str) -> None:
    options = (f"--line-length={LINE_LENGTH}", "--target-version=py311", "--isolated")
    run = subprocess.run(  # noqa: S603 - ruff's own program, and files of a folder of our own
        [find_ruff_bin(), *command, "--quiet", "--no-cache", *options, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"ruff cannot read what was generated:\n{run.stdout}{run.stderr}")
