"""Human-readable descriptions of an AsyncAPI document, as plain data for a page, and the page.

Unlike the contract, which keeps what machines need, they keep titles, descriptions and examples.
The page itself takes the extra [docs]: see `asyncapi_server.docs.render`.
"""

from asyncapi_server.docs.describe import describe
from asyncapi_server.docs.description import Description, MessageDescription, Sample
from asyncapi_server.docs.jsonlines import shown
from asyncapi_server.docs.lines import Heading, Line, Row
from asyncapi_server.docs.schema import rows, summary

__all__ = [
    "Description",
    "Heading",
    "Line",
    "MessageDescription",
    "Row",
    "Sample",
    "describe",
    "rows",
    "shown",
    "summary",
]
