"""Human-readable descriptions of an AsyncAPI document, as plain data for a page.

Unlike the contract, which keeps what machines need, they keep titles, descriptions and examples.
"""

from asyncapi_server.docs.describe import Description, MessageDescription, describe
from asyncapi_server.docs.schema import Row, rows

__all__ = ["Description", "MessageDescription", "Row", "describe", "rows"]
