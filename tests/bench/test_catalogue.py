"""Every promise of speed has its benchmark, and every benchmark its name."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from bench.catalogue import BENCHMARKS
from bench.child import ROOT, Child
from bench.errors import BenchError
from bench.memory import ENGINE, FILES, OWN, resident
from bench.soak import figures, slope

PROMISED = {
    "fanout": "CPU per delivered update; random subscriptions; permessage-deflate",
    "thousands": "5,000 connections, once a second",
    "slow": "clients that do not read",
    "router": "from the bytes of subscribe to its handler",
    "ingest": "from the exchange's socket to the acknowledged insert",
    "archive": "a file of the archive into the store",
    "rest": "pages of trades, candles and the health check",
    "history": "1000 candles at any timeframe",
    "timeframes": "2,500 pairs in use",
    "reconnect": "all clients come back after a restart",
    "exchange": "1,500 symbols at 15,000 trades/s, 2,000 pairs watched",
    "start": "cold start and audit",
    "memory": "5 symbols at rest",
    "soak": "no growth",
}


def test_every_promised_figure_has_its_benchmark() -> None:
    assert BENCHMARKS.keys() == PROMISED.keys()


def test_the_soak_runs_only_when_it_is_named() -> None:
    alone = {name for name, benchmark in BENCHMARKS.items() if not benchmark.full}
    assert alone == {"soak"}


def test_an_unknown_benchmark_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "bench", "fanuot"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "fanuot" in done.stderr


def test_a_child_that_fails_says_why() -> None:
    argv = [sys.executable, "-c", "import sys; input(); sys.exit('the port is taken')"]
    with Child(argv, core=0) as child:
        child.send_line("go")
        with pytest.raises(BenchError, match="the port is taken"):
            child.expect("ready")


def test_cpu_time_of_a_child_is_its_own() -> None:
    spin = "import time\nwhile time.process_time() < 0.2: pass\nprint('spun', flush=True)\ninput()"
    with Child([sys.executable, "-c", spin], core=0) as child:
        child.expect("spun")
        assert child.cpu_seconds() >= 0.2
        assert child.memory() <= child.peak_memory()


def test_growth_is_the_slope_of_the_samples() -> None:
    assert slope([(0.0, 100.0), (0.5, 101.0), (1.0, 102.0)]) == pytest.approx(2)
    assert slope([(0.0, 100.0)]) == 0


def test_the_first_hour_of_a_soak_is_no_growth() -> None:
    megabytes = [500, 560, *range(570, 581, 2)]
    samples = [(n / 2, Counter({OWN: size * 1024})) for n, size in enumerate(megabytes)]
    total, *_, last = figures(samples, "3.5 hours")
    assert list(total.values) == pytest.approx([4])
    assert list(last.values) == [580]


def test_resident_memory_is_divided_by_what_it_is_of() -> None:
    smaps = """\
7f0000000000-7f0000003000 r-xp 00000000 fe:00 1 /lib/_chdb.abi3.so
Rss:                  12 kB
Anonymous:             4 kB
7f0000003000-7f0000005000 r--p 00000000 fe:00 2 /lib/libarrow.so
Rss:                   8 kB
Anonymous:             0 kB
7f0000005000-7f0000006000 rw-p 00000000 00:00 0
Rss:                   4 kB
Anonymous:             4 kB
"""
    assert resident(smaps) == {ENGINE: 8, FILES: 8, OWN: 8}
