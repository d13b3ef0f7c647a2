"""The gate for breaking changes: what changes between two documents, and whom that breaks.

The core is pure: documents in, changes out. `asyncapi` and `openapi` compare two documents object
by object, each key by its rule; a key without a rule breaks. `schemas` compares JSON Schemas by the
side that depends on their values, and takes the extra [diff].
"""

from asyncapi_server.diff.changes import Change, Level, Side
from asyncapi_server.diff.comparison import Verdict, compare
from asyncapi_server.diff.spec import Spec
from asyncapi_server.diff.terms import Terms
from asyncapi_server.diff.version import Version, bump, least

__all__ = [
    "Change",
    "Level",
    "Side",
    "Spec",
    "Terms",
    "Verdict",
    "Version",
    "bump",
    "compare",
    "least",
]
