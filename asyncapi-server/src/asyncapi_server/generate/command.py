"""The command `generate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server import report
from asyncapi_server.errors import AsyncApiServerError
from asyncapi_server.generate.folder import Folder
from asyncapi_server.generate.interpreter import read_interface
from asyncapi_server.generate.python.client import client_files as python_client
from asyncapi_server.generate.python.formatting import formatted
from asyncapi_server.generate.python.server import server_files
from asyncapi_server.generate.typescript.client import client_files as typescript_client
from asyncapi_server.options import add_perspective, add_server, add_within

CLIENTS = {"python": python_client, "typescript": typescript_client}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Write the typed parts of a server, or a client, from a document.\n\n"
        "Exit status: 0 when the folder is up to date; 1 when it is not and --check is given, or\n"
        "when nothing can be written."
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="server|client")
    server = kinds.add_parser("server", help="models, handlers, senders and contract in Python")
    client = kinds.add_parser("client", help="a client in Python or TypeScript")
    client.add_argument("--language", choices=CLIENTS, required=True)
    for each in (server, client):
        each.add_argument("document", metavar="DOCUMENT", type=Path, help="AsyncAPI, 2.0 to 3.1")
        each.add_argument("--to", metavar="FOLDER", type=Path, required=True)
        each.add_argument(
            "--check", action="store_true", help="write nothing, and name the files that differ"
        )
        add_server(each)
        add_perspective(each)
        add_within(each)


def run(options: argparse.Namespace) -> int:
    """Generate what the options name; returns the exit status."""
    try:
        return _run(options)
    except (AsyncApiServerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    interface = read_interface(
        options.document,
        as_client=options.perspective == "client",
        within=options.within,
        server=options.server,
    )
    for finding in interface.findings:
        sys.stderr.write(f"{report.line(finding)}\n")
    is_server = options.kind == "server"
    write = server_files if is_server else CLIENTS[options.language]
    files = formatted(write(interface))
    command = "generate server" if is_server else f"generate client --language {options.language}"
    folder = Folder(options.to, command, options.document.name)
    if options.check:
        stale = folder.differences(files)
        for name in stale:
            sys.stderr.write(f"{options.to / name} differs from {options.document}\n")
        return 1 if stale else 0
    for name in folder.write(files):
        sys.stdout.write(f"{options.to / name} changed\n")
    return 0
