"""Routes a request to an operation of an OpenAPI document.

Replaces Connexion's routing middleware, which scans two routers for each request, redirects by the
client's `Host` header, splits paths after decoding them, and names only one method in `Allow`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from connexion.http_facts import METHODS
from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from connexion.spec import Specification
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.native.facts import KeyScope
from server.edge.route import ROUTE_EXTENSION
from server.rest.scopes import hold, scope_of


@dataclass(frozen=True, slots=True)
class _Route:
    """One path of the document."""

    base_path: str
    template: str
    """The whole path, with the names of its parameters in braces."""
    segments: tuple[str | None, ...]
    """None for a parameter."""
    names: tuple[str, ...]
    operations: dict[str, tuple[str, KeyScope | None]] = field(default_factory=dict)
    """The operationId of each method, and the scope that it needs."""

    def match(self, segments: list[str]) -> list[str] | None:
        """The values of the path parameters, still encoded, or None."""
        values = []
        for expected, given in zip(self.segments, segments, strict=True):
            if expected is None and given:
                values.append(given)
            elif expected != given:
                return None
        return values


class Routing(SpecMiddleware):  # type: ignore[misc]  # connexion has no types
    """Finds the operation, holds the caller to the scope that it needs, and stores its id where
    Connexion's other middlewares look for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._plain: dict[str, _Route] = {}
        """Those without parameters, by path."""
        self._routes: dict[int, list[_Route]] = {}
        """Those with parameters, by number of segments; the ones with fewer first."""

    def add_api(
        self, specification: Specification, base_path: str | None = None, **_options: Any
    ) -> None:
        base = specification.base_path if base_path is None else base_path
        for path, methods in specification["paths"].items():
            template = base.rstrip("/") + path
            segments, names = _parse(template)
            operations = {
                method.upper(): (operation["operationId"], scope_of(specification, operation))
                for method, operation in methods.items()
                if method in METHODS
            }
            if "GET" in operations:
                operations.setdefault("HEAD", operations["GET"])
            route = _Route(base, template, segments, names, operations)
            if names:
                self._routes.setdefault(len(segments), []).append(route)
            else:
                self._plain[template] = route
        for routes in self._routes.values():
            routes.sort(key=lambda route: len(route.names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._route(scope)
        await self._app(scope, receive, send)

    def _route(self, scope: Scope) -> None:
        """Raises HTTPException: 404, 405, or 308 to the path with or without its trailing slash."""
        path = scope["raw_path"].decode("ascii")
        route, values = self._find(path)
        if route is None:
            other = path[:-1] if path.endswith("/") else path + "/"
            if self._find(other)[0] is None:
                raise HTTPException(404)
            query = scope["query_string"].decode("ascii", "ignore")
            raise HTTPException(308, headers={"Location": f"{other}?{query}" if query else other})
        scope["extensions"][ROUTE_EXTENSION] = route.template
        operation = route.operations.get(scope["method"])
        if operation is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(route.operations))})
        operation_id, needed = operation
        hold(scope, needed)
        # The whole path is valid UTF-8, and splitting at slashes never cuts a character.
        scope["path_params"] = dict(zip(route.names, map(unquote, values), strict=True))
        scope["extensions"][ROUTING_CONTEXT] = {
            "api_base_path": route.base_path,
            "operation_id": operation_id,
        }

    def _find(self, path: str) -> tuple[_Route | None, list[str]]:
        if (plain := self._plain.get(path)) is not None:
            return plain, []
        segments = path.split("/")
        for route in self._routes.get(len(segments), ()):
            values = route.match(segments)
            if values is not None:
                return route, values
        return None, []


def _parse(template: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    segments: list[str | None] = []
    names = []
    for segment in template.split("/"):
        if segment.startswith("{") and segment.endswith("}"):
            names.append(segment[1:-1])
            segments.append(None)
        else:
            segments.append(segment)
    return tuple(segments), tuple(names)
