"""`candlecast jobs`: lists, follows and cancels the jobs of a running server."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from generated.native.models import Job
from ingest.core.moment import moment
from server.exits import Exit
from server.presence import Presence, running
from server.settings import Settings

from .own import own_url, session
from .served import Served, follow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--url", metavar="URL", help="the server's address (that of this machine)")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    actions.add_parser("list", help="list the newest jobs")
    for name, words in (
        ("follow", "show a job until it is over; Ctrl-C lets it go on"),
        ("cancel", "end a job; what it has done stays"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("job_id", type=int, metavar="ID", help="the number of the job")


async def jobs(settings: Settings, options: argparse.Namespace) -> Exit:
    """List jobs, or follow or cancel one; a job that is followed gives its own exit status."""
    server = running(settings)
    if options.url or server is None:
        url = (options.url or own_url(settings)).rstrip("/")
        server = Presence(url, "")
    async with session(settings, is_own=not options.url) as asking:
        served = Served(asking, server)
        if options.action == "follow":
            job = (await served.page(options.job_id, 0)).job
            return await follow(served, options.job_id, job.kind, cancels=False)
        output = Console(highlight=False, soft_wrap=True)
        if options.action == "cancel":
            await served.cancel(options.job_id)
            output.print(f"Job {options.job_id} is cancelled; what it has done stays", markup=False)
            return Exit.DONE
        _print(output, await served.listed())
        return Exit.DONE


def _print(output: Console, found: list[Job]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("ID", "KIND", "STATE", "SYMBOLS", "SINCE", "PROGRESS"):
        table.add_column(name, no_wrap=True)
    for job in found:
        table.add_row(
            *(str(job.job_id), job.kind.value, job.state.value, job.symbols or "all"),
            *(moment(job.created_at), _progress(job)),
        )
    output.print(table if found else "No jobs")


def _progress(job: Job) -> str:
    """How far it has come, in words."""
    if job.error is not None:
        return job.error
    if job.progress:
        stored = sum(each.stored for each in job.progress)
        total = sum(each.total for each in job.progress)
        return f"{stored:,} of {total:,} trades"
    return job.status or ""
