"""Puts the guides and what else the site shows into the wheel, beside the code that renders it."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHOWN = ("ARCHITECTURE.md", "CHANGELOG.md", "requirements.lock", "sbom.cdx.json")


class BuildWithGuides(build_py):
    """Builds the packages, and copies the sources of the site into `server/site/written`."""

    def run(self) -> None:
        """Build and copy."""
        super().run()
        if self.editable_mode:  # the checkout has them
            return
        written = Path(self.build_lib) / "server" / "site" / "written"
        shutil.rmtree(written, ignore_errors=True)
        shutil.copytree(ROOT / "docs", written / "docs")
        for name in SHOWN:
            shutil.copy(ROOT / name, written / name)


setup(cmdclass={"build_py": BuildWithGuides})
