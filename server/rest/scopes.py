"""The scope that an operation needs, as its document says, and callers held to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

from generated.native.facts import KeyScope
from handlers.problem import Problem
from ingest.core.errors import CandlecastError
from server.edge.callers import CALLER_EXTENSION, Caller


class CallerRefused(CandlecastError):
    """A caller that may not use an operation."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.error)
        self.problem = problem


def scope_of(document: Mapping[str, Any], operation: Mapping[str, Any]) -> KeyScope | None:
    """The scope that an operation needs: `x-scope`, else `read`; None where `security` is empty."""
    if not operation.get("security", document.get("security", ())):
        return None
    return KeyScope(operation.get("x-scope", KeyScope.READ))


def hold(scope: Scope, needed: KeyScope | None) -> None:
    """Raise CallerRefused when the caller of a request lacks the scope that it needs."""
    if needed is None:
        return
    caller: Caller = scope["extensions"][CALLER_EXTENSION]
    problem = caller.refused(needed)
    if problem is not None:
        raise CallerRefused(problem)
