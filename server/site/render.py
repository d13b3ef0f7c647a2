"""All pages of the site, with their navigation and links."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from asyncapi_server.docs import Description, describe
from asyncapi_server.docs.render import FILTERS, fragment, module, script, stylesheet
from server.settings import TABLE
from server.site import markup
from server.site.index import index
from server.site.licences import VENDORED, libraries
from server.site.rest import describe_rest
from server.site.sources import ROOT, STREAMS, WRITTEN

REFERENCE_SCRIPT = "site/reference.js"
REFERENCE_STYLE = "site/reference.css"
MODULES = ("copying.js", "dom.js")
"""The modules of the package that every page takes."""
PALETTE = ("theme.css", "code.css")
"""The styles of the package that every page takes: its colours, and those of code."""
STATIC = Path(__file__).parent / "static" / "site"
HOST = "http://localhost:8080"

FIRST_TRADES = f"""\
curl "{HOST}/api/v1/data/trades/BTCUSDT/latest?limit=3"
curl "{HOST}/api/v1/tickers/BTCUSDT"
curl "{HOST}/api/v1/monitoring/health\""""
FIRST_STREAM = f"""\
const ws = new WebSocket('{HOST.replace("http", "ws")}/ws/stream');
ws.onmessage = (event) => console.log(event.data);
ws.onopen = () => ws.send(JSON.stringify({{
  action: 'subscribe',
  subscriptions: [{{symbol: 'BTCUSDT', timeframes: [{{timeframe: 173}}]}}],
}}));"""

