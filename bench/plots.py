"""Plots of results: one PNG per benchmark, with a panel per measure of several subjects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from .figures import Figure
from .report import Result, with_unit

OURS_COLOUR, PEER_COLOUR, LIMIT_COLOUR = "#1f6f8b", "#b8b8b8", "#c0392b"
LOG_FROM = 100
"""The ratio of the largest to the smallest bar above which an axis is logarithmic."""
COLUMNS = 2


def panels(figures: Sequence[Figure]) -> dict[str, list[Figure]]:
    """The measures to plot: those with values of at least two subjects, except ratios."""
    found: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.values and figure.unit != "x":
            found.setdefault(figure.measure, []).append(figure)
    return {measure: group for measure, group in found.items() if len(group) > 1}


def draw(result: Result, folder: Path) -> Path | None:
    """Write the plot; returns its file, or None when there is nothing to compare."""
    # matplotlib is a dependency of the benchmarks only, not of the tests.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    groups = panels(result.figures)
    if not groups:
        return None
    columns = min(COLUMNS, len(groups))
    rows = math.ceil(len(groups) / columns)
    tallest = max(len(group) for group in groups.values())
    canvas = Canvas(figsize=(7 * columns, (0.8 + 0.42 * tallest) * rows), layout="constrained")
    FigureCanvasAgg(canvas)
    grid = canvas.subplots(rows, columns, squeeze=False)
    cells = [axes for row in grid for axes in row]
    for axes, (measure, group) in zip(cells, groups.items(), strict=False):
        spreads = [figure.spread for figure in group if figure.spread is not None]
        medians = [spread.median for spread in spreads]
        names = [figure.subject for figure in group]
        ours = ["ours" in name or "symbol" in name for name in names]
        axes.barh(names, medians, color=[OURS_COLOUR if own else PEER_COLOUR for own in ours])
        below = [spread.median - spread.low for spread in spreads]
        above = [spread.high - spread.median for spread in spreads]
        axes.errorbar(medians, names, xerr=[below, above], fmt="none", ecolor="#333333", capsize=2)
        for name, spread in zip(names, spreads, strict=True):
            axes.annotate(
                with_unit(spread.median, group[0].unit),
                (spread.high, name),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        for bound in {figure.target.value for figure in group if figure.target is not None}:
            axes.axvline(bound, color=LIMIT_COLOUR, linestyle="--", linewidth=1)
        if min(medians) > 0 and max(medians) / min(medians) > LOG_FROM:
            axes.set_xscale("log")
        axes.margins(x=0.2)
        axes.invert_yaxis()
        axes.set_title(measure, fontsize=10, loc="left")
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in cells[len(groups) :]:
        axes.set_visible(False)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.png"
    canvas.savefig(path, dpi=110, metadata={"Software": None})
    return path
