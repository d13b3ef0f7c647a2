"""`candlecast backfill`: loads history into the store, with a progress bar."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from pathlib import Path

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

from ingest.binance.archive import BinanceArchive
from ingest.core.continuity import Gap
from ingest.core.errors import SettingError
from ingest.core.symbol import Symbols
from ingest.pipeline.backfill import Backfill, Outcome
from ingest.storage import AsyncStore
from server.exits import Exit
from server.settings import Settings
from server.store import opened_store

from .arguments import chosen_symbols, moment_ms
from .resources import listed_symbols, moment, opened_exchange

ARCHIVE = "archive"
REST = "rest"
DIRECTORY = Path("data/archive")
RATE_SECONDS = 30.0
"""The window over which the rate and the time left are estimated."""
GAPS_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--from", dest="start", type=moment_ms, required=True, metavar="DATE",
        help="first day, month or time, in UTC: 2024-01-31, 2024-01, 2024-01-31T12:30",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="end", type=moment_ms, metavar="DATE",
        help="end, not itself part of the span (now)",
    )  # fmt: skip
    parser.add_argument(
        "--symbols", type=chosen_symbols, metavar="A,B", help="symbols (CANDLECAST_SYMBOLS)"
    )
    parser.add_argument(
        "--source", choices=(ARCHIVE, REST), default=ARCHIVE,
        help="whole days and months from the exchange's public archive and the rest over REST, "
        "or everything over REST (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--directory", type=Path, default=DIRECTORY, metavar="PATH",
        help="where the archive's files are until they are stored (%(default)s)",
    )  # fmt: skip


async def backfill(settings: Settings, options: argparse.Namespace) -> Exit:
    """Backfill all symbols; FOUND when trades are still missing after it."""
    chosen: Symbols = options.symbols or settings.symbols
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    async with contextlib.AsyncExitStack() as stack:
        rest = await stack.enter_async_context(opened_exchange(settings))
        store = await stack.enter_async_context(opened_store(settings))
        symbols = await listed_symbols(rest, chosen)
        now_ms = await rest.server_time()
        _check_kept(settings, symbols, options.start, now_ms)
        archive = None
        if options.source == ARCHIVE:
            archive = await stack.enter_async_context(
                BinanceArchive(settings.feed_archive_url, options.directory)
            )
        end_ms = options.end if options.end is not None else now_ms + 1
        bars = stack.enter_context(Bars(console))
        missing = False
        for symbol in symbols:
            began = time.monotonic()
            outcome = await Backfill(
                AsyncStore(store), rest, archive, bars, settings.confirm_seconds
            ).run(symbol, options.start, end_ms)
            bars.ended(symbol, outcome.stored)
            _report(bars, outcome, time.monotonic() - began)
            missing |= bool(outcome.remaining)
        return Exit.found(missing)


def _check_kept(settings: Settings, symbols: tuple[str, ...], start_ms: int, now_ms: int) -> None:
    """Refuse to fetch trades that would expire before their candles are computed."""
    for symbol in symbols:
        since = settings.keep_trades.since_ms(symbol, now_ms)
        if start_ms < since:
            raise SettingError(
                f"Trades of {symbol} are kept from {moment(since)} on: begin there, or let "
                "CANDLECAST_KEEP_TRADES keep more (candles outlive it when it is lowered later)"
            )


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

    def __enter__(self) -> Bars:
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


def _report(bars: Bars, outcome: Outcome, seconds: float) -> None:
    symbol, wanted = outcome.symbol, outcome.wanted
    if wanted is None:
        bars.note(f"{symbol}: the exchange has no trades in this span")
        return
    rate = f", {outcome.stored / seconds:,.0f}/s" if outcome.stored else ""
    bars.note(
        f"{symbol}: {outcome.stored:,} trades stored in {seconds:.1f} s{rate}; "
        f"ids {wanted.from_id}-{wanted.to_id}, {outcome.files} files of the archive"
    )
    if outcome.malformed:
        bars.note(f"{symbol}: {outcome.malformed:,} malformed rows were counted and put aside")
    _gaps(bars, symbol, outcome.confirmed, "the exchange does not have")
    _gaps(bars, symbol, outcome.unreadable, "the exchange gives no valid trades for")
    _gaps(bars, symbol, outcome.remaining, "MISSING, run this again to try once more:")
    _gaps(bars, symbol, outcome.beside, "between this and other stored trades lie")


def _gaps(bars: Bars, symbol: str, gaps: list[Gap], words: str) -> None:
    for gap in gaps[:GAPS_SHOWN]:
        bars.note(f"{symbol}: {words} ids {gap.from_id}-{gap.to_id} ({gap.missing:,})")
    if len(gaps) > GAPS_SHOWN:
        bars.note(f"{symbol}: {words} {len(gaps) - GAPS_SHOWN} further gaps")
