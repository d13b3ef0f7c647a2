"""The command `mock`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from asyncapi_server import report
from asyncapi_server.document.loader import load_document
from asyncapi_server.errors import AsyncApiServerError, ContractError
from asyncapi_server.mock.server import CONTROL, Mock
from asyncapi_server.options import add_perspective, add_port, add_server
from asyncapi_server.serving.site import stopped

DEFAULT_PORT = 8090
MIN_SECONDS = 0.01
"""The shortest time between two scheduled messages."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("document", metavar="SPEC", help="an AsyncAPI document, 2.0 to 3.1")
    add_port(parser, DEFAULT_PORT)
    add_server(parser)
    add_perspective(parser)
    parser.add_argument(
        "--every", nargs=2, action="append", default=[], metavar=("SECONDS", "MESSAGES"),
        help="send these messages, separated by commas, to every client at this interval",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; 1 when the document cannot be served."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stderr)
    logging.getLogger("aiohttp.access").setLevel("WARNING")
    try:
        asyncio.run(_serve(options))
    except (AsyncApiServerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(options: argparse.Namespace) -> None:
    document = load_document(options.document, as_client=options.perspective == "client")
    for finding in document.findings:
        sys.stderr.write(f"{report.line(finding)}\n")
    mock = Mock(document, server=options.server)
    schedules = [_schedule(mock, *words) for words in options.every]
    async with mock.listening(options.host, options.port) as url, asyncio.TaskGroup() as group:
        repeating = [group.create_task(mock.repeat(*schedule)) for schedule in schedules]
        lines = [*(f"serves {url}{path}" for path in mock.paths)]
        control = url.replace("ws", "http", 1) + CONTROL
        lines.append(f"POST {control}/NAME sends {', '.join(mock.names)}")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        await stopped()
        for task in repeating:
            task.cancel()


def _schedule(mock: Mock, seconds: str, names: str) -> tuple[float, list[str]]:
    try:
        pause = float(seconds)
    except ValueError:
        pause = 0.0
    if not MIN_SECONDS <= pause < float("inf"):
        raise ContractError(f"--every {seconds}: not a number of seconds from {MIN_SECONDS} on")
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in mock.names:
            known = ", ".join(mock.names)
            raise ContractError(f"the server sends no message {name!r}; known: {known}")
    return pause, chosen
