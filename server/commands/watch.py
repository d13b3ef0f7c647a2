"""`candlecast watch`: draws candles of a running server in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.style import Style
from rich.text import Text

from generated.native.facts import CANDLE_COUNT_MAXIMUM, TIMEFRAME_MAXIMUM
from ingest.core.symbol import is_symbol
from ingest.pipeline.pair import Pair
from server.exits import Exit
from server.settings import Settings

from .chart import AXIS, DOWN, UP
from .faults import NoServer, fault
from .own import own_url, session
from .screen import Screen
from .series import Watched

MAX_CHARTS = 12
FRAMES_PER_SECOND = 4
ONCE_SECONDS = 60.0
"""How long `--once` waits for complete data."""
ONCE_HEIGHT = 30
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""The receive timeout of the connection; heartbeats come more often."""
MIN_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 5.0
MAX_MESSAGE_BYTES = 16 * 2**20


def pair(text: str) -> Pair:
    """Parse a subscription such as `BTCUSDT:15`; the timeframe defaults to 1 minute."""
    match = re.fullmatch(r"([^:]+)(?::([0-9]{1,6})m?)?", text, re.ASCII)
    if (
        match is None
        or not is_symbol(match[1].upper())
        or not 1 <= (timeframe := int(match[2] or 1)) <= TIMEFRAME_MAXIMUM
    ):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no subscription: write BTCUSDT or, with minutes up to "
            f"{TIMEFRAME_MAXIMUM}, BTCUSDT:15"
        )
    return Pair(match[1].upper(), timeframe)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "pairs", type=pair, nargs="+", metavar="SYMBOL[:MINUTES]",
        help=f"what to watch, such as BTCUSDT:15; up to {MAX_CHARTS}",
    )  # fmt: skip
    parser.add_argument("--url", metavar="URL", help="the server's stream (that of this machine)")
    parser.add_argument(
        "--once", action="store_true", help="print one screen of complete data and exit"
    )


async def watch(settings: Settings, options: argparse.Namespace) -> Exit:
    """Draw until Ctrl-C, or once; FOUND when data is missing or the server is lost."""
    pairs: Sequence[Pair] = list(dict.fromkeys(options.pairs))
    if len(pairs) > MAX_CHARTS:
        raise NoServer(f"{len(pairs)} charts are too many for one screen: watch {MAX_CHARTS}")
    url = options.url or f"{own_url(settings, 'ws')}/ws/stream"
    link = Link(url, Watched(pairs), lambda: session(settings, is_own=not options.url))
    work = asyncio.create_task(link.run())
    try:
        return await (_once(link, work) if options.once else _live(link, work))
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, NoServer):
            await work


async def _once(link: Link, work: asyncio.Task[None]) -> Exit:
    ready = asyncio.create_task(link.settled())
    await asyncio.wait((work, ready), timeout=ONCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if work.done():
        work.result()
    console = Console()
    height = min(ONCE_HEIGHT, console.height) if console.is_terminal else ONCE_HEIGHT
    console.print(link.screen(), height=height)
    series = link.watched.series.values()
    return Exit.found([s for s in series if not s.is_settled or s.quality == "refused"])


async def _live(link: Link, work: asyncio.Task[None]) -> Exit:
    with Live(console=Console(), screen=True, auto_refresh=False) as live:
        while not work.done():
            live.update(link.screen(), refresh=True)
            await asyncio.wait((work,), timeout=1 / FRAMES_PER_SECOND)
    work.result()
    return Exit.FOUND


class Link:
    """The connection to the server, reopened whenever it is lost."""

    def __init__(
        self, url: str, watched: Watched, opened: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self.watched = watched
        self._opened = opened
        self._url = url
        self._state, self._style = "connecting", AXIS
        self._has_been_up = False
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled. Raises NoServer when the first connection fails."""
        pause = MIN_PAUSE_SECONDS
        async with self._opened() as session:
            while True:
                try:
                    await self._listen(session)
                    pause, words = MIN_PAUSE_SECONDS, "the server closed the connection"
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    words = fault(error)
                if not self._has_been_up:
                    raise NoServer(
                        f"Nothing to watch at {self._url}: {words}. Start a server by "
                        "`candlecast serve`, or name another by --url"
                    )
                for series in self.watched.series.values():
                    series.quality, series.note, series.loading = "waiting", "", None
                self._state, self._style = f"{words}; reconnecting", DOWN
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def settled(self) -> None:
        """Wait until every subscription is refused or has complete candles."""
        while not all(series.is_settled for series in self.watched.series.values()):
            self._heard.clear()
            await self._heard.wait()

    def screen(self) -> Screen:
        """The current screen."""
        footer = Text(no_wrap=True, overflow="ellipsis")
        footer.append(" ● ", self._style).append(self._state, self._style)
        footer.append(f"  {self._url}  {datetime.now(UTC):%H:%M:%S} UTC", AXIS)
        if sys.stdout.isatty():
            footer.append("  Ctrl-C ends", AXIS + Style(dim=True))
        return Screen(list(self.watched.series.values()), footer)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await session.ws_connect(self._url, max_msg_size=MAX_MESSAGE_BYTES)
        async with socket:
            self._has_been_up = True
            self._state, self._style = "connected", UP
            await socket.send_str(self.watched.subscription(CANDLE_COUNT_MAXIMUM))
            sees_progress = False
            while True:
                message = await socket.receive(SILENCE_SECONDS)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                self.watched.hear(message.data)
                self._heard.set()
                if self.watched.is_loading != sees_progress:
                    sees_progress = not sees_progress
                    action = "subscribe_tickers" if sees_progress else "unsubscribe_tickers"
                    await socket.send_json({"action": action})
