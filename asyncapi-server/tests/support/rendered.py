"""Pages of documents for tests, and where a browser finds them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from asyncapi_server.docs import describe
from asyncapi_server.docs.render import page
from support.rooms import DOCUMENTS

CHROMIUM = shutil.which("chromium")
NEEDS_CHROMIUM = "needs chromium (Debian: apt-get install chromium)"
SHOWCASE = DOCUMENTS.parent / "docs" / "showcase.yaml"
"""A document with everything that a page shows."""
SUITE = DOCUMENTS / "suite"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((SUITE / "expected.yaml").read_text())
READ = [name for name, expected in EXPECTED.items() if "channels" in expected]
"""The documents of the suite that can be read."""


def write(document: Path, folder: Path, *, as_client: bool = False) -> str:
    """Write the page of a document to a folder; returns its file URL."""
    path = folder / f"{document.stem}.html"
    path.write_text(page(describe(document, as_client=as_client)), "utf-8")
    return path.as_uri()
