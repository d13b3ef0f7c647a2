"""The command `serve`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from asyncapi_server import report
from asyncapi_server.document.contract import Contract
from asyncapi_server.document.loader import load_document
from asyncapi_server.document.model import Document
from asyncapi_server.errors import AsyncApiServerError
from asyncapi_server.options import add_perspective, add_port, add_server
from asyncapi_server.serving import paths
from asyncapi_server.serving.endpoint import Endpoint
from asyncapi_server.serving.faults import Fault
from asyncapi_server.serving.hub import Hub
from asyncapi_server.serving.named import named_handlers
from asyncapi_server.serving.router import Router
from asyncapi_server.serving.site import listening, stopped

DEFAULT_PORT = 8080

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Serve a document by classes of yours. HANDLERS is MODULE:CLASS, or ADDRESS=MODULE:CLASS\n"
        "for each channel of several; modules are found in the current folder first.\n\n"
        "A class is called with a Hub if it takes an argument. Its methods on_MESSAGE answer; its\n"
        "method error(fault) makes the document's error message, its mapping `authenticate` has a\n"
        "function for each security scheme."
    )
    parser.add_argument("document", metavar="DOCUMENT", type=Path, help="AsyncAPI, 2.0 to 3.1")
    parser.add_argument("handlers", metavar="HANDLERS", nargs="+", help="who answers")
    add_port(parser, DEFAULT_PORT)
    add_server(parser)
    add_perspective(parser)
    parser.add_argument(
        "--check-outgoing", action="store_true",
        help="validate what is sent too, and give clients the reason: for development",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; 1 when the document or the handlers cannot be served."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stderr)
    logging.getLogger("aiohttp.access").setLevel("WARNING")
    try:
        document = load_document(options.document, as_client=options.perspective == "client")
        for finding in document.findings:
            sys.stderr.write(f"{report.line(finding)}\n")
        asyncio.run(_serve(_endpoints(document, options), options.host, options.port))
    except (AsyncApiServerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _endpoints(document: Document, options: argparse.Namespace) -> dict[str, Endpoint]:
    """The endpoints by their paths."""
    prefix = paths.prefix(document, options.server)
    contract, hub = Contract.from_document(document), Hub()
    return {
        paths.path(prefix, address): Endpoint(
            Router(
                contract,
                address,
                handlers,
                error_reply=getattr(handlers, "error", _unreported),
                server=options.server,
                authenticate=getattr(handlers, "authenticate", None),
                check_outgoing=options.check_outgoing,
            ),
            hub=hub,
        )
        for address, handlers in named_handlers(document.channels, options.handlers, hub).items()
    }


async def _serve(endpoints: Mapping[str, Endpoint], host: str, port: int) -> None:
    async with listening(endpoints, host, port) as url:
        sys.stdout.write("".join(f"serves {url}{path}\n" for path in endpoints))
        sys.stdout.flush()
        await stopped()


def _unreported(fault: Fault) -> None:
    """Log a fault of a client whose document has no error message."""
    log.info("%s: %s", fault.kind, fault.text)