GUIDES = (
    "console",
    "first-subscription",
    "loading-and-gaps",
    "exactness",
    "frames",
    "operation",
    "monitoring",
    "keys-and-tls",
    "generators",
    "contracts",
    "mock",
)
"""The guides in docs/guides in reading order; any others follow."""
PLACES = {
    "README.md": "index.html",
    "README.md#settings": "reference/settings.html",
    "ARCHITECTURE.md": "architecture.html",
    "CHANGELOG.md": "changelog.html",
    "specs/openapi.yaml": "reference/rest.html",
    "specs/stream.asyncapi.yaml": "reference/stream.html",
    "specs/binance/stream.asyncapi.yaml": "reference/binance-stream.html",
    "specs/kraken/public.asyncapi.yaml": "reference/kraken-public.html",
    "specs/kraken/private.asyncapi.yaml": "reference/kraken-private.html",
}
"""The page of the site for each file of the checkout."""


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page without the layout."""

    path: str
    """Without a leading "/", as in "guides/exactness.html"."""
    section: str
    label: str
    """The text in the navigation."""
    title: str
    body: str
    contents: tuple[markup.Heading, ...] = ()
    scripts: tuple[str, ...] = field(default=())
    styles: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Interface:
    """A page that shows the REST document by a program of others."""

    path: str
    title: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    has_main: bool
    """Whether the program marks the main part of the page itself."""


INTERFACES = (
    Interface(
        "docs",
        "Candlecast REST API · Swagger UI",
        ("docs/swagger-ui.css", "docs/docs.css"),
        ("docs/swagger-ui-bundle.js", "docs/docs.js"),
        has_main=True,
    ),
    Interface(
        "redoc",
        "Candlecast REST API · ReDoc",
        ("redoc/redoc.css",),
        ("redoc/redoc.standalone.js", "redoc/redoc.js"),
        has_main=False,
    ),
)


@cache
def render(*, is_served: bool = True) -> dict[str, bytes]:
    """Every file of the site by its URL path.

    Pages that are served show their own address in code; a copy of them keeps `HOST`.
    """
    environment = _environment()
    environment.globals["is_served"] = is_served
    pages = [page for page in _pages(environment) if page is not None]
    sections = [(name, list(group)) for name, group in groupby(pages, lambda page: page.section)]
    layout = environment.get_template("layout.html")
    files: dict[str, bytes] = {
        f"/site/{path.name}": path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix
    }
    files |= {f"/site/{name}": module(name).encode() for name in MODULES}
    files["/site/palette.css"] += stylesheet(PALETTE).encode()
    files[f"/{REFERENCE_SCRIPT}"] = script().encode()
    files[f"/{REFERENCE_STYLE}"] = stylesheet().encode()
    docs = WRITTEN / "docs"
    for path in sorted((*docs.rglob("*.png"), *docs.rglob("*.json"))):
        files[f"/{path.relative_to(docs).as_posix()}"] = path.read_bytes()
    for page in pages:
        to = partial(_relative, page.path)
        files[f"/{page.path}"] = layout.render(page=page, sections=sections, to=to).encode()
    files |= {f"/{each.path}": _interface(each, environment) for each in INTERFACES}
    files["/site/search.json"] = index((page.path, page.label, page.body) for page in pages)
    return files


def _interface(page: Interface, environment: Environment) -> bytes:
    """The page of an interface. Its links are absolute: as a file it is an index of a folder."""
    template = environment.get_template("interface.html")
    return template.render(interface=page, title=page.title, to="/{}".format).encode()


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            # The tables of fields are those of the package, which has other names.
            [FileSystemLoader(STATIC / "templates"), PackageLoader("asyncapi_server.docs")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= FILTERS
    environment.filters["code"] = lambda source, name: _html(markup.code(source, name))
    return environment


def _html(rendered: str) -> Markup:
    """Mark the output of the Markdown parser as safe; it passes no HTML through."""
    return Markup(rendered)  # noqa: S704


def _pages(environment: Environment) -> Iterator[SitePage | None]:
    docs, specs = WRITTEN / "docs", ROOT / "specs"
    yield _start(environment)
    known = {path.stem: path for path in (docs / "guides").glob("*.md")}
    for name in (*GUIDES, *sorted(set(known) - set(GUIDES))):
        yield _written(known.get(name), f"guides/{name}.html", "Guides")
    for path in sorted(docs.glob("*.md")):
        if path.stem != "benchmarks":
            yield _written(path, f"{path.stem}.html", "Guides")
    yield _rest(ROOT / "generated" / "openapi.json", environment)
    for name, file, label in STREAMS:
        if (specs / file).exists():
            yield _stream(name, label, describe(specs / file), f"specs/{file}", environment)
    yield _settings(environment)
    yield _written(docs / "benchmarks.md", "benchmarks.html", "About")
    for name in ("ARCHITECTURE", "CHANGELOG"):
        yield _written(WRITTEN / f"{name}.md", f"{name.lower()}.html", "About", folder="")
    yield _licences(environment)


def _start(environment: Environment) -> SitePage:
    body = environment.get_template("start.html").render(trades=FIRST_TRADES, stream=FIRST_STREAM)
    return SitePage("index.html", "", "Start", "", body, scripts=("site/live.js",))


def _written(source: Path | None, path: str, section: str, folder: str = "docs") -> SitePage | None:
    """The page of a Markdown file; None when the file does not exist."""
    if source is None or not source.exists():
        return None
    here = posixpath.join(folder, posixpath.dirname(path))
    read = markup.text(source.read_text("utf-8"), link=partial(_from_source, here, path))
    contents = tuple(heading for heading in read.headings if heading.level == 2)
    return SitePage(path, section, read.title, read.title, read.html, contents)


def _rest(document: Path, environment: Environment) -> SitePage:
    path = "reference/rest.html"
    described = describe_rest(document, HOST)
    about = markup.text(described.description, prefix="about-")
    groups = [
        (tag, list(group)) for tag, group in groupby(described.operations, lambda each: each.tag)
    ]
    body = environment.get_template("rest.html").render(
        rest=described,
        about=_html(about.html),
        groups=groups,
    )
    operations = (
        markup.Heading(2, each.summary or each.path, each.name) for each in described.operations
    )
    refusals = markup.Heading(2, "Refusals", "refusals")
    contents = (*_second(about.headings), *operations, refusals)
    return _reference(path, "REST", described.title, body, contents)


def _stream(
    name: str, label: str, described: Description, source: str, environment: Environment
) -> SitePage:
    path = f"reference/{name}.html"
    part = fragment(described, has_search=False)
    body = environment.get_template("stream.html").render(
        reference=_html(part.html), source=_relative(path, source)
    )
    contents = tuple(markup.Heading(2, entry.text, entry.anchor) for entry in part.contents)
    return _reference(path, label, described.title, body, contents)


def _reference(
    path: str, label: str, title: str, body: str, contents: tuple[markup.Heading, ...]
) -> SitePage:
    scripts, styles = (REFERENCE_SCRIPT,), (REFERENCE_STYLE,)
    return SitePage(path, "Reference", label, title, body, contents, scripts, styles)


def _settings(environment: Environment) -> SitePage:
    body = environment.get_template("settings.html").render(table=TABLE)
    return _reference("reference/settings.html", "Settings", "Settings", body, ())


def _licences(environment: Environment) -> SitePage:
    installed = libraries(WRITTEN / "requirements.lock")
    body = environment.get_template("licences.html").render(libraries=installed, vendored=VENDORED)
    return SitePage("licences.html", "About", "Licences", "Licences", body)


def _second(headings: tuple[markup.Heading, ...]) -> tuple[markup.Heading, ...]:
    return tuple(heading for heading in headings if heading.level == 2)


def _relative(page: str, target: str) -> str:
    """A relative link between pages, so that the site works at any address."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def _from_source(folder: str, page: str, address: str) -> str:
    """The link on the site for a link in a Markdown file."""
    name, mark, anchor = address.partition("#")
    if not name or "://" in name or name.startswith("/"):
        return address
    file = posixpath.normpath(posixpath.join(folder, name))
    if file + mark + anchor in PLACES:
        return _relative(page, PLACES[file + mark + anchor])
    if file.endswith(".md"):
        file = f"{posixpath.splitext(file)[0]}.html"
    if file.startswith("generated/"):
        file = file.replace("generated/", "bundles/", 1)
    file = PLACES.get(file, file)
    return _relative(page, file.removeprefix("docs/")) + mark + anchor
