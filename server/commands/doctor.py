"""`candlecast doctor`: tries what the server depends on, and says what is wrong."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
from rich.console import Console
from rich.text import Text

from generated.native.rest import BASE_PATH
from ingest.binance.now import host_ms
from ingest.core.errors import CandlecastError, ExchangeError, StoreInUse
from ingest.pipeline.jobs.means import listed_symbols
from ingest.storage.connection import Connection
from ingest.storage.memory import share_heap
from ingest.storage.statistics import statistics
from server.doubts import doubts
from server.exits import Exit
from server.settings import SIMULATOR, Settings

from .chart import DOWN, UP
from .own import own_url, session
from .resources import opened_exchange

CLOCK_MS: Final = 1000
"""By how much this machine's clock may be wrong before that shows in logs and certificates."""
FREE_BYTES: Final = 1_000_000_000
FREE_SHARE: Final = 0.05
OTHERS_MEGABYTES: Final = 350
"""Memory of a server apart from its hot tier."""
SYNC_BYTES: Final = 1_000_000
ANSWER_SECONDS: Final = 10.0


class Finding(NamedTuple):
    """The result of one check: what was tried, whether it is fine, and in words."""

    name: str
    is_fine: bool
    text: str


async def doctor(settings: Settings, _: argparse.Namespace) -> Exit:
    """Print a line for each check; FOUND when one of them fails."""
    console = Console(highlight=False, soft_wrap=True)
    is_fine = True
    async for finding in _all(settings):
        is_fine &= finding.is_fine
        mark = ("✓", UP) if finding.is_fine else ("✗", DOWN)
        console.print(Text.assemble(mark, f" {finding.name:<9} {finding.text}"))
    return Exit.found(not is_fine)


async def _all(settings: Settings) -> AsyncIterator[Finding]:
    found = [f"{variable}: {text}" for variable, text in doubts(settings)]
    yield Finding("settings", not found, "; ".join(found) or "none is doubtful")
    checks: tuple[Callable[[Settings], AsyncIterator[Finding]], ...] = (_exchange, _local, _store)
    for check in checks:
        async for finding in check(settings):
            yield finding


async def _exchange(settings: Settings) -> AsyncIterator[Finding]:
    if settings.feed == SIMULATOR and not settings.rest_url:
        yield Finding("exchange", True, "the simulator, which `candlecast serve` starts along")
        return
    url = settings.feed_rest_url
    try:
        async with (
            opened_exchange(settings, is_asked=True) as rest,
            asyncio.timeout(ANSWER_SECONDS),
        ):
            began, before_ms = time.monotonic(), host_ms()
            exchange_ms = await rest.server_time()
            seconds, after_ms = time.monotonic() - began, host_ms()
            yield Finding("exchange", True, f"{url} answers in {seconds * 1000:.0f} ms")
            yield _clock(exchange_ms, before_ms, after_ms)
            symbols = await listed_symbols(rest, settings.symbols)
            yield Finding("symbols", True, f"{len(symbols):,} at the exchange")
    except (ExchangeError, TimeoutError) as error:
        text = str(error) or f"{url} does not answer: check the network, proxy and firewall"
        yield Finding("exchange", False, text)
    except CandlecastError as error:
        yield Finding("symbols", False, str(error))
    yield await _stream(settings)


def _clock(exchange_ms: int, before_ms: int, after_ms: int) -> Finding:
    """How far this machine's clock is from the exchange's, whose answer came between two times."""
    behind = max(exchange_ms - after_ms, 0) - max(before_ms - exchange_ms, 0)
    text = f"{abs(behind):,} ms {'behind' if behind > 0 else 'ahead of'} the exchange's"
    if abs(behind) <= CLOCK_MS:
        return Finding("clock", True, text)
    return Finding("clock", False, f"{text}: let this machine keep time by NTP")


async def _stream(settings: Settings) -> Finding:
    url = settings.feed_stream_url
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.ws_connect(f"{url}/stream?streams=btcusdt@aggTrade"),
        ):
            return Finding("stream", True, f"{url} takes connections")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = str(error) or "no answer"
        text = f"{url} cannot be used ({why}): a proxy or firewall may forbid WebSocket"
        return Finding("stream", False, text)


async def _local(settings: Settings) -> AsyncIterator[Finding]:
    yield await _port(settings)
    for finding in await asyncio.to_thread(lambda: list(_machine(settings))):
        yield finding


async def _port(settings: Settings) -> Finding:
    host, port = settings.host, settings.port
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family):
            return Finding("port", True, f"{host} {port} is free")
    except OSError as error:
        if await _is_candlecast(settings):
            return Finding("port", True, f"{port} is a running Candlecast's")
        why = error.strerror or str(error)
        text = f"nothing can listen on {host} {port} ({why}): change CANDLECAST_HOST or _PORT"
        return Finding("port", False, text)


async def _is_candlecast(settings: Settings) -> bool:
    try:
        async with (
            session(settings, is_own=True, timeout_s=ANSWER_SECONDS) as opened,
            opened.get(f"{own_url(settings)}{BASE_PATH}/monitoring/live") as reply,
        ):
            return bool(reply.ok)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _machine(settings: Settings) -> Iterator[Finding]:
    if settings.store_backend == "chdb":
        yield _disk("disk", _path(settings))
        yield _disk("backups", settings.backups_directory)
    wanted = settings.hot_megabytes + OTHERS_MEGABYTES
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    there = pages * page // 1_000_000
    text = f"{there:,} MB, of which a server takes {wanted:,}"
    if wanted < there:
        yield Finding("memory", True, text)
    else:
        yield Finding("memory", False, f"{text}: set CANDLECAST_HOT_MEGABYTES to less")


def _disk(name: str, path: Path) -> Finding:
    """Whether a directory, or the one that it is to be in, takes data and has room."""
    there = next(each for each in (path, *path.parents) if each.exists())
    try:
        began = time.monotonic()
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(SYNC_BYTES))
            file.flush()
            os.fsync(file.fileno())
        seconds = time.monotonic() - began
    except OSError as error:
        text = f"{there} cannot be written ({error.strerror}): give this user the right to"
        return Finding(name, False, text)
    usage = shutil.disk_usage(there)
    text = f"{there}: {usage.free / 1e9:,.1f} GB free, a write of 1 MB in {seconds * 1000:.0f} ms"
    is_fine = usage.free > max(FREE_BYTES, FREE_SHARE * usage.total)
    return Finding(name, is_fine, text if is_fine else f"{text}: make room")


async def _store(settings: Settings) -> AsyncIterator[Finding]:
    if settings.store_backend == "chdb" and not _path(settings).exists():
        yield Finding("store", True, "there is none yet: the first start makes it")
        return
    try:
        yield await asyncio.to_thread(_looked_at, settings)
    except StoreInUse:
        yield Finding("store", True, "it is open in another process")
    except CandlecastError as error:
        yield Finding("store", False, str(error))


def _looked_at(settings: Settings) -> Finding:
    """Look at the store; nothing is made or changed."""
    share_heap()
    connection = Connection(settings.store, settings.cluster)
    try:
        found = statistics(connection)
    finally:
        connection.close()
    text = f"{found.trades:,} trades, {found.bytes_on_disk / 1e6:,.0f} MB"
    return Finding("store", True, f"ClickHouse {found.engine_version} has {text}")


def _path(settings: Settings) -> Path:
    return Path(settings.store.removeprefix("chdb://"))
