"""The command `docs`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from asyncapi_server.docs.describe import describe
from asyncapi_server.docs.description import Description
from asyncapi_server.docs.render import Listed, index, page
from asyncapi_server.errors import AsyncApiServerError
from asyncapi_server.options import add_perspective, add_within

INDEX = "index.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Render documents as pages that need nothing else, with a console to try them.\n\n"
        "A file gets the page of one document; a folder gets one page a document, and an index\n"
        "when there are several."
    )
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT", type=Path)
    parser.add_argument(
        "--to", required=True, type=Path, metavar="FOLDER|FILE.html", help="where to write"
    )
    parser.add_argument("--title", default="Documents", help="the title of the index")
    add_perspective(parser)
    add_within(parser)


def run(options: argparse.Namespace) -> int:
    """Render what the options name; 1 when a document cannot be read, or a page not written."""
    as_client = options.perspective == "client"
    paths = list({path.absolute(): path for path in options.documents}.values())
    try:
        described = [describe(path, as_client=as_client, within=options.within) for path in paths]
        pages = _pages(paths, described, options.to, options.title)
        for path, text in pages.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except AsyncApiServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename}: cannot be written: {error.strerror}\n")
        return 1
    for path in pages:
        sys.stdout.write(f"{path}\n")
    return 0


def _pages(
    paths: Sequence[Path], described: Sequence[Description], to: Path, title: str
) -> dict[Path, str]:
    """The text of each page by its path."""
    if to.suffix in (".html", ".htm"):
        if len(described) > 1:
            raise AsyncApiServerError(
                f"--to {to}: a file holds one document, and these are {len(described)}: "
                "name a folder"
            )
        return {to: page(described[0])}
    if len(described) == 1:
        return {to / INDEX: page(described[0])}
    documents = [
        Listed(description, name)
        for description, name in zip(described, _names(paths), strict=True)
    ]
    pages = {to / each.file: page(each.description, index=INDEX) for each in documents}
    return {to / INDEX: index(documents, title), **pages}


def _names(paths: Sequence[Path]) -> list[str]:
    """The files of the documents' pages: their names, with as many folders as distinguish them."""
    absolute = [path.absolute() for path in paths]
    for named in (_stem, _name):
        for depth in range(max(len(path.parts) for path in absolute)):
            names = ["-".join((*path.parts[-1 - depth : -1], named(path))) for path in absolute]
            files = [f"{name}.html" for name in names]
            if len({INDEX, *files}) == 1 + len(files):
                return files
    raise AssertionError("different paths differ in some part")


def _stem(path: Path) -> str:
    """The name of a file without its extensions: "stream.asyncapi.yaml" -> "stream"."""
    return path.stem.removesuffix(".asyncapi")


def _name(path: Path) -> str:
    return path.name
