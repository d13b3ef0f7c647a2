"""What all parts of one comparison share: its terms, its proofs and the bound on its work."""

from __future__ import annotations

from typing import Any

from asyncapi_server.diff.proofs import Proofs
from asyncapi_server.diff.terms import Terms

MAX_STEPS = 1_000_000
"""Values that one comparison may visit, each time that it does: seconds of work."""
_ANNOTATIONS = frozenset({"description", "summary", "title", "example", "examples", "externalDocs"})


class TooMuchWork(Exception):
    """The documents are so large, or refer to themselves so often, that it takes too long."""


class Context:
    """One comparison."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.proofs = Proofs()
        self.annotations = _ANNOTATIONS | terms.ignored
        """Keys of objects other than maps that only people read."""
        self.memory: dict[object, Any] = {}
        """What each function has found so far that does not compute it again."""
        self._left = MAX_STEPS

    def step(self) -> None:
        """Count one value that is visited; raises TooMuchWork."""
        self._left -= 1
        if self._left < 0:
            raise TooMuchWork
