"""The template of the route that a request took: what its measures are kept by."""

from __future__ import annotations

from typing import Final

from aiohttp import web

ANY_PATH: Final = r"/{path:[\s\S]*}"
BELOW: Final = r"{path:(?:/[\s\S]*)?}"
"""Appended to a base path: matches the path itself and everything below it."""

OTHER: Final = "other"
"""Of requests that no operation, page or WebSocket answered."""

ROUTE: Final = web.RequestKey("route", str)
"""The template of the operation, where a REST application has found one."""
ROUTE_EXTENSION: Final = "candlecast.route"
"""Where it puts that in `scope["extensions"]`."""


def route_of(request: web.BaseRequest) -> str:
    """The template of a request's route, never its path: there are only so many."""
    found: str | None = request.get(ROUTE)
    if found is not None:
        return found
    match = request.match_info if isinstance(request, web.Request) else None
    resource = match.route.resource if match is not None else None
    if resource is None or resource.canonical.endswith("{path}"):
        return OTHER
    return resource.canonical
