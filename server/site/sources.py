"""Where the texts of the site lie: in the checkout, or in the installed package."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""Where the packages lie, `specs` and `generated` among them."""

_CHECKED_OUT = ROOT / "ARCHITECTURE.md"

WRITTEN = ROOT if _CHECKED_OUT.exists() else Path(__file__).parent / "written"
"""Where `docs/`, `ARCHITECTURE.md`, `CHANGELOG.md` and `requirements.lock` lie (see `setup.py`)."""
