"""The built wheel, installed in an environment of its own, outside of the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns("*.egg-info", "__pycache__", "build", "tests", "node_modules")

_REFUSES = '''\
import sys

class Refuses:
    """Finds no module but those that the package depends on."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuses())
'''
EXTRAS = ("hypothesis", "jsonschema_rs", "msgspec", "orjson", "pydantic", "ruff", "jinja2",
          "markdown_it", "datamodel_code_generator", "uvloop")  # fmt: skip


class Installed:
    """An environment with the wheel; libraries come from the one of the tests."""

    def __init__(self, folder: Path) -> None:
        source, pip = folder / "source", (sys.executable, "-m", "pip", "--quiet")
        shutil.copytree(ROOT, source, ignore=_LEFT_OUT)
        options = ("--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
        _run(*pip, "wheel", *options, str(source))
        [self.wheel] = folder.glob("asyncapi_server-*.whl")
        venv.create(folder / "env", with_pip=False)
        self._programs = folder / "env" / "bin"
        python = str(self._programs / "python")
        _run(*pip, "--python", python, "install", "--no-index", "--no-deps", str(self.wheel))
        shutil.rmtree(source)
        self.folder = folder / "work"
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        self._bare = folder / "bare"
        self._bare.mkdir()
        (self._bare / "sitecustomize.py").write_text(_REFUSES.format(names=EXTRAS))

    def environment(self, *, bare: bool = False) -> dict[str, str]:
        """The variables of a command; `bare` hides the libraries of the extras."""
        libraries = sysconfig.get_path("purelib")
        return {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "PATH": f"{self._programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self._bare}{os.pathsep}{libraries}" if bare else libraries,
        }

    def run(self, command: str, *, bare: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command of the shell in the folder with the examples until it ends."""
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment(bare=bare),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    @contextmanager
    def serving(self, *command: str, bare: bool = False) -> Iterator[str]:
        """Run a program that serves; yields its first line."""
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(bare=bare),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
