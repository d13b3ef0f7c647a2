"""Writes the README's table of settings from the settings themselves."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from server.settings import TABLE

README = Path(__file__).parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- settings.*?-->\n).*?(<!-- end of settings -->)", re.DOTALL)


def settings_table() -> str:
    """The table in Markdown."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for setting in TABLE:
        default = f"`{setting.default}`" if setting.default else ""
        lines.append(f"| `{setting.variable}` | {default} | {setting.meaning} |")
    return "\n".join(lines)


def with_settings(text: str) -> str:
    """The README with the current table."""
    table = settings_table()
    return _PLACE.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text)


def main() -> int:
    """Update the README."""
    README.write_text(with_settings(README.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
