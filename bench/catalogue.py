"""All benchmarks, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import (
    archive,
    cold,
    crowded,
    exchange_scale,
    fanout,
    history,
    ingest,
    memory,
    reconnect,
    rest,
    router,
    soak,
    timeframes,
)
from .figures import Figure
from .scale import Scale


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark, selectable by name on the command line."""

    name: str
    title: str
    run: Callable[[Scale], list[Figure]]
    quick: bool = True
    """Whether a quick run of all includes it."""
    full: bool = True
    """Whether a full run of all includes it; otherwise it runs only when named."""


BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark("fanout", "Fan-out to 500 clients, 10 subscriptions each", fanout.run),
        Benchmark(
            "thousands", "Fan-out to 5,000 connections, once a second", crowded.run_thousands
        ),
        Benchmark("slow", "Fan-out beside clients that do not read", crowded.run_slow),
        Benchmark("router", "From the bytes of subscribe to its handler called", router.run),
        Benchmark("ingest", "From the exchange's socket to the acknowledged insert", ingest.run),
        Benchmark(
            "archive", "A file of the exchange's archive into the store", archive.run, quick=False
        ),
        Benchmark("rest", "REST pages and health", rest.run),
        Benchmark("history", "initial_history of 1000 candles", history.run),
        Benchmark("reconnect", "All clients come back after a restart", reconnect.run, quick=False),
        Benchmark(
            "timeframes", "A flush with 2,500 timeframes in use", timeframes.run, quick=False
        ),
        Benchmark("exchange", "The whole exchange: 1,500 symbols", exchange_scale.run, quick=False),
        Benchmark("start", "Cold start and audit of a full store", cold.run, quick=False),
        Benchmark("memory", "Memory at rest", memory.run),
        Benchmark("soak", "An hour at half load", soak.run, quick=False, full=False),
    )
}
