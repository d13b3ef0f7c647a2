"""Failures of subscriptions, logged by their kind."""

from __future__ import annotations

import logging

from ingest.core.errors import CandlecastError

log = logging.getLogger(__name__)


def log_failure(topic: object, error: Exception) -> None:
    """Log the error that a subscription has ended by.

    One that is expected, as while the store is away, is for DEBUG only: any client can cause it.
    """
    if isinstance(error, CandlecastError):
        log.debug("The first message of %s failed: %s", topic, error)
    else:
        log.error("The first message of %s failed", topic, exc_info=error)
