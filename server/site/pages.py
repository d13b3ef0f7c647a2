"""The console, the site, Swagger UI, ReDoc and the documents, served without any other host.

Every file is read once, at startup, and looked up by its exact path, never in the file system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from asyncapi_server.docs.render import CONNECTIONS
from server.edge.headers import expect_nothing
from server.rest.codings import LEAST_BYTES, coding_of, compressed
from server.rest.delivery import matches
from server.site.sources import STREAMS

STATIC = Path(__file__).parent / "static"

REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"

CHARTS = "/lightweight-charts/lightweight-charts.standalone.production.mjs"

REVALIDATE = "no-cache"
KEEP_A_DAY = "public, max-age=86400"

# Both user interfaces add style elements, and ReDoc runs its search in a blob worker. Scripts come
# from files of this server only.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

INTERFACES = frozenset({"/docs", "/redoc"})

# Our own pages need less.
SITE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

# The console of a stream's page connects to whatever server its reader names.
CONSOLE_POLICY = SITE_POLICY.replace("connect-src 'self'", f"connect-src 'self' {CONNECTIONS}")
CONSOLES = frozenset(f"/reference/{name}.html" for name, *_ in STREAMS)

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".md": "text/markdown; charset=utf-8",
}
COMPRESSED = CONTENT_TYPES.keys() - {".png"}


@dataclass(frozen=True, slots=True)
class Page:
    """One file with its response headers."""

    content: bytes
    headers: Mapping[str, str]
    etag: str
    """That of the content itself; in a coding it has another one."""
    _coded: dict[str, bytes] = field(default_factory=dict, repr=False)
    """The content by coding, compressed when a client first takes it so."""

    @classmethod
    def of(
        cls, content: bytes, suffix: str, cache: str = REVALIDATE, policy: str = PAGE_POLICY
    ) -> Page:
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers: dict[str, str] = {
            hdrs.CONTENT_TYPE: CONTENT_TYPES[suffix],
            hdrs.CACHE_CONTROL: cache,
            hdrs.ETAG: etag,
        }
        if suffix == ".html":
            headers["Content-Security-Policy"] = policy
        if suffix in COMPRESSED and len(content) >= LEAST_BYTES:
            headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        return cls(content, headers, etag)

    async def answer(self, accept_encoding: str, known: str) -> web.Response:
        """The answer to a client that accepts these codings, and knows these entity tags."""
        coding = None
        if hdrs.VARY in self.headers:
            coding = coding_of(accept_encoding.encode("latin-1", "replace"))
        etag = self.etag if coding is None else f'{self.etag[:-1]}-{coding}"'
        headers = {**self.headers, hdrs.ETAG: etag}
        if matches(known.encode("latin-1", "replace"), etag.encode()):
            return web.Response(status=304, headers=headers)
        if coding is None:
            return web.Response(body=self.content, headers=headers)
        if coding not in self._coded:
            self._coded[coding] = await compressed(self.content, coding)
        headers[hdrs.CONTENT_ENCODING] = coding
        return web.Response(body=self._coded[coding], headers=headers)


def load_pages(
    openapi_json: bytes,
    specs: Path,
    site: Mapping[str, bytes] | None = None,
    bundles: Path | None = None,
) -> dict[str, Page]:
    """Load the pages by URL path.

    `openapi_json` is the bundled document that is served at `/api/v1/openapi.json` and shown by
    both user interfaces; every document under the folder `specs` is served under `/specs/`.
    `site` has the files of the documentation by URL path, with the pages of both interfaces.
    The bundled documents in the folder `bundles` are served under `/bundles/`.
    """
    own, console = STATIC / "own", STATIC / "console"
    swagger = STATIC / "swagger-ui"
    pages = {
        "/api/v1/openapi.json": Page.of(openapi_json, ".json"),
        "/docs/docs.js": _read(own / "docs.js"),
        "/docs/docs.css": _read(own / "docs.css"),
        "/docs/swagger-ui.css": _read(swagger / "swagger-ui.css", KEEP_A_DAY),
        "/docs/swagger-ui-bundle.js": _read(swagger / "swagger-ui-bundle.js", KEEP_A_DAY),
        "/redoc/redoc.js": _read(own / "redoc.js"),
        "/redoc/redoc.css": _read(own / "redoc.css"),
        "/redoc/redoc.standalone.js": Page.of(_redoc_script(), ".js", KEEP_A_DAY),
        "/console": Page.of((console / "console.html").read_bytes(), ".html", policy=SITE_POLICY),
        CHARTS: _read(STATIC / CHARTS.lstrip("/"), KEEP_A_DAY),
        "/favicon.svg": _read(own / "favicon.svg", KEEP_A_DAY),
        "/favicon.ico": _read(own / "favicon.svg", KEEP_A_DAY),
    }
    for file in sorted((*console.glob("*.js"), *console.glob("*.css"))):
        pages[f"/console/{file.name}"] = _read(file)
    for file in sorted(specs.rglob("*")):
        if file.is_file() and file.suffix in (".yaml", ".json", ".md"):
            pages[f"/specs/{file.relative_to(specs).as_posix()}"] = _read(file)
    for file in sorted(bundles.glob("*api.json")) if bundles is not None else ():
        pages[f"/bundles/{file.name}"] = _read(file)
    for path, content in (site or {}).items():
        suffix = PurePosixPath(path).suffix or ".html"
        pages[path] = Page.of(content, suffix, policy=_policy(path))
    return pages


def add_pages(app: web.Application, pages: Mapping[str, Page]) -> None:
    """Add the routes of the pages to an application, before its catch-all route."""
    for path, page in pages.items():
        app.router.add_route("*", path, _handler(page), expect_handler=expect_nothing)
    app.router.add_route("*", "/", _to_console, expect_handler=expect_nothing)


def _policy(path: str) -> str:
    if path in INTERFACES:
        return PAGE_POLICY
    return CONSOLE_POLICY if path in CONSOLES else SITE_POLICY


def _redoc_script() -> bytes:
    """ReDoc without its remote logo; it hides one that fails to load."""
    script = (STATIC / "redoc" / "redoc.standalone.js").read_bytes()
    return script.replace(REDOC_LOGO, b"data:,")


def _read(file: Path, cache: str = REVALIDATE) -> Page:
    return Page.of(file.read_bytes(), file.suffix, cache)


def _handler(page: Page) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        only_reading(request)
        return await page.answer(
            _joined(request, hdrs.ACCEPT_ENCODING), _joined(request, hdrs.IF_NONE_MATCH)
        )

    return serve


def _joined(request: web.Request, name: str) -> str:
    """The value of a header, which may come in several lines; "" without one."""
    return ", ".join(request.headers.getall(name, ()))


async def _to_console(request: web.Request) -> web.StreamResponse:
    only_reading(request)
    return web.Response(status=307, headers={hdrs.LOCATION: "/console"})


def only_reading(request: web.Request) -> None:
    """Refuse methods that would change something."""
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        raise web.HTTPMethodNotAllowed(request.method, (hdrs.METH_GET, hdrs.METH_HEAD))
