"""The command line, `candlecast`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncapi_server.mock.command
import simulator.cli
from ingest.core.errors import CandlecastError, SettingError
from server import settings
from server.commands import (
    audit,
    backfill,
    backup,
    check_config,
    doctor,
    jobs,
    key,
    reconcile,
    restore,
    status,
    watch,
)
from server.exits import Exit
from server.lines import log_to_stderr
from server.version import program_version

if sys.platform == "win32":
    _run = asyncio.run
else:
    import uvloop

    _run = uvloop.run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, one of `Exit`."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except CandlecastError as error:
        print(f"candlecast: {error}", file=sys.stderr)  # noqa: T201
        return Exit.WRONG_USE if isinstance(error, SettingError) else Exit.FOUND
    except OSError as error:
        print(f"candlecast: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return Exit.FOUND
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def parser() -> argparse.ArgumentParser:
    program = argparse.ArgumentParser(
        prog="candlecast",
        description="Self-hosted crypto market data: exact candles of any minute timeframe, live.",
        epilog="Settings are read from the environment and from .env; the README lists them.",
    )
    program.add_argument("--version", action="version", version=f"candlecast {program_version()}")
    commands = program.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("serve", help="serve REST and WebSocket")
    command.add_argument(
        "--simulator",
        metavar="OPTIONS",
        default="",
        help="options for the simulator that is the feed, in one string",
    )
    command.set_defaults(command=_serve)

    command = commands.add_parser("simulate", help="run the simulated exchange by itself")
    simulator.cli.add_arguments(command)
    command.set_defaults(command=simulator.cli.run)

    command = commands.add_parser("backfill", help="fetch history into the store")
    backfill.add_arguments(command)
    command.set_defaults(command=_on_settings(backfill.backfill))

    command = commands.add_parser("status", help="show how a running server does")
    status.add_arguments(command)
    command.set_defaults(command=_on_settings(status.status))

    command = commands.add_parser("watch", help="draw candles of a running server")
    watch.add_arguments(command)
    command.set_defaults(command=_on_settings(watch.watch))

    command = commands.add_parser("audit", help="compare what is stored with the trades")
    audit.add_arguments(command)
    command.set_defaults(command=_on_settings(audit.audit))

    command = commands.add_parser("reconcile", help="compare candles with the exchange's own")
    reconcile.add_arguments(command)
    command.set_defaults(command=_on_settings(reconcile.reconcile))

    command = commands.add_parser("key", help="make, list and revoke API keys")
    key.add_arguments(command)
    command.set_defaults(command=_key)
    command = commands.add_parser("backup", help="copy the store while it is in use")
    backup.add_arguments(command)
    command.set_defaults(command=_on_settings(backup.backup))

    command = commands.add_parser("restore", help="make the store of a backup")
    restore.add_arguments(command)
    command.set_defaults(command=_on_settings(restore.restore))

    command = commands.add_parser(
        "check-config", help="print the effective settings, and those that are doubtful"
    )
    command.set_defaults(command=_on_settings(check_config.check_config))

    command = commands.add_parser("doctor", help="try exchange, clock, disk, store and port")
    command.set_defaults(command=_on_settings(doctor.doctor))
    command = commands.add_parser("jobs", help="list, follow or cancel the jobs of a server")
    jobs.add_arguments(command)
    command.set_defaults(command=_on_settings(jobs.jobs))

    command = commands.add_parser("mock", help="serve an AsyncAPI document by its examples")
    asyncapi_server.mock.command.add_arguments(command)
    command.set_defaults(command=asyncapi_server.mock.command.run)
    return program


def _serve(options: argparse.Namespace) -> int:
    # Connexion imports a test client that warns of its own dependency.
    warnings.filterwarnings("ignore", message="Using `httpx`")
    from server.serve import serve

    loaded = settings.load()
    log_to_stderr(loaded.log_level, loaded.log_format, loaded.secrets)
    return _finish(serve(loaded, options.simulator.split()))


def _key(options: argparse.Namespace) -> int:
    loaded = settings.load()
    log_to_stderr("WARNING", loaded.log_format, loaded.secrets)
    return key.key(loaded, options)


def _on_settings(
    work: Callable[[settings.Settings, argparse.Namespace], Coroutine[Any, Any, Exit]],
) -> Callable[[argparse.Namespace], int]:
    """Wrap `work` as a command that loads the settings."""

    def command(options: argparse.Namespace) -> int:
        loaded = settings.load()
        log_to_stderr("WARNING", loaded.log_format, loaded.secrets)
        return _finish(work(loaded, options))

    return command


def _finish(work: Coroutine[Any, Any, Exit]) -> Exit:
    """Run the work of a command; SIGTERM cancels it, unless it installs its own handler."""
    try:
        return _run(_cancelled_by_sigterm(work))
    except BaseExceptionGroup as group:
        raise _first(group) from group
    except asyncio.CancelledError:
        return Exit.TERMINATED


async def _cancelled_by_sigterm(work: Coroutine[Any, Any, Exit]) -> Exit:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # it runs in a task
    with contextlib.suppress(NotImplementedError):  # on Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
