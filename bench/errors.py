"""The one error of the benchmarks."""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark could not be run to its end; the text says why."""


class NotAvailable(BenchError):
    """A peer is not to be had on this machine; the benchmark goes on without it."""
