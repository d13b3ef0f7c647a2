"""Tests a running WebSocket server against its AsyncAPI document.

asyncapi-server test specs/stream.asyncapi.yaml --url ws://localhost:8080/ws/stream

Exit status: 0 when the server keeps to the document, 1 when it violates it (each violation is
printed with the shortest sequence of messages that leads to it), 2 when the document cannot be
tested.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from asyncapi_server.contract_tests import campaign
from asyncapi_server.contract_tests.client import Tally
from asyncapi_server.contract_tests.report import FORMATS
from asyncapi_server.contract_tests.rules import Marker, Rules
from asyncapi_server.document.loader import load_document
from asyncapi_server.errors import AsyncApiServerError
from asyncapi_server.options import add_perspective, add_server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = __doc__
    parser.add_argument("document", help="the AsyncAPI document, 2.0 to 3.1")
    parser.add_argument(
        "--url", required=True,
        help="the URL of the channel; without --address, of a document with several, the URL that"
        " their addresses are below",
    )  # fmt: skip
    parser.add_argument("--address", help="the channel to test; all unless given")
    add_perspective(parser)
    add_server(parser)
    parser.add_argument("--messages", type=int, default=1000, help="how many to send to a channel")
    parser.add_argument("--seed", type=int, default=0, help="another seed sends other messages")
    parser.add_argument("--connections", type=int, default=4, help="how many are open at once")
    parser.add_argument(
        "--rate", type=_rate, default=math.inf,
        help="messages and pings a second on one connection, for a server that limits them",
    )  # fmt: skip
    parser.add_argument("--reply-seconds", type=float, default=10.0, help="time for an answer")
    parser.add_argument(
        "--header", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a header of the requests that open connections, such as Authorization 'Bearer ...'",
    )  # fmt: skip
    parser.add_argument("--errors", nargs="*", default=[], help="the messages that refuse requests")
    parser.add_argument(
        "--several", nargs="*", default=[], help="requests that several messages may answer"
    )
    parser.add_argument(
        "--never", nargs="*", default=[], type=Marker.parse, metavar="/POINTER=VALUE",
        help="values that no message may have, such as /error_code=INTERNAL_ERROR",
    )  # fmt: skip
    parser.add_argument(
        "--only-to-invalid", nargs="*", default=[], type=Marker.parse, metavar="/POINTER=VALUE",
        help="values that no answer to a valid message may have",
    )  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, default="text", help="of the report")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report there")


def run(options: argparse.Namespace) -> int:
    """Test what the options name; returns the exit status."""
    rules = Rules(
        reply_seconds=options.reply_seconds,
        connections=options.connections,
        rate=options.rate,
        headers=dict(options.header),
        errors=frozenset(options.errors),
        several=frozenset(options.several),
        never=tuple(options.never),
        only_to_invalid=tuple(options.only_to_invalid),
    )
    as_client = options.perspective == "client"
    try:
        channels = load_document(options.document, as_client=as_client).channels
        address = options.address or (next(iter(channels)) if len(channels) == 1 else None)
        if address is None:
            reports = campaign.run_all(
                options.document,
                options.url,
                as_client=as_client,
                messages=options.messages,
                random_seed=options.seed,
                rules=rules,
                server=options.server,
                progress=_print_progress,
            )
        else:
            reports = {
                address: campaign.run(
                    options.document,
                    options.url,
                    address=address,
                    as_client=as_client,
                    messages=options.messages,
                    random_seed=options.seed,
                    rules=rules,
                    server=options.server,
                    progress=_print_progress,
                )
            }
    except (AsyncApiServerError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = FORMATS[options.format](reports)
    if options.report is not None:
        options.report.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 1 if any(report.violations for report in reports.values()) else 0


def _rate(text: str) -> float:
    if not (rate := float(text)) > 0:
        raise argparse.ArgumentTypeError("the rate has to be above 0")
    return rate


def _print_progress(tally: Tally) -> None:
    sys.stderr.write(f"{tally.messages} messages over {tally.connections} connections\n")
