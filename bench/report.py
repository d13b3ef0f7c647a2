"""Reports of results: a table for the terminal, JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from .child import ROOT
from .figures import Figure, Target

RESULTS = ROOT / "build" / "bench"
"""One JSON file per benchmark, of its last full run."""
QUICK_RESULTS = RESULTS / "quick"


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one benchmark and the machine that it ran on."""

    name: str
    title: str
    machine: Mapping[str, object]
    quick: bool
    seconds: float
    figures: Sequence[Figure]


def show(result: Result, console: Console) -> None:
    """Print a result with its figures beside their targets."""
    table = Table(title=f"{result.name}: {result.title}", title_justify="left", expand=False)
    table.add_column("measure")
    table.add_column("of")
    for column in ("median", "lowest", "highest", "target"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("met")
    shown = ""
    for figure in result.figures:
        measure = "" if figure.measure == shown else figure.measure
        shown = figure.measure
        table.add_row(measure, figure.subject, *cells(figure))
    console.print(table)


def cells(figure: Figure) -> tuple[str, str, str, str, str]:
    """Median, lowest, highest, target and verdict as text."""
    wanted = "" if figure.target is None else bound(figure.target, figure.unit)
    spread = figure.spread
    if spread is None:
        return f"not measured: {figure.note}", "", "", wanted, ""
    median = with_unit(spread.median, figure.unit)
    verdict = {None: "", True: "yes", False: "NO"}[figure.met]
    if len(figure.values) == 1:
        return median, "", "", wanted, verdict
    return median, number(spread.low), number(spread.high), wanted, verdict


def bound(target: Target, unit: str) -> str:
    return f"{target.bound} {with_unit(target.value, unit)}"


def with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value == 0:
        return "0"
    digits = 2
    size = abs(value)
    while size >= 10 and digits:
        size, digits = size / 10, digits - 1
    return f"{value:,.{digits}f}" if abs(value) >= 0.1 else f"{value:.3g}"


def save(result: Result, folder: Path = RESULTS) -> Path:
    """Write a result as JSON; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def load(path: Path) -> Result:
    """Load a saved result."""
    data = orjson.loads(path.read_bytes())
    figures = [
        Figure(**{**figure, "target": figure["target"] and Target(**figure["target"])})
        for figure in data["figures"]
    ]
    return Result(**{**data, "figures": figures})
