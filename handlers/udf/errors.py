"""Errors in the form of the Universal Data Feed."""

from __future__ import annotations

from asyncapi_server import encode
from handlers.problem import Problem


def error_form(problem: Problem) -> tuple[int, bytes]:
    """A problem as `{"s": "error", "errmsg"}`.

    TradingView's adapter reads the body whatever the status is, so the status stays for caches,
    proxies and whoever else looks at it.
    """
    return problem.status, encode({"s": "error", "errmsg": problem.error})
