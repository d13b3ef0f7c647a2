"""`candlecast status`: shows a running server, once or each second."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from server.exits import Exit
from server.settings import Settings

from .asked import Asked
from .chart import AXIS, DOWN, QUIET
from .faults import NoServer
from .overview import Overview
from .own import own_url, session

ANSWER_SECONDS = 10.0
REFRESH_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--url", metavar="URL", help="the server's address (that of this machine)")
    parser.add_argument("--watch", action="store_true", help="show it anew each second")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


async def status(settings: Settings, options: argparse.Namespace) -> Exit:
    """Show a server; FOUND when it is not ready, or does not answer."""
    url = (options.url or own_url(settings)).rstrip("/")
    async with session(settings, is_own=not options.url, timeout_s=ANSWER_SECONDS) as opened:
        asked = Asked(opened, url)
        while options.json:
            is_ready = await _json(asked)
            if not options.watch:
                return Exit.found(not is_ready)
            await asyncio.sleep(REFRESH_SECONDS)
        overview = await _first(asked)
        if options.watch:
            await _watch(asked, overview)
        console = Console()
        _print(console, overview.lines(console.height - 1 if console.is_terminal else None))
        return Exit.found(not overview.readiness.ready)


async def _json(asked: Asked) -> bool:
    """Print a line; returns whether the server is ready."""
    texts: Mapping[str, msgspec.Raw] = {}
    is_ready, error = False, None
    try:
        texts, overview = await asked.answer()
        is_ready = overview.readiness.ready
    except NoServer as failed:
        error = str(failed)
    line = {"url": asked.url, "ready": is_ready, "error": error, **texts}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
    return is_ready


async def _first(asked: Asked) -> Overview:
    try:
        return (await asked.answer()).overview
    except NoServer as error:
        raise NoServer(
            f"No status from {asked.url}: {error}. Start a server by `candlecast serve`, or name "
            "another by --url"
        ) from error


async def _watch(asked: Asked, overview: Overview) -> None:
    """Show it each second until Ctrl-C; while it does not answer, as it was."""
    console, loop = Console(), asyncio.get_running_loop()
    due, fault = loop.time(), ""
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            footer = Text(f"{datetime.now(UTC):%H:%M:%S} UTC", QUIET)
            if fault:
                footer.append(f"   ● {fault}; asked again each second", DOWN)
            if console.is_terminal:
                footer.append("   Ctrl-C ends", AXIS)
                lines = [*overview.lines(console.height - 1), footer]
                for line in lines:
                    line.no_wrap, line.overflow = True, "ellipsis"
                live.update(Group(*lines), refresh=True)
            else:
                _print(console, [*overview.lines(), footer, Text()])
            due = max(due + REFRESH_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                overview, fault = (await asked.answer()).overview, ""
            except NoServer as error:
                fault = str(error)


def _print(console: Console, lines: Sequence[Text]) -> None:
    """Print lines: cut at the width of a terminal, else as long as they are."""
    for line in lines:
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            console.print(line, soft_wrap=True)
