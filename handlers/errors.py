"""Errors that a handler of any API may raise about the request itself."""

from __future__ import annotations

from ingest.core.errors import CandlecastError


class InvalidParameter(CandlecastError):
    """Parameters that are each within their bounds but make no sense together."""

    def __init__(self, field: str, message: str) -> None:
        """`field` is where the fault is, as in `query.start_time`."""
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
