"""The assembled HTTP edge: one aiohttp application for the whole port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from server.edge.access import Access
from server.edge.answers import ErrorForms
from server.edge.bridge import BodyLimits, Bridge
from server.edge.headers import UsedRequests, expect_nothing, finish_headers
from server.edge.requests import Requests
from server.edge.route import ANY_PATH, BELOW
from server.rest.app import RestApi, build_rest
from server.rest.delivery import Delivery
from server.site.pages import Page, add_pages


def build_http(
    access: Access,
    apis: Sequence[RestApi],
    pages: Mapping[str, Page],
    websockets: Mapping[str, Handler],
    limits: BodyLimits | None = None,
    requests: Requests | None = None,
    roots: Mapping[str, Handler] | None = None,
    *,
    takes_key_later: Collection[str] = (),
    validate_responses: bool = False,
) -> web.Application:
    """Build an application with access control in front of every route.

    `websockets` maps paths to aiohttp handlers; a client's connection counts as long as its handler
    runs. To those of `takes_key_later` a key may be presented by a message. `roots` are other
    handlers by path. Each API is served below its base paths; the first one also answers, in its
    error form, every unmatched path. The APIs' lifespans run with the application's: start it with
    `web.AppRunner` and `edge.sockets.LimitedSite`.
    """
    first, *others = apis
    forms = ErrorForms(first.form, {path: api.form for api in others for path in api.mounts})
    app = web.Application(middlewares=[forms.middleware, access.middleware])
    used = {path: api.used_header for api in apis for path in api.mounts if api.used_header}
    app.on_response_prepare.append(finish_headers)
    if requests is not None and requests.is_logged:
        app.on_response_prepare.append(requests.begin)
    app.on_response_prepare.append(UsedRequests(used).finish)
    for path, handler in websockets.items():
        opened = access.websocket(handler, takes_key_later=path in takes_key_later)
        app.router.add_route("GET", path, opened, expect_handler=expect_nothing)
    for path, handler in (roots or {}).items():
        app.router.add_route("*", path, access.readers(handler), expect_handler=expect_nothing)
    add_pages(app, pages)
    for api in (*others, first):
        rest = build_rest(api, validate_responses=validate_responses)
        bridge = Bridge(Delivery(rest), limits)
        app.cleanup_ctx.append(bridge.lifespan)
        # aiohttp finds base paths by a look-up, and tries the patterns of the root one by one.
        paths = [mount + BELOW for mount in api.mounts]
        for path in [*paths, ANY_PATH] if api is first else paths:
            app.router.add_route("*", path, bridge.handle, expect_handler=expect_nothing)
    return app
