"""The folders of the site's sources: in the checkout, or in the installed package."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""The folder of the packages, including `specs` and `generated`."""

_CHECKED_OUT = ROOT / "ARCHITECTURE.md"

STREAMS = (
    ("stream", "stream.asyncapi.yaml", "Stream"),
    ("binance-stream", "binance/stream.asyncapi.yaml", "Binance, streams"),
    ("kraken-public", "kraken/public.asyncapi.yaml", "Kraken, public"),
    ("kraken-private", "kraken/private.asyncapi.yaml", "Kraken, private"),
)
"""The AsyncAPI documents: the name of the page, the file in `specs`, and the navigation's text."""

WRITTEN = ROOT if _CHECKED_OUT.exists() else Path(__file__).parent / "written"
"""The folder of `docs/`, `ARCHITECTURE.md`, `CHANGELOG.md`, `requirements.lock`: see `setup.py`."""
