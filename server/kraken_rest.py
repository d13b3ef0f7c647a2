"""Kraken's REST requests on the server's port."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.kraken.api import PATHS, PUBLIC
from handlers.kraken.errors import Json
from handlers.kraken.rest import Rest
from server.edge.headers import expect_nothing
from server.envelope import JSON
from wsrouter import encode


def add_routes(app: web.Application, rest: Rest) -> None:
    """Put the requests on an application."""
    for method, name, answer in (
        ("GET", "public/AssetPairs", lambda r: rest.get_asset_pairs(r.query.get("pair"))),
        ("GET", "public/Time", lambda _: rest.get_time()),
        ("GET", "public/SystemStatus", lambda _: rest.get_system_status()),
        (
            "POST",
            "private/GetWebSocketsToken",
            lambda r: rest.get_websockets_token(r.headers.get("API-Key", "")),
        ),
    ):
        path = f"{PATHS[PUBLIC]}/0/{name}"
        app.router.add_route(method, path, _answering(answer), expect_handler=expect_nothing)


def _answering(answer: Callable[[web.Request], Json]) -> Handler:
    """An aiohttp handler that answers with a body in Kraken's envelope."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=encode(answer(request)), content_type=JSON)

    return handle
