"""`candlecast backup`: copies the store to a new directory of the backups."""

from __future__ import annotations

import argparse

from generated.native.facts import JobKind
from ingest.pipeline.jobs.request import Request
from server.exits import Exit
from server.settings import Settings

from .work import add_server_arguments, work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_server_arguments(parser)


async def backup(settings: Settings, options: argparse.Namespace) -> Exit:
    """Back up, or have the server do so; prints the directory of the backup."""
    return await work(settings, Request(kind=JobKind.BACKUP), options)
