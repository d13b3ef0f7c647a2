"""The errors of the benchmarks."""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark failed; the text says why."""


class NotAvailable(BenchError):
    """A peer cannot run on this machine; the benchmark continues without it."""
