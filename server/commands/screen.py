"""The screen of `watch`: a panel for each subscription and a status line of the connection."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.box import ROUNDED
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.layout import Layout
from rich.panel import Panel
from rich.style import Style
from rich.text import Text

from generated.native.facts import DataQuality
from generated.native.models import Loading

from .chart import AXIS, DOWN, GRID, QUIET, UP, draw, style_of
from .progress import BUSY, amount, bar, duration, pace, percent
from .scale import plain
from .series import Bar, Series

QUALITIES = {
    "complete": (UP, "complete"),
    "loading": (BUSY, "loading: history is being downloaded"),
    "partial": (BUSY, "partial: a gap is being filled"),
    "unknown": (DOWN, "unknown: the feed is cut"),
    "waiting": (QUIET, "waiting for the server"),
    "refused": (DOWN, "refused"),
}
"""The colour and text of each data quality."""

BAR_COLUMNS = 40
ASPECT = 4.0
"""The preferred ratio of a panel's width to its height, in characters."""


class Screen:
    """Draws all series and a footer at any size."""

    def __init__(self, series: Sequence[Series], footer: Text) -> None:
        self._series = series
        self._footer = footer

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        columns = _columns(len(self._series), width, height - 1)
        rows = [self._series[at : at + columns] for at in range(0, len(self._series), columns)]
        screen = Layout()
        screen.split_column(*(_row(series) for series in rows), Layout(self._footer, size=1))
        yield from console.render(screen, options.update(height=height))


def _row(series: Sequence[Series]) -> Layout:
    row = Layout()
    row.split_row(*(Layout(_Panel(one)) for one in series))
    return row


def _columns(count: int, width: int, height: int) -> int:
    """The number of columns that brings the panels closest to `ASPECT`."""

    def shape(columns: int) -> float:
        rows = -(-count // columns)
        return abs(math.log(width / columns / max(1, height / rows) / ASPECT))

    return min(range(1, count + 1), key=shape)


class _Panel:
    """One series below a headline."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width - 4, (options.height or console.height) - 2
        series, bars = self._series, self._series.bars
        lines = [_headline(bars, _status(series), width)]
        if bars:
            lines += draw(bars, series.pair.timeframe, width, height - 1)
        elif series.loading is not None and series.quality == DataQuality.LOADING:
            lines += _progress(series.loading, width, height - 1)
        title = Text(f" {series.pair.symbol} ", Style(color="default", bold=True))
        title.append(f"{series.pair.label} ", AXIS)
        yield Panel(
            Group(*lines), box=ROUNDED, title=title, title_align="left", border_style=GRID,
            height=options.height, padding=(0, 1),
        )  # fmt: skip


def _status(series: Series) -> Text:
    style, words = QUALITIES.get(series.quality, (QUIET, series.quality))
    return Text(f"● {words}" + (f": {series.note}" if series.note else ""), style)


def _headline(bars: Sequence[Bar], status: Text, width: int) -> Text:
    """The figures that fit, most important first, and the status at the right."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for part in _figures(bars) if bars else ():
        if len(line) + len(part) + len(status) + 6 > width:
            break
        line.append(part).append("   ")
    line.append(" " * (width - len(line) - len(status)))
    return line.append(status)


def _figures(bars: Sequence[Bar]) -> Iterator[Text]:
    last, first = bars[-1], bars[0]
    change = last.close - first.open
    style = UP if change >= 0 else DOWN
    yield Text(plain(last.close), style_of(last) + Style(bold=True))
    sign = "▲" if change >= 0 else "▼"
    share = f"{change / first.open * 100:+.2f}%" if first.open else ""
    yield Text(
        f"{sign} {plain(abs(change))} {share} in {duration((last.time_ms - first.time_ms) / 1000)}",
        style,
    )
    for name, value in (
        ("O", last.open), ("H", last.high), ("L", last.low), ("C", last.close), ("V", last.volume)
    ):  # fmt: skip
        yield Text.assemble((f"{name} ", AXIS), plain(value))


def _progress(loading: Loading, width: int, height: int) -> list[Text]:
    """How far a download has come, in the middle of an empty chart."""
    line = bar(loading, max(0, min(width - 6, BAR_COLUMNS))).append(f"{percent(loading):>5}", BUSY)
    lines = [line, Text(pace(loading), BUSY), Text(amount(loading), AXIS)][: max(0, height)]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
        line.pad_left(max(0, width - line.cell_len) // 2)
    return [Text()] * ((height - len(lines)) // 2) + lines
