"""The command `new`: a first server of a document, in one file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from asyncapi_server import report
from asyncapi_server.document.loader import load_document
from asyncapi_server.errors import AsyncApiServerError
from asyncapi_server.generate.starter.source import starter
from asyncapi_server.options import add_perspective


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Write a first server of a document, which answers with the document's examples.\n"
        "The file is yours from then on: it is never overwritten."
    )
    parser.add_argument("document", metavar="DOCUMENT", type=Path, help="AsyncAPI, 2.0 to 3.1")
    parser.add_argument(
        "--to", metavar="FILE", type=Path, default=Path("server.py"), help="(%(default)s)"
    )
    add_perspective(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file; 1 when it is there already, or the document cannot be served."""
    as_client = options.perspective == "client"
    try:
        document = load_document(options.document, as_client=as_client)
        path = Path(os.path.relpath(options.document, options.to.parent)).as_posix()
        text = starter(document, path, as_client=as_client)
        with options.to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        sys.stderr.write(f"{options.to} is there already: name another file by --to\n")
        return 1
    except (AsyncApiServerError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for finding in document.findings:
        sys.stderr.write(f"{report.line(finding)}\n")
    sys.stdout.write(f"{options.to} is written: run it by `python {options.to}`\n")
    return 0
