"""The bound on how often the same line is written."""

from __future__ import annotations

import io
import logging

from server.flood import KINDS, LEFT_OUT, MOST, SECONDS, Flood
from server.lines import _Stderr, formatter


def test_lines_of_one_kind_are_bounded_and_those_left_out_are_counted() -> None:
    now, stream = [0.0], io.StringIO()
    handler, logger = _Stderr(stream), logging.Logger("some")
    handler.setFormatter(formatter("text"))
    handler.addFilter(Flood(clock=lambda: now[0]))
    logger.addHandler(handler)
    for number in range(MOST + 7):
        logger.info("symbol %d failed", number)
    logger.info("another")
    assert len(stream.getvalue().splitlines()) == MOST + 1
    now[0] = SECONDS
    logger.info("symbol %d failed", 1)
    logger.info("symbol %d failed", 2)
    *_, first, second = stream.getvalue().splitlines()
    assert first.endswith("symbol 1 failed (7 more like it were left out)")
    assert second.endswith("symbol 2 failed")


def test_some_loggers_are_exempt_and_the_memory_is_bounded() -> None:
    flood = Flood(frozenset({"free"}), lambda: 0.0)
    free = logging.makeLogRecord({"name": "free", "msg": "x"})
    assert all(flood.filter(free) for _ in range(2 * MOST))
    for number in range(2 * KINDS):
        assert flood.filter(logging.makeLogRecord({"name": "dull", "msg": f"text {number}"}))
    assert len(flood._kinds) == KINDS
    assert not hasattr(free, LEFT_OUT)
