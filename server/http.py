"""The assembled HTTP edge: one aiohttp application for everything that the port serves."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from server.edge.access import Access
from server.edge.bridge import AsgiApp, BodyLimits, Bridge
from server.edge.headers import envelope_errors, expect_nothing, finish_headers
from server.pages import Page, add_pages

EVERY_PATH = r"/{path:[\s\S]*}"


def build_http(
    access: Access,
    rest: AsgiApp,
    pages: Mapping[str, Page],
    websockets: Mapping[str, Handler],
    limits: BodyLimits | None = None,
) -> web.Application:
    """An application in which access control stands in front of everything.

    `websockets` maps paths to aiohttp handlers; a client's connection is counted as long as its
    handler runs. What no other route takes goes to `rest`, whose lifespan is run with the
    application's: start with `web.AppRunner` and `edge.sockets.LimitedSite`.
    """
    bridge = Bridge(rest, limits)
    app = web.Application(middlewares=[envelope_errors, access.middleware])
    app.on_response_prepare.append(finish_headers)
    app.cleanup_ctx.append(bridge.lifespan)
    for path, handler in websockets.items():
        app.router.add_route("GET", path, access.counted(handler), expect_handler=expect_nothing)
    add_pages(app, pages)
    app.router.add_route("*", EVERY_PATH, bridge.handle, expect_handler=expect_nothing)
    return app
