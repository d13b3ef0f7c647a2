"""The page of the docs about clients: its table, and its samples."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.interop.runner import Result
from tests.interop.support.report import REST
from tests.interop.support.rows import minutes
from tests.running import ROOT

NAME: Final = "docs/clients.md"
PAGE: Final = ROOT / NAME
SAMPLES: Final = Path(__file__).parent / "samples"
_PLACE = re.compile(r"(<!-- clients.*?-->\n).*?(<!-- end of clients -->)", re.DOTALL)


def table(results: Iterable[Result]) -> str:
    """The table of results in Markdown."""
    lines = ["| client | version | against | compared | values |", "|---|---|---|---|---|"]
    for each in sorted(results, key=lambda one: (one.client.name.lower(), one.against)):
        what = _joined(each.compared)
        lines.append(
            f"| {each.client.name} | {each.version} | {each.against} | {what} | {each.values:,} |"
        )
    return "\n".join(lines)


def write(results: Iterable[Result]) -> None:
    """Write the table into the page."""
    text = PAGE.read_text("utf-8")
    PAGE.write_text(_PLACE.sub(lambda found: f"{found[1]}{table(results)}\n{found[2]}", text))


def _joined(compared: Iterable[str]) -> str:
    """What was compared, in a few words, by the ways in which it came."""
    ways: dict[str, list[str]] = {}
    for name in sorted(compared, key=_order):
        what, _, way = name.rpartition(" by ")
        ways.setdefault(way, []).append(what.removesuffix(" candles"))
    return "; ".join(f"{way}: {', '.join(names)}" for way, names in ways.items())


def _order(name: str) -> tuple[bool, bool, bool, int]:
    """REST first; closed candles, then open ones by their length, then the rest."""
    found = re.search(r"(\d+\w) candles", name)
    length = minutes(found[1]) if found else 0
    return not name.endswith(REST), not length, name.startswith("open"), length
