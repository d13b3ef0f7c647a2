"""Ingest: from the simulator's socket to the acknowledged insert, beside cryptofeed and the limit.

Trades come as fast as they are read. A minute ends in the middle, so the run includes settling its
candles.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .child import ROOT, Child
from .environment import python_with
from .errors import NotAvailable
from .exchange import Exchange
from .figures import Figure, at_least, at_most, ratios, skipped
from .machine import cores
from .scale import Scale

CRYPTOFEED = "cryptofeed==2.4.1"
SYMBOLS = 25
MANY_WATCHED = 500
SECONDS = 300.0
"""The timeout of a run."""
DATA = ROOT / "build" / "bench-data"


@dataclass(frozen=True, slots=True)
class Ingested:
    """One run."""

    rate: float
    """Trades per second of wall time."""
    cost: float
    """CPU microseconds per trade, all threads, the engine's included."""
    peak: float
    """Highest resident memory in MB."""


@contextmanager
def directory() -> Iterator[Path]:
    """A temporary directory for a store; on a disk, not in memory."""
    DATA.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=DATA))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def ours(trades: int, symbols: int, watched: int) -> Ingested:
    """The product's provider with its embedded store."""
    with ExitStack() as stack:
        exchange = stack.enter_context(Exchange(cores().load, symbols=symbols, trades=trades))
        arguments = [exchange.url, stack.enter_context(directory()), exchange.trades, watched]
        module = "bench.peers.ingest_ours"
        child = Child.module(module, *arguments, *exchange.symbols, core=cores().server)
        return _fed(stack.enter_context(child), exchange)


def cryptofeed(trades: int) -> Ingested:
    """Cryptofeed up to the user's callback, without storing."""
    python = python_with(CRYPTOFEED)
    with ExitStack() as stack:
        exchange = stack.enter_context(Exchange(cores().load, symbols=SYMBOLS, trades=trades))
        argv = [str(python), "bench/peers/ingest_cryptofeed.py", exchange.url]
        argv += [str(exchange.trades), *exchange.symbols]
        return _fed(stack.enter_context(Child(argv, cores().server)), exchange)


def bare(trades: int) -> Ingested:
    """The engine alone."""
    names = [f"COIN{number}USDT" for number in range(SYMBOLS)]
    with directory() as path:
        module = "bench.peers.ingest_bare"
        with Child.module(module, path, trades, *names, core=cores().server) as child:
            child.expect("ready")
            before, began = child.cpu_seconds(), time.monotonic()
            child.send_line("go")
            return _done(child, trades, before, began)


def _fed(child: Child, exchange: Exchange) -> Ingested:
    child.expect("ready", SECONDS)
    before, began = child.cpu_seconds(), time.monotonic()
    exchange.begin()
    return _done(child, exchange.trades, before, began)


def _done(child: Child, trades: int, before: float, began: float) -> Ingested:
    child.expect("done", SECONDS)
    seconds, spent = time.monotonic() - began, child.cpu_seconds() - before
    return Ingested(trades / seconds, spent * 1e6 / trades, child.peak_memory() / 2**20)


def run(scale: Scale) -> list[Figure]:
    """Rates, costs and memory; ratios compare runs of the same round."""
    trades, rounds = scale.pick(300_000, 100_000), scale.pick(3, 1)
    plain, watched, limit, other = [], [], [], []
    missing = ""
    for _ in range(rounds):
        plain.append(ours(trades, SYMBOLS, 0))
        limit.append(bare(trades))
        if scale.quick:
            continue
        watched.append(ours(trades, SYMBOLS, MANY_WATCHED))
        try:
            other.append(cryptofeed(trades // 10))
        except NotAvailable as why:
            missing = str(why)
    figures = _figures("25 symbols", plain, rate=280_000, cost=3.0)
    figures += _figures("bare insert_arrow", limit)
    share = ratios([run.rate for run in plain], [run.rate for run in limit])
    figures.append(Figure("rate, share of the bare insert's", "25 symbols", "x", share))
    least = [run.rate for run in plain]
    figures.append(
        Figure("trades per second: the least", "25 symbols", "/s", least, at_least(50_000))
    )
    if not scale.quick:
        figures += _figures("25 symbols, 500 watched timeframes", watched)
        figures += _once(trades)
        figures += _beside(plain, watched, other, missing)
    return sorted(figures, key=lambda figure: figure.measure)


def _once(trades: int) -> list[Figure]:
    """Other numbers of symbols and timeframes, one run each."""
    figures = _figures("1 symbol", [ours(trades, 1, 0)])
    figures += _figures("250 symbols", [ours(trades // 2, 250, 0)], cost=4.0)
    figures += _figures("25 symbols, 50 watched timeframes", [ours(trades, SYMBOLS, 50)])
    return figures


def _beside(
    plain: list[Ingested], watched: list[Ingested], other: list[Ingested], missing: str
) -> list[Figure]:
    costs = [run.cost for run in plain]
    many = ratios([run.cost for run in watched], costs)
    measure = "CPU a trade, times ours"
    figures = [
        Figure("CPU with 500 watched timeframes, times none", "ours", "x", many, at_most(1.2))
    ]
    if missing:
        return [*figures, skipped(measure, "cryptofeed, nothing stored", "x", missing)]
    times = ratios([run.cost for run in other], costs)
    figures += _figures("cryptofeed, nothing stored", other)
    return [*figures, Figure(measure, "cryptofeed, nothing stored", "x", times, at_least(2.5))]


def _figures(
    subject: str, runs: list[Ingested], *, rate: float | None = None, cost: float | None = None
) -> list[Figure]:
    """The figures of some runs, with the least rate and the highest cost that are the goal."""
    return [
        Figure("trades per second", subject, "/s", [run.rate for run in runs],
               None if rate is None else at_least(rate)),
        Figure("CPU a trade", subject, "µs", [run.cost for run in runs],
               None if cost is None else at_most(cost)),
        Figure("peak memory", subject, "MB", [run.peak for run in runs]),
    ]  # fmt: skip
