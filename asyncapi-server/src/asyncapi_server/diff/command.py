"""The command `diff`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server import report as findings
from asyncapi_server.diff import report
from asyncapi_server.diff.comparison import compare
from asyncapi_server.diff.spec import Spec
from asyncapi_server.diff.terms import Terms
from asyncapi_server.errors import DocumentError
from asyncapi_server.options import add_perspective, add_within


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Compare two AsyncAPI documents (2.0 to 3.1) or two OpenAPI documents (3.0, 3.1): what\n"
        "changes for clients, whom it breaks, and the version it asks for. What is not proven to\n"
        "be compatible breaks.\n\n"
        "Exit status: 0 when nothing breaks, or info.version of NEW allows it; 1 when more breaks\n"
        "than it allows, or with --strict when it is too low for any change; 2 when a document\n"
        "cannot be compared."
    )
    parser.add_argument("old", metavar="OLD", type=Path)
    parser.add_argument("new", metavar="NEW", type=Path)
    parser.add_argument("--strict", action="store_true", help="let all changes count")
    parser.add_argument("--format", choices=report.FORMATS, default="text")
    add_perspective(parser)
    add_within(parser)
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="X-NAME",
        help="an extension that no client depends on; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--open-messages", action="store_true",
        help="clients ignore messages of a kind that they do not know",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Compare what the options name; returns the exit status."""
    terms = Terms(frozenset(options.ignore), options.open_messages)
    as_client = options.perspective == "client"
    try:
        old, new = (
            Spec.read(path, as_client=as_client, within=options.within)
            for path in (options.old, options.new)
        )
        verdict = compare(old, new, terms)
    except DocumentError as error:
        sys.stdout.write(findings.FORMATS[options.format](error.findings))
        return 2
    sys.stdout.write(report.FORMATS[options.format](verdict))
    return 0 if (verdict.is_raised if options.strict else verdict.is_accepted) else 1
