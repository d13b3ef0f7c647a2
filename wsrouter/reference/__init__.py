"""What there is to tell people of an AsyncAPI document, as plain data for a page.

Unlike the contract, which keeps what machines need, this keeps titles, descriptions and examples.
"""

from .describe import Description, MessageDescription, describe
from .schema import Row, rows

__all__ = ["Description", "MessageDescription", "Row", "describe", "rows"]
