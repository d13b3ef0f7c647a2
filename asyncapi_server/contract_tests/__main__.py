"""Tests a running WebSocket server against its AsyncAPI document.

python -m asyncapi_server.contract_tests specs/stream.asyncapi.yaml --url ws://localhost:8080/ws/stream

Exit code 1: the server violated the document; each violation is printed with its transcript.
"""

from __future__ import annotations

import argparse
import sys

from asyncapi_server.contract_tests.campaign import run
from asyncapi_server.contract_tests.client import Tally
from asyncapi_server.contract_tests.rules import Marker, Rules
from asyncapi_server.errors import AsyncApiServerError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m asyncapi_server.contract_tests", description=__doc__
    )
    parser.add_argument("document", help="the AsyncAPI document, 2.0 to 3.1")
    parser.add_argument("--url", required=True, help="the URL of the server, with the path")
    parser.add_argument("--address", help="the channel, when the document has several")
    parser.add_argument("--server", help="the document's name for this server")
    parser.add_argument("--messages", type=int, default=1000, help="how many to send")
    parser.add_argument("--seed", type=int, default=0, help="another seed sends other messages")
    parser.add_argument("--connections", type=int, default=4, help="how many are open at once")
    parser.add_argument("--reply-seconds", type=float, default=10.0, help="time for an answer")
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
    options = parser.parse_args(arguments)
    rules = Rules(
        reply_seconds=options.reply_seconds,
        connections=options.connections,
        errors=frozenset(options.errors),
        several=frozenset(options.several),
        never=tuple(options.never),
        only_to_invalid=tuple(options.only_to_invalid),
    )
    try:
        report = run(
            options.document,
            options.url,
            address=options.address,
            messages=options.messages,
            random_seed=options.seed,
            rules=rules,
            server=options.server,
            progress=_print_progress,
        )
    except (AsyncApiServerError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{report}\n")
    return 1 if report.violations else 0


def _print_progress(tally: Tally) -> None:
    sys.stderr.write(f"{tally.messages} messages over {tally.connections} connections\n")


if __name__ == "__main__":
    sys.exit(main())
