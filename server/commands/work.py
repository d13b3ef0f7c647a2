"""Work on the store: by the server that has it open, else by the command itself."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack
from pathlib import Path

from generated.native.facts import JobKind
from ingest.core.errors import SettingError
from ingest.pipeline.jobs.means import Means
from ingest.pipeline.jobs.queue import WORK
from ingest.pipeline.jobs.request import Memo, Request
from ingest.storage import AsyncStore
from server.exits import Exit
from server.presence import Presence, running
from server.settings import Settings
from server.store import opened_store

from .own import session
from .resources import opened_exchange
from .served import Served, follow
from .shown import shown

DIRECTORY = Path("data/archive")


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that a server may do."""
    parser.add_argument(
        "--url", metavar="URL",
        help="a server that does it (the one that has the embedded store open)",
    )  # fmt: skip
    parser.add_argument(
        "--detach", action="store_true",
        help="let the server do it and end; `candlecast jobs` shows how it goes",
    )  # fmt: skip


async def work(
    settings: Settings, request: Request, options: argparse.Namespace, directory: Path | None = None
) -> Exit:
    """Do it, or have it done; FOUND when something is missing or different.

    The archive's files go to the directory until they are stored, where one is named.
    """
    server = Presence(options.url.rstrip("/"), "") if options.url else running(settings)
    if server is not None:
        if directory is not None:
            raise SettingError(
                f"The server at {server.url} does the work, and keeps the archive's files where it "
                "has its data: leave --directory out"
            )
        async with session(settings, is_own=not options.url) as asking:
            served = Served(asking, server)
            job_id = (await served.submit(request)).job_id
            if options.detach:
                print(f"Job {job_id}: see `candlecast jobs follow {job_id}`")  # noqa: T201
                return Exit.DONE
            return await follow(served, job_id, request.kind)
    if options.detach:
        raise SettingError("No server has the store open to go on with it: leave --detach out")
    return await _alone(settings, request, directory or DIRECTORY)


async def _alone(settings: Settings, request: Request, directory: Path) -> Exit:
    async with AsyncExitStack() as stack:
        is_asked = request.kind in (JobKind.BACKFILL, JobKind.RECONCILE)
        rest = await stack.enter_async_context(opened_exchange(settings, is_asked=is_asked))
        store = await stack.enter_async_context(opened_store(settings))
        means = Means(
            AsyncStore(store),
            rest,
            settings.feed_archive_url,
            directory,
            settings.backups_directory,
            settings.symbols,
            settings.keep_trades,
            settings.confirm_seconds,
        )
        report = stack.enter_context(shown(request.kind))
        return Exit.found(await WORK[request.kind](request, means, report, Memo()))
