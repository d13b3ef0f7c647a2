"""How work on the store is shown, whoever does it: bars and notes, or lines and a summary."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from rich.console import Console
from rich.status import Status

from generated.native.facts import JobKind
from ingest.pipeline.jobs.request import Report

from .bars import Bars


class BackfillShown(Bars, Report):
    """Bars, with notes above them; nothing goes to the output."""

    def line(self, text: str) -> None:
        """A backfill finds nothing but what it notes."""

    def status(self, text: str) -> None:
        """The bars show it."""

    async def keep(self) -> None:
        """Does nothing: what is stored is kept by itself."""


class LinesShown(Report):
    """Lines on the output, and a spinner beside them."""

    def __init__(self) -> None:
        self._output = Console(highlight=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._stack = ExitStack()
        self._spinner: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def planned(self, symbol: str, trades: int) -> None:
        """Nothing is loaded."""

    def stored(self, symbol: str, trades: int) -> None:
        """Nothing is loaded."""

    def fetched(self, symbol: str, size: int) -> None:
        """Nothing is loaded."""

    def ended(self, symbol: str, trades: int) -> None:
        """Nothing is loaded."""

    def line(self, text: str) -> None:
        """Print a line."""
        self._output.print(text, markup=False)

    def note(self, text: str) -> None:
        """Print a line of the summary."""
        self._output.print(text, markup=False)

    def status(self, text: str) -> None:
        """Show the step beside the spinner."""
        if self._spinner is None:
            self._spinner = self._stack.enter_context(self._errors.status(text))
        else:
            self._spinner.update(text)

    async def keep(self) -> None:
        """It is all printed."""


def shown(kind: JobKind) -> BackfillShown | LinesShown:
    """How work of this kind is shown; enter it."""
    if kind is JobKind.BACKFILL:
        return BackfillShown(Console(stderr=True, highlight=False, soft_wrap=True))
    return LinesShown()
