"""`make docs`: the pages that the server serves to browsers, as files in build/docs.

Any static file server can serve them: `python -m http.server -d build/docs`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from server.site import render
from server.site.pages import load_pages

ROOT = Path(__file__).parent.parent
OUT = ROOT / "build" / "docs"


def write(out: Path) -> int:
    """Write every page to a folder, emptied first; returns their number."""
    openapi = (ROOT / "generated" / "openapi.json").read_bytes()
    shutil.rmtree(out, ignore_errors=True)
    served = load_pages(openapi, ROOT / "specs", render(is_served=False), ROOT / "generated")
    # The console is of no use without a server.
    pages = {path: page for path, page in served.items() if not path.startswith("/console")}
    for path, page in pages.items():
        # A page without a suffix is the index of a folder.
        name = path if Path(path).suffix else f"{path}/index.html"
        file = out / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.content)
    return len(pages)


def main() -> int:
    """Write the site."""
    count = write(OUT)
    print(f"{count} files in {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
