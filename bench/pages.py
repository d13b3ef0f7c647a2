"""docs/benchmarks.md, written from the last full results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .child import ROOT
from .errors import BenchError
from .plots import draw
from .report import RESULTS, Result, cells, load

PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = PAGE.parent / "bench"
NOTES = Path(__file__).parent / "notes"
"""Hand-written notes on the figures, by benchmark."""

INTRODUCTION = """\
<!-- Written by `python -m bench --write-docs`. Never edited; the notes are in bench/notes/. -->

# Benchmarks

`make bench` measures each part beside its alternatives, in one run on one machine, in about 12
minutes; `make bench-quick` is a short run in under a minute, and `python -m bench NAME ...` runs
single benchmarks (`--list` names them).

- The measured process runs on one core, everything that loads it on another.
- Contestants take turns: each once, then all again in reverse order. Ratios compare values of the
  same round, so a disturbance affects both. Tables give the median of the rounds with the lowest
  and the highest; the bars of the plots are medians with the same spread.
- CPU time is that of the whole measured process, all its threads, user and system.
- Clients count their updates: one too few or too many fails the benchmark.
- A dashed red line in a plot is a target.
"""


def write(names: Iterable[str], results: Path = RESULTS) -> Path:
    """Write the page and its plots; raises BenchError when there are no results."""
    found = [load(path) for name in names if (path := results / f"{name}.json").exists()]
    if not found:
        raise BenchError("there are no results yet: run `make bench` first")
    parts = [INTRODUCTION, *(_section(result) for result in found)]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(parts))
    return PAGE


def _section(result: Result) -> str:
    plot = draw(result, PLOTS)
    lines = [f"## {result.name}: {result.title}", "", _machine(result), ""]
    if plot is not None:
        lines += [f"![{result.title}](bench/{plot.name})", ""]
    lines += _table(result)
    note = NOTES / f"{result.name}.md"
    if note.exists():
        lines += ["", note.read_text().strip()]
    return "\n".join([*lines, ""])


def _machine(result: Result) -> str:
    machine = result.machine
    day = str(machine["time"]).partition("T")[0]
    return (
        f"{day}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}; "
        f"{result.seconds:.0f} s, load average after it {machine['load_average']:.1f}."
    )


def _table(result: Result) -> Sequence[str]:
    lines = [
        "| measure | of | median | lowest | highest | target | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for figure in result.figures:
        row = (figure.measure, figure.subject, *cells(figure))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return lines
