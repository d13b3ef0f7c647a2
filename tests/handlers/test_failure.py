"""Failures of subscriptions are logged by their kind."""

from __future__ import annotations

import logging

import pytest

from handlers.failure import log_failure
from ingest.core.errors import StoreUnavailable


def test_a_store_that_is_away_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_failure("BTCUSDT 1m", StoreUnavailable("it does not answer"))
    assert caplog.records == []


def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log_failure("BTCUSDT 1m", RuntimeError("broken"))
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
