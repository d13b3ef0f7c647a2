"""Commands for AsyncAPI documents."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn, Protocol

USAGE: Final = 64
"""Exit status of a command line that is wrong, apart from those of a check."""


class Command(NamedTuple):
    """A command, whose module is loaded when it is run."""

    module: str
    help: str
    extra: str | None = None
    """The extra that it needs."""


COMMANDS: Final = {
    "check": Command("asyncapi_server.document.command", "report every fault of documents"),
    "serve": Command("asyncapi_server.serving.command", "serve a document by handlers of yours"),
    "mock": Command("asyncapi_server.mock.command", "serve a document from its examples"),
    "docs": Command(
        "asyncapi_server.docs.command",
        "render documents as pages, with a console to try them",
        "docs",
    ),
    "generate": Command(
        "asyncapi_server.generate.command",
        "write the typed parts of a server, or a client",
        "generate",
    ),
    "new": Command("asyncapi_server.generate.starter.command", "write a first server"),
    "test": Command(
        "asyncapi_server.contract_tests.command", "test a server against its document", "test"
    ),
    "diff": Command(
        "asyncapi_server.diff.command", "report what changes between two documents", "diff"
    ),
}


class _Module(Protocol):
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    name = words[0] if words else ""
    if name not in COMMANDS:
        return _overview(name)
    command = COMMANDS[name]
    try:
        module: _Module = importlib.import_module(command.module)
    except ImportError as error:
        if command.extra is None:
            raise
        sys.stderr.write(f"{error}: install asyncapi-server[{command.extra}]\n")
        return USAGE
    parser = _Parser(
        prog=f"asyncapi-server {name}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    return module.run(parser.parse_args(words[1:]))


def _overview(name: str) -> int:
    """Print the commands; a wrong one is an error."""
    lines = [f"  {command:10}{each.help}" for command, each in COMMANDS.items()]
    text = "\n".join((
        "usage: asyncapi-server COMMAND ...", "", __doc__ or "", "", *lines, "",
        "asyncapi-server COMMAND --help has the options of one.", "",
    ))  # fmt: skip
    if name in ("-h", "--help"):
        sys.stdout.write(text)
        return 0
    sys.stderr.write(text if not name else f"{name!r} is no command\n{text}")
    return USAGE


if __name__ == "__main__":
    raise SystemExit(main())
