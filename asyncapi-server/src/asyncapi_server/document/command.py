"""The command `check`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server import report
from asyncapi_server.document.check import check
from asyncapi_server.findings import Severity
from asyncapi_server.options import add_perspective, add_within

MAX_LINES = 200
"""Findings that are printed as text; all are in the other formats."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Report every fault of documents, one on a line.\n\n"
        "Exit status: 0 when the documents are valid and all of them can be served; 1 when there\n"
        "are errors, or advice with --strict; 2 when they are valid, and a part of them cannot be\n"
        "served here."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
    parser.add_argument("--strict", action="store_true", help="show advice, and let it count")
    parser.add_argument("--format", choices=report.FORMATS, default="text")
    add_perspective(parser)
    add_within(parser)


def run(options: argparse.Namespace) -> int:
    """Check what the options name; returns the exit status."""
    as_client = options.perspective == "client"
    findings = [
        finding
        for file in options.files
        for finding in check(file, as_client=as_client, within=options.within)
    ]
    advice = [finding for finding in findings if finding.severity is Severity.ADVICE]
    shown = [f for f in findings if options.strict or f.severity is not Severity.ADVICE]
    is_text = options.format == "text"
    sys.stdout.write(report.FORMATS[options.format](shown[:MAX_LINES] if is_text else shown))
    if is_text:
        if len(shown) > MAX_LINES:
            sys.stdout.write(f"... and {len(shown) - MAX_LINES} more\n")
        left = f" ({report.summary(advice)}: see --strict)" if advice and not options.strict else ""
        sys.stdout.write(f"{report.summary(shown) or 'valid'}{left}\n")
    severities = {finding.severity for finding in shown}
    if Severity.ERROR in severities or Severity.ADVICE in severities:
        return 1
    return 2 if severities else 0
