"""The progress bars of a backfill, one a symbol."""

from __future__ import annotations

from collections import Counter
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

RATE_SECONDS = 30.0
"""The window over which the rate and the time left are estimated."""


class Bars:
    """A progress bar per symbol, with trades, rate and time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description:<10}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            _Trades(),
            _Rate(),
            _Fetched(),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=RATE_SECONDS,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._fetched: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def planned(self, symbol: str, trades: int) -> None:
        """Add the bar of a symbol; `trades` of it are not stored yet."""
        shown = trades > 0
        self._tasks[symbol] = self._progress.add_task(
            symbol, total=trades, fetched=0, visible=shown
        )

    def stored(self, symbol: str, trades: int) -> None:
        """Advance the bar by newly stored trades."""
        self._progress.advance(self._tasks[symbol], trades)

    def fetched(self, symbol: str, size: int) -> None:
        """Add downloaded bytes of the archive's files."""
        self._fetched[symbol] += size
        self._progress.update(self._tasks[symbol], fetched=self._fetched[symbol])

    def ended(self, symbol: str, trades: int) -> None:
        """End the bar of a symbol; `trades` were stored in total."""
        if (task := self._tasks.get(symbol)) is not None:
            self._progress.update(task, completed=trades)
            self._progress.stop_task(task)

    def note(self, text: str) -> None:
        """Print a note above the bars."""
        self._progress.console.print(text, markup=False)


class _Trades(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = f"{int(task.total or 0):,}"
        return _cell(f"{int(task.completed):{len(total)},}/{total}", "progress.download")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return _cell("" if speed is None else f"{int(speed):,}/s", "progress.data.speed")


class _Fetched(ProgressColumn):
    def render(self, task: Task) -> Text:
        size = task.fields["fetched"]
        return _cell(f"{size / 1e6:,.0f} MB" if size else "", "progress.filesize")


def _cell(text: str, style: str) -> Text:
    return Text(text, style=style, justify="right", no_wrap=True)
