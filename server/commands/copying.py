"""A progress bar for files that are copied."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class CopyBar:
    """The bar, on stderr; `update` may be called from another thread."""

    def __init__(self, verb: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
        )
        self._task = self._progress.add_task(verb, total=None, visible=False)

    def __enter__(self) -> CopyBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, done: int, total: int) -> None:
        """Show that so many of all bytes are copied."""
        self._progress.update(self._task, completed=done, total=total, visible=True)
