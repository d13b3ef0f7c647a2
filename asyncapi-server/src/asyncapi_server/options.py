"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_perspective(parser: argparse.ArgumentParser) -> None:
    """`--as server` or `--as client`, known as `perspective`."""
    parser.add_argument(
        "--as", choices=("server", "client"), default="server", dest="perspective",
        help="whom AsyncAPI documents describe (%(default)s)",
    )  # fmt: skip


def add_within(parser: argparse.ArgumentParser) -> None:
    """`--within FOLDER`."""
    parser.add_argument(
        "--within", type=Path, metavar="FOLDER",
        help="references may lead to files in it; the folder of each document unless given",
    )  # fmt: skip


def add_server(parser: argparse.ArgumentParser) -> None:
    """`--server NAME`."""
    parser.add_argument(
        "--server", metavar="NAME", help="the document's name for this server; default: all"
    )


def add_port(parser: argparse.ArgumentParser, default: int) -> None:
    """`--host` and `--port`."""
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=default, help="0 picks a free one (%(default)s)"
    )
