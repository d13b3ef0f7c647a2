"""Documents that are compared, made and edited in memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asyncapi_server.diff import Change, Level, Spec, Terms, compare
from asyncapi_server.document.parsing import parse_yaml
from asyncapi_server.document.source import Library, Node, Source

Document = dict[str, Any]
Edit = Callable[[Document], object]


def nothing(_document: Document) -> None:
    """The edit that changes nothing."""


def edited(document: Document, edit: Edit) -> Document:
    """A copy of a document with an edit."""
    found = copy.deepcopy(document)
    edit(found)
    return found


def changes(
    old: Document, new: Document, terms: Terms | None = None, *, as_client: bool = False
) -> tuple[Change, ...]:
    """The changes from one document to another, which have no other files."""
    before, after = (spec(document, as_client=as_client) for document in (old, new))
    return compare(before, after, terms).changes


def spec(document: Document, *, as_client: bool = False) -> Spec:
    """A document without other files, as it is compared."""
    source = Source(Path("document.yaml"), document, {}, f"document {id(document)}")
    return Spec.of(Node(Library(), source, "", document), as_client=as_client)


def rich(name: str) -> Document:
    """A document of the folder `rich`, with something of everything."""
    text = (Path(__file__).parent / "rich" / name).read_text("utf-8")
    return json.loads(json.dumps(parse_yaml(text)[0]))  # type: ignore[no-any-return]


def level(found: tuple[Change, ...]) -> Level | None:
    """The highest level of changes; None when there are none."""
    return max((change.level for change in found), default=None)
