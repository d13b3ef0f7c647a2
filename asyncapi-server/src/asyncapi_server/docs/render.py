"""Pages of documents as HTML. They take nothing from elsewhere, and a document cannot add to them.

A page stands for itself: its style and its script are in it, and its policy admits these alone.
What the pages of a site of one's own need is here in parts: a fragment, the style, the script.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from asyncapi_server.docs import code, markdown
from asyncapi_server.docs.anchors import Anchors, below
from asyncapi_server.docs.consoledata import console_data
from asyncapi_server.docs.description import Description, Link
from asyncapi_server.docs.modules import linked
from asyncapi_server.docs.outline import MAX_LISTED, Entry, contents, outline
from asyncapi_server.docs.wording import link
from asyncapi_server.findings import Place

REFERENCE_STYLES = ("reference.css", "code.css", "console.css")
"""What a fragment needs, in colours that the page around it has to name."""
PAGE_STYLES = ("theme.css", "page.css", *REFERENCE_STYLES)
CONNECTIONS = "ws: wss:"
"""What the console has to be allowed to connect to: `connect-src` of a policy."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The content of a page below its title."""

    html: str
    contents: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in an index."""

    description: Description
    file: str
    """The name of its page."""

    @property
    def words(self) -> str:
        """The first paragraph about it."""
        return markdown.plain(self.description.about.summary or self.description.description)

    @property
    def count(self) -> int:
        """The number of its messages."""
        return sum(len(c.receives) + len(c.sends) for c in self.description.channels)


def page(description: Description, *, index: str = "") -> str:
    """A whole page, which stands for itself; `index` is the address of the index, if any."""
    rendered = _Rendered(description)
    return _framed("page.html", rendered.title, **rendered.context, index=index, has_search=True)


def index(documents: Sequence[Listed], title: str = "Documents") -> str:
    """The page that lists several documents."""
    return _framed("index.html", title, documents=documents)


def fragment(description: Description, *, has_search: bool = True) -> Fragment:
    """The content of a page of one's own. It takes `script` and `stylesheet`.

    A site that has a search over all of its pages leaves out the one of this page.
    """
    rendered = _Rendered(description)
    template = _environment().get_template("fragment.html")
    html = template.render(**rendered.context, has_search=has_search)
    return Fragment(html, rendered.contents)


@cache
def script() -> str:
    """The script of every page."""
    return linked(resources.files(__package__) / "static", "js/main.js")


def module(name: str) -> str:
    """A module of the script, as "copying.js", for a site whose other pages need no more of it."""
    return (resources.files(__package__) / "static" / "js" / name).read_text("utf-8")


@cache
def stylesheet(names: tuple[str, ...] = REFERENCE_STYLES) -> str:
    """The style of the pages; without `names`, that of fragments."""
    folder = resources.files(__package__) / "static" / "css"
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in names)


@cache
def _environment() -> Environment:
    """The environment of the templates."""
    made = Environment(
        loader=PackageLoader("asyncapi_server.docs"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= FILTERS
    made.globals["prose"] = _prose
    made.globals["most"] = MAX_LISTED
    return made


class _Rendered:
    """A document with what its templates are given."""

    def __init__(self, description: Description) -> None:
        made = outline(description)
        about = markdown.text(description.description, anchors=made.anchors, prefix="about-")
        headings = [Entry(each.text, each.anchor, 1) for each in about.headings if each.level == 2]
        self.title = description.title or "AsyncAPI document"
        self.contents = tuple(contents(made, headings))
        self.context = {
            "page": made,
            "about": _html(about.html),
            "contents": self.contents,
            "data": _html(console_data(made)),
        }


def _framed(template: str, title: str, **context: object) -> str:
    own_script, style = script(), stylesheet(PAGE_STYLES)
    return _environment().get_template(template).render(
        title=title,
        script=_html(own_script),
        style=_html(style),
        policy=_policy(own_script, style),
        icon=_icon(),
        **context,
    )  # fmt: skip


def _policy(own_script: str, style: str) -> str:
    """The policy of a page: its own script and style, and connections of the console."""
    return "; ".join((
        "default-src 'none'",
        f"script-src '{_hash(own_script)}'",
        f"style-src '{_hash(style)}'",
        "img-src data:",
        f"connect-src {CONNECTIONS}",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ))  # fmt: skip


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _icon() -> str:
    svg = (resources.files(__package__) / "static" / "icon.svg").read_text("utf-8")
    return f"data:image/svg+xml,{quote(svg)}"


def _html(rendered: str) -> Markup:
    """Mark what this package made as HTML that is safe."""
    return Markup(rendered)  # noqa: S704


def _prose(source: str, anchors: Anchors, prefix: str, level: int) -> Markup:
    """A text with headings, whose ids are below that of its part."""
    return _html(markdown.text(source, anchors=anchors, level=level, prefix=f"{prefix}-").html)


def _linked(there: Link) -> Markup:
    return _html(markdown.inline(link(there.description or there.url, there.url)))


def _stepped(path: str) -> Markup:
    """The path of a field, whose last step counts most; it can break after each."""
    above, _, last = path.rpartition(".")
    steps = escape(f"{above}." if above else "").replace(".", _html(".<wbr>"))
    return _html('<code><span class="above">{}</span>{}</code>').format(steps, last)


def _placed(place: Place) -> str:
    """A place without the folders of this machine: "stream.yaml, line 7"."""
    line = f", line {place.line}" if place.line else ""
    return f"{posixpath.basename(Path(place.file).as_posix())}{line}"


FILTERS = {
    "below": below,
    "breakable": lambda path: escape(path).replace(".", _html(".<wbr>")),
    "stepped": _stepped,
    "code": lambda source, language: _html(code.block(source, language)),
    "inline": lambda source: _html(markdown.inline(source)),
    "linked": _linked,
    "placed": _placed,
}
"""The filters of the templates."""
