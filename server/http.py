"""The assembled HTTP edge: one aiohttp application for everything that the port serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from server.edge.access import Access
from server.edge.answers import ErrorForms
from server.edge.bridge import BodyLimits, Bridge
from server.edge.headers import expect_nothing, finish_headers
from server.rest.app import RestApi, build_rest
from server.site.pages import Page, add_pages

ANY_PATH = r"/{path:[\s\S]*}"
BELOW = r"{path:(?:/[\s\S]*)?}"
"""After a base path: the path itself, and all below it."""


def build_http(
    access: Access,
    apis: Sequence[RestApi],
    pages: Mapping[str, Page],
    websockets: Mapping[str, Handler],
    limits: BodyLimits | None = None,
    *,
    validate_responses: bool = False,
) -> web.Application:
    """An application in which access control stands in front of everything.

    `websockets` maps paths to aiohttp handlers; a client's connection is counted as long as its
    handler runs. Each API is served below its base paths, and the first one answers, in its form,
    whatever no other route takes. The APIs' lifespans are run with the application's: start with
    `web.AppRunner` and `edge.sockets.LimitedSite`.
    """
    first, *others = apis
    forms = ErrorForms(first.form, {path: api.form for api in others for path in api.base_paths})
    app = web.Application(middlewares=[forms.middleware, access.middleware])
    app.on_response_prepare.append(finish_headers)
    for path, handler in websockets.items():
        app.router.add_route("GET", path, access.counted(handler), expect_handler=expect_nothing)
    add_pages(app, pages)
    for api in (*others, first):
        bridge = Bridge(build_rest(api, validate_responses=validate_responses), limits)
        app.cleanup_ctx.append(bridge.lifespan)
        for path in [ANY_PATH] if api is first else [p + BELOW for p in api.base_paths]:
            app.router.add_route("*", path, bridge.handle, expect_handler=expect_nothing)
    return app
