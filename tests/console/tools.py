"""What the tests of the console need besides Python, where installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.site.pages import STATIC

HERE = Path(__file__).parent
CONSOLE = STATIC / "console"
CHARTS = STATIC / "lightweight-charts" / "lightweight-charts.standalone.production.mjs"
PACKAGES = HERE / "node_modules"
CHROMIUM = shutil.which("chromium")
NODE = shutil.which("node")

NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)"
)
NEEDS_NODE = pytest.mark.skipif(NODE is None, reason="needs Node.js")
NEEDS_PACKAGES = pytest.mark.skipif(
    NODE is None or not PACKAGES.exists(), reason="needs its packages: cd tests/console && npm ci"
)
