"""Candle charts in text: half-cell bodies and wicks, volume below, axes beside. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from .scale import Scale, plain, scale, ticks, time_labels
from .series import Bar

UP = Style(color="#26a69a")
DOWN = Style(color="#ef5350")
QUIET = Style(color="#787b86")
UP_VOLUME = Style(color="#1b6f68")
DOWN_VOLUME = Style(color="#8f3b3a")
AXIS = Style(color="#9598a1")
GRID = Style(color="#363a45")

SPACING = 2
"""Columns from one candle to the next."""
ROWS_A_TICK = 4
MIN_ROWS = 6
MIN_COLUMNS = 24
MAX_VOLUME_ROWS = 5

_NOTHING, _WICK, _BODY = 0, 1, 2
_CELLS = {
    (_WICK, _WICK): "│", (_BODY, _BODY): "┃", (_WICK, _BODY): "╽", (_BODY, _WICK): "╿",
    (_NOTHING, _WICK): "╷", (_WICK, _NOTHING): "╵",
    (_NOTHING, _BODY): "╻", (_BODY, _NOTHING): "╹",
}  # fmt: skip
"""The character of a cell by the content of its upper and lower half."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class _Cell(NamedTuple):
    letter: str
    style: Style


def style_of(bar: Bar) -> Style:
    """The colour of a candle."""
    if not bar.volume:
        return QUIET
    return UP if bar.close >= bar.open else DOWN


def draw(bars: Sequence[Bar], timeframe: int, width: int, height: int) -> list[Text]:
    """Draw the newest candles that fit, as `height` lines of exactly `width` columns."""
    if width < MIN_COLUMNS or height < MIN_ROWS:
        return [Text("too small")]
    volume_rows = min(MAX_VOLUME_ROWS, (height - 1) // 5)
    rows = height - 1 - volume_rows
    price, labels, axis = _axis(bars, width, rows)
    columns = width - axis - 2
    shown = bars[-(columns // SPACING) :]
    grid = [[_Cell(" ", AXIS)] * columns for _ in range(rows + volume_rows)]
    offset = columns - SPACING * len(shown)
    _draw_grid(grid, labels)
    _draw_last(grid, price, shown[-1])
    for at, bar in enumerate(shown):
        _draw_candle(grid, offset + SPACING * at, bar, price)
    top = max(bar.volume for bar in shown) or Decimal(1)
    for at, bar in enumerate(shown):
        _draw_volume(grid, offset + SPACING * at, bar.volume / top, bar, rows, volume_rows)
    lines = []
    last_row = _row(price, shown[-1].close)
    for number, cells in enumerate(grid):
        line = Text(no_wrap=True)
        for cell in cells:
            line.append(cell.letter, cell.style)
        if number == last_row:
            mark = style_of(shown[-1]) + Style(reverse=True, bold=True)
            line.append("┤", GRID).append(f" {_cut(plain(shown[-1].close), axis):<{axis}}", mark)
        elif number in labels:
            line.append("┤", GRID).append(f" {_cut(labels[number], axis):<{axis}}", AXIS)
        elif number == rows and volume_rows:
            line.append("│", GRID).append(f" {_fitted(top, axis):<{axis}}", AXIS)
        else:
            line.append("│", GRID).append(" " * (axis + 1))
        lines.append(line)
    return [*lines, _time_line([bar.time_ms for bar in shown], timeframe, offset, columns, width)]


def _axis(bars: Sequence[Bar], width: int, rows: int) -> tuple[Scale, dict[int, str], int]:
    """The price scale, its labels by row, and their width."""
    axis = 0
    while True:  # the wider the labels, the fewer candles fit
        shown = bars[-max(1, (width - axis - 2) // SPACING) :]
        price = scale(min(b.low for b in shown), max(b.high for b in shown), 2 * rows)
        labels = {_row(price, tick): f"{tick:,f}" for tick in ticks(price, rows // ROWS_A_TICK)}
        last = plain(shown[-1].close)
        needed = min(max(map(len, [last, *labels.values()])), width // 3)
        if needed <= axis:
            return price, labels, axis
        axis = needed


def _row(price: Scale, value: Decimal) -> int:
    """The row of a price, from 0 at the top."""
    return (price.steps - 1 - price.step_of(value)) // 2


def _draw_grid(grid: list[list[_Cell]], labels: dict[int, str]) -> None:
    for row in labels:
        grid[row][:] = [_Cell("┈", GRID)] * len(grid[row])


def _draw_last(grid: list[list[_Cell]], price: Scale, bar: Bar) -> None:
    row = grid[_row(price, bar.close)]
    row[:] = [_Cell("╌", style_of(bar) + Style(dim=True))] * len(row)


def _draw_candle(grid: list[list[_Cell]], column: int, bar: Bar, price: Scale) -> None:
    style = style_of(bar)
    low, high = price.step_of(bar.low), price.step_of(bar.high)
    bottom, top = sorted((price.step_of(bar.open), price.step_of(bar.close)))
    if low == high:
        grid[_row(price, bar.close)][column] = _Cell("─", style)
        return
    last = price.steps - 1
    halves = {
        last - step: _BODY if bottom <= step <= top else _WICK for step in range(low, high + 1)
    }
    for row in {half // 2 for half in halves}:
        pair = halves.get(2 * row, _NOTHING), halves.get(2 * row + 1, _NOTHING)
        grid[row][column] = _Cell(_CELLS[pair], style)


def _draw_volume(
    grid: list[list[_Cell]], column: int, share: Decimal, bar: Bar, rows: int, volume_rows: int
) -> None:
    eighths = int(share * volume_rows * 8)
    if bar.volume:
        eighths = max(1, eighths)
    style = UP_VOLUME if bar.close >= bar.open else DOWN_VOLUME
    for n in range(volume_rows):
        part = max(0, min(8, eighths - 8 * n))
        if part:
            grid[rows + volume_rows - 1 - n][column] = _Cell(_EIGHTHS[part], style)


def _time_line(times: Sequence[int], timeframe: int, offset: int, columns: int, width: int) -> Text:
    letters = [" "] * width
    for at, label in time_labels(times, timeframe, SPACING):
        start = offset + SPACING * at - len(label) // 2
        if start >= 0 and start + len(label) <= columns:
            letters[start : start + len(label)] = label
    return Text("".join(letters), AXIS, no_wrap=True)


def _fitted(value: Decimal, width: int) -> str:
    """Format a decimal in full if it fits, else rounded with "≈"."""
    text = plain(value)
    return text if len(text) <= width else _cut(f"≈{int(value):,}", width)


def _cut(text: str, width: int) -> str:
    """Truncate a text to `width`, with an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"
