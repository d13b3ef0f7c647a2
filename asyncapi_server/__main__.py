"""Commands for AsyncAPI documents.

python -m asyncapi_server check FILE...   report every fault with its place
python -m asyncapi_server mock FILE       serve a document from its examples, without handlers
"""

from __future__ import annotations

import argparse
import sys

from asyncapi_server.document.check import check
from asyncapi_server.mock import server as mock


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns 1 when a document has faults."""
    parser = argparse.ArgumentParser(
        prog="python -m asyncapi_server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("check", help="report every fault of AsyncAPI documents")
    command.add_argument("files", nargs="+", metavar="FILE")
    command.set_defaults(command=_check)
    command = commands.add_parser("mock", help="serve a document from its examples")
    mock.add_arguments(command)
    command.set_defaults(command=mock.run)
    options = parser.parse_args(arguments)
    return int(options.command(options))


def _check(options: argparse.Namespace) -> int:
    findings = [finding for file in options.files for finding in check(file)]
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"{len(findings)} faults\n" if findings else "no faults\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
