"""Jobs of a server, as commands ask for them and follow them."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import aiohttp
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from generated.native.facts import JobKind, JobState
from generated.native.models import (
    ErrorEnvelope,
    Job,
    JobEnvelope,
    JobListEnvelope,
    JobPage,
    JobPageEnvelope,
)
from generated.native.rest import BASE_PATH
from ingest.core.errors import CandlecastError, SettingError
from ingest.pipeline.jobs.request import Report, Request
from server.exits import Exit
from server.presence import Presence

from .faults import NoServer, fault
from .shown import shown

ANSWER_SECONDS = 30.0
REFRESH_SECONDS = 0.25
LISTED = 200
"""Jobs that are listed: all that a server keeps."""
OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})

T = TypeVar("T")


class Served:
    """The jobs of one server."""

    def __init__(self, session: aiohttp.ClientSession, server: Presence) -> None:
        self.server = server
        self._session = session

    async def submit(self, request: Request) -> Job:
        """Ask for a job."""
        query = {
            "kind": request.kind.value,
            "symbols": request.symbols,
            "start_time": request.start_ms,
            "end_time": request.end_ms,
            "source": request.source.value if request.source else None,
            "timeframe": request.timeframe,
            "repair": "true" if request.repair else None,
        }
        return (await self._ask("POST", "", JobEnvelope, query)).data

    async def listed(self) -> list[Job]:
        """The newest jobs, the newest first."""
        return (await self._ask("GET", "", JobListEnvelope, {"limit": LISTED})).data

    async def page(self, job_id: int, after: int) -> JobPage:
        """A job with lines that come after one."""
        return (await self._ask("GET", f"/{job_id}", JobPageEnvelope, {"after": after})).data

    async def cancel(self, job_id: int) -> Job:
        """End a job."""
        return (await self._ask("DELETE", f"/{job_id}", JobEnvelope, {})).data

    async def _ask(self, method: str, path: str, kind: type[T], query: dict[str, Any]) -> T:
        """An answer. Raises NoServer, SettingError for what cannot be asked, CandlecastError."""
        url = f"{self.server.url}{BASE_PATH}/admin/jobs{path}"
        given = {name: str(value) for name, value in query.items() if value is not None}
        try:
            async with self._session.request(
                method,
                url,
                params=given,
                headers=self.server.headers,
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            ) as reply:
                body, status = await reply.read(), reply.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoServer(f"No answer from {self.server.url}: {fault(error)}") from error
        try:
            if status < 300:
                return TypeAdapter(kind).validate_json(body)
            refused = TypeAdapter(ErrorEnvelope).validate_json(body).error
        except ValidationError:
            raise NoServer(
                f"{self.server.url} does not answer as a Candlecast of this version"
            ) from None
        raise SettingError(refused) if status == 400 else CandlecastError(refused)


async def follow(served: Served, job_id: int, kind: JobKind, *, cancels: bool = True) -> Exit:
    """Show a job until it is over; with `cancels` who interrupts this cancels it."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with shown(kind) as report:
            job = await _followed(served, job_id, report)
    except asyncio.CancelledError:
        if not cancels:
            errors.print(f"Job {job_id} goes on", markup=False)
            raise
        await served.cancel(job_id)
        errors.print(f"Job {job_id} is cancelled; what it has done stays", markup=False)
        raise
    except NoServer as error:
        raise NoServer(
            f"{error}. Job {job_id} goes on when the server runs: `candlecast jobs follow {job_id}`"
        ) from error
    if job.state is JobState.CANCELLED:
        raise CandlecastError(f"Job {job_id} was cancelled; what it has done stays")
    if job.error is not None:
        wrong_use = job.exit_status == Exit.WRONG_USE
        raise SettingError(job.error) if wrong_use else CandlecastError(job.error)
    return Exit.found(job.exit_status)


async def _followed(served: Served, job_id: int, report: Report) -> Job:
    """Pass on what a job reports, until it is over."""
    view = _View(report, job_id)
    while True:
        page = await served.page(job_id, view.last_line)
        view.update(page)
        if page.job.state in OVER and view.last_line >= page.job.lines:
            view.end(page.job)
            return page.job
        if len(page.lines) == 0 or page.job.state not in OVER:
            await asyncio.sleep(REFRESH_SECONDS)


class _View:
    """The part of a job that has been passed on."""

    def __init__(self, report: Report, job_id: int) -> None:
        self._report = report
        self._job_id = job_id
        self._stored: dict[str, int] = {}
        self._fetched: dict[str, int] = {}
        self._ended: set[str] = set()
        self._taken_up = 0
        self._status: str | None = None
        self.last_line = 0

    def update(self, page: JobPage) -> None:
        """Pass on what is new."""
        job, report = page.job, self._report
        if job.taken_up > self._taken_up:
            self._taken_up = job.taken_up
            self.last_line = min(self.last_line, job.lines)
        for each in job.progress:
            name = each.symbol
            if name not in self._stored:
                report.planned(name, each.total)
                self._stored[name] = self._fetched[name] = 0
            if each.done:
                if name not in self._ended:
                    self._ended.add(name)
                    report.ended(name, each.stored)
                continue
            if more := each.stored - self._stored[name]:
                report.stored(name, more)
            if more := each.fetched_bytes - self._fetched[name]:
                report.fetched(name, more)
            self._stored[name], self._fetched[name] = each.stored, each.fetched_bytes
        if job.status and job.status != self._status:
            self._status = job.status
            report.status(job.status)
        for line in page.lines:
            report.note(line.text)
            self.last_line = line.id

    def end(self, job: Job) -> None:
        """Say what has no line."""
        if job.lines_left_out:
            self._report.note(f"{job.lines_left_out:,} further differences are not listed")
