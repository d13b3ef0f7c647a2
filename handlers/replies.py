"""What a REST handler may answer with, and the one error that is about the request itself."""

from __future__ import annotations

from pydantic import BaseModel

from generated.rest import Raw
from ingest.core.errors import CandlecastError

Reply = BaseModel | Raw | tuple[BaseModel, int]
"""A model of the contract, bytes that already follow it, or a model with a status of its own.

Errors are raised, not returned.
"""


class InvalidParameter(CandlecastError):
    """Parameters that are each within their bounds but make no sense together."""

    def __init__(self, field: str, message: str) -> None:
        """`field` is where the fault is, as in `query.start_time`."""
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
