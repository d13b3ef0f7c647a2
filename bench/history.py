"""History: `initial_history` of 1000 candles from stored minutes, for new and used timeframes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from .child import Child
from .figures import Figure, at_most, percentile
from .ingest import directory
from .machine import cores
from .scale import Scale

SECONDS = 300.0
NAMES = {
    "first": "ours, first",
    "repeated": "ours, repeated, cold",
    "hot": "ours, repeated, hot",
    "raw": "raw trades in the engine",
    "duckdb": "DuckDB over the same minutes",
}
TARGETS = {
    ("repeated", 1): at_most(30),
    ("repeated", 5): at_most(100),
}
"""By subject and years of minutes, in ms."""
FIRST = {("2850", 5): at_most(60)}
"""Of a timeframe that is not materialized yet, by the timeframe and years."""

Values = Mapping[str, Mapping[str, Sequence[float]]]


def run(scale: Scale) -> list[Figure]:
    """Milliseconds from the request to the message's bytes, by years and timeframe."""
    figures: list[Figure] = []
    for years, trades in scale.pick(((1, 2_000_000), (5, 0)), ((1, 0),)):
        with directory() as path:
            rounds = scale.pick(5, 2)
            module = "bench.peers.history"
            child = Child.module(module, path, years, rounds, trades, core=cores().server)
            with child:
                values = orjson.loads(child.read_line(SECONDS))
        for timeframe in values["repeated"]:
            figures += _figures(years, timeframe, values)
    return figures


def _figures(years: int, timeframe: str, values: Values) -> list[Figure]:
    over = f"{years} year{'s' if years > 1 else ''} of minutes"
    measure = f"1000 candles at {timeframe}m, {over}"
    figures = [
        Figure(
            measure,
            name,
            "ms",
            values[subject][timeframe],
            FIRST.get((timeframe, years)) if subject == "first" else TARGETS.get((subject, years)),
        )
        for subject, name in NAMES.items()
        if subject in values
    ]
    waits = values["hundred"][timeframe]
    tail = [percentile(waits, 0.5)]
    return [*figures, Figure(measure, "ours, p50 of 100 subscribers at once", "ms", tail)]
