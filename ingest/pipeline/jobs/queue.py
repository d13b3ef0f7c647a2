"""The jobs of a server: one at a time, the others in the order in which they were asked for.

What is known of each is in the store, so that a job which was cut short is taken up again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from generated.native.facts import JobKind, JobState
from ingest.binance.now import host_ms
from ingest.core.errors import (
    CandlecastError,
    JobLimit,
    JobOver,
    SettingError,
    StoreUnavailable,
    UnknownJob,
)
from ingest.pipeline.retry import Retry

from .auditing import audit
from .backfilling import backfill
from .backing_up import backup
from .means import Means
from .reconciling import reconcile
from .request import Memo, Report, Request

MAX_WAITING = 20
"""Jobs that wait for their turn."""
KEPT = 100
"""Jobs that are over and still listed, the newest."""
MAX_LINES = 10_000
"""Lines of what was found that are kept of a job; all are counted."""
STORE_AWAY_SECONDS = 5.0
"""A job whose store does not answer is taken up again after so long."""

WORK: dict[JobKind, Callable[[Request, Means, Report, Memo], Awaitable[bool]]] = {
    JobKind.BACKFILL: backfill,
    JobKind.AUDIT: audit,
    JobKind.RECONCILE: reconcile,
    JobKind.BACKUP: backup,
}

log = logging.getLogger(__name__)


class Loaded(msgspec.Struct):
    """The progress of one symbol."""

    symbol: str
    total: int = 0
    stored: int = 0
    fetched_bytes: int = 0
    done: bool = False


class Job(msgspec.Struct):
    """A job, and what is known of it."""

    job_id: int
    request: Request
    created_ms: int
    state: JobState = JobState.QUEUED
    started_ms: int | None = None
    ended_ms: int | None = None
    taken_up: int = 0
    """How often it was taken up again after a restart."""
    progress: list[Loaded] = []
    status: str | None = None
    error: str | None = None
    is_wrong_use: bool = False
    """Whether the error is one of what was asked for."""
    found: bool = False
    """Whether anything was found that is not as it should be."""
    lines: int = 0
    """How many lines of it are in the store."""
    lines_given: int = 0
    """How many it has given, those that are not there yet among them."""
    left_out: int = 0
    """How many are not, for there were too many."""
    memo: Memo = msgspec.field(default_factory=Memo)
    revision: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Jobs:
    """The jobs of one server; `run` does them until it is cancelled."""

    def __init__(self, means: Means, retry: Retry) -> None:
        self._means = means
        self._retry = retry
        self._notes = retry.store.jobs
        self._jobs: dict[int, Job] = {}
        self._new_lines: dict[int, list[str]] = {}
        """Lines that are not in the store yet, by job."""
        self._is_known = asyncio.Event()
        self._has_queued = asyncio.Event()
        self._working: tuple[int, asyncio.Task[bool]] | None = None

    async def run(self) -> None:
        """Take up what was cut short, and do one job after another."""
        decode = msgspec.json.Decoder(Job).decode
        for job in map(decode, await self._retry(self._notes.all)):
            self._jobs[job.job_id] = job
            if not job.is_over:
                job.taken_up += job.state is JobState.RUNNING
                job.state, job.lines_given = JobState.QUEUED, job.lines
                await self._retry(self._notes.cut, job.job_id, job.lines)
        self._is_known.set()
        while True:
            self._has_queued.clear()
            if (next_job := self._next()) is None:
                await self._has_queued.wait()
                continue
            await self._do(next_job)
            await self._forget_old()

    async def submit(self, request: Request) -> Job:
        """Ask for work. Raises JobLimit, StoreUnavailable."""
        await self._is_known.wait()
        waiting = sum(job.state is JobState.QUEUED for job in self._jobs.values())
        if waiting >= MAX_WAITING:
            raise JobLimit(MAX_WAITING)
        job = Job(max(self._jobs, default=0) + 1, request, host_ms())
        self._jobs[job.job_id] = job
        try:
            await self._note(job)
        except BaseException:
            del self._jobs[job.job_id]
            raise
        self._has_queued.set()
        return job

    async def listed(self, limit: int) -> Sequence[Job]:
        """The newest jobs, the newest first."""
        await self._is_known.wait()
        return [self._jobs[number] for number in sorted(self._jobs, reverse=True)[:limit]]

    async def one(self, job_id: int) -> Job:
        """A job. Raises UnknownJob."""
        await self._is_known.wait()
        if job_id not in self._jobs:
            raise UnknownJob(job_id)
        return self._jobs[job_id]

    async def lines(self, job: Job, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """The first lines of a job after one of them. Raises StoreUnavailable."""
        new, stored = list(self._new_lines.get(job.job_id, ())), job.lines
        found: list[tuple[int, str]] = []
        if after < stored:
            found = await self._notes.lines(job.job_id, after, min(limit, stored - after))
        first = max(after, stored)
        rest = enumerate(new[first - stored :], first + 1)
        return [*found, *rest][:limit]

    async def cancel(self, job_id: int) -> Job:
        """End a job; what it has done stays. Raises UnknownJob, JobOver, StoreUnavailable."""
        job = await self.one(job_id)
        if job.is_over:
            raise JobOver(job_id, job.state.value)
        self._end(job, JobState.CANCELLED)
        if self._working is not None and self._working[0] == job_id:
            self._working[1].cancel()
        await self._note(job)
        return job

    def _next(self) -> Job | None:
        queued = (job for job in self._jobs.values() if job.state is JobState.QUEUED)
        return min(queued, key=lambda job: job.job_id, default=None)

    async def _do(self, job: Job) -> None:
        """Do a job, until it is over or this is cancelled."""
        job.state, job.started_ms = JobState.RUNNING, job.started_ms or host_ms()
        await self._retry(self._note, job)
        report = _JobReport(job, self._new_lines.setdefault(job.job_id, []), self._keep)
        work = asyncio.create_task(_work(job, self._means, report), name=f"job {job.job_id}")
        self._working = job.job_id, work
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait([work])
            raise
        finally:
            self._working = None
        if job.state is JobState.RUNNING:
            self._conclude(job, work)
        if job.state is JobState.QUEUED:  # the store was away
            del self._new_lines[job.job_id]
            job.lines_given = job.lines
            await self._retry(self._notes.cut, job.job_id, job.lines)
            await asyncio.sleep(STORE_AWAY_SECONDS)
            return
        await self._retry(self._keep, job)
        del self._new_lines[job.job_id]
        log.info("Job %d (%s) is %s", job.job_id, job.request.kind.value, job.state.value)

    def _conclude(self, job: Job, work: asyncio.Task[bool]) -> None:
        """Note how the work of a job has ended."""
        error = _first(work.exception()) if not work.cancelled() else None
        if error is None and not work.cancelled():
            job.found = work.result()
            self._end(job, JobState.DONE)
        elif isinstance(error, StoreUnavailable):
            log.warning("Job %d waits for the store: %s", job.job_id, error)
            job.state = JobState.QUEUED
        else:
            known = isinstance(error, CandlecastError)
            if not known:
                log.error("Job %d has failed", job.job_id, exc_info=error)
            job.error = str(error) if known else "A fault of the server; its log says more"
            job.is_wrong_use = isinstance(error, SettingError)
            self._end(job, JobState.FAILED)

    def _end(self, job: Job, state: JobState) -> None:
        job.state, job.ended_ms, job.status = state, host_ms(), None

    async def _keep(self, job: Job) -> None:
        """Keep what a job has found, and then how far it has come."""
        new = self._new_lines.get(job.job_id, [])
        count = len(new)
        if count:
            await self._notes.add_lines(job.job_id, job.lines + 1, new[:count])
            job.lines += count
            del new[:count]
        await self._note(job)

    async def _note(self, job: Job) -> None:
        job.revision += 1
        record = msgspec.json.encode(job).decode()
        await self._notes.note(job.job_id, job.revision, record)

    async def _forget_old(self) -> None:
        over = sorted(number for number, job in self._jobs.items() if job.is_over)
        if old := over[:-KEPT]:
            await self._retry(self._notes.forget, old)
            for number in old:
                del self._jobs[number]


async def _work(job: Job, means: Means, report: Report) -> bool:
    return await WORK[job.request.kind](job.request, means, report, job.memo)


def _first(error: BaseException | None) -> BaseException | None:
    """The first of grouped errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _JobReport(Report):
    """Writes down how the work of a job goes."""

    def __init__(self, job: Job, lines: list[str], keep: Callable[[Job], Awaitable[None]]) -> None:
        self._job = job
        self._lines = lines
        self._keep = keep
        done = set(job.memo.done)
        job.progress = [each for each in job.progress if each.symbol in done]

    def planned(self, symbol: str, trades: int) -> None:
        self._job.progress.append(Loaded(symbol, trades))

    def stored(self, symbol: str, trades: int) -> None:
        self._of(symbol).stored += trades

    def fetched(self, symbol: str, size: int) -> None:
        self._of(symbol).fetched_bytes += size

    def ended(self, symbol: str, trades: int) -> None:
        for each in self._job.progress:
            if each.symbol == symbol:
                each.stored, each.done = trades, True

    def line(self, text: str) -> None:
        if self._job.lines + len(self._lines) < MAX_LINES:
            self._add(text)
        else:
            self._job.left_out += 1

    def note(self, text: str) -> None:
        if self._job.lines + len(self._lines) < 2 * MAX_LINES:
            self._add(text)

    def status(self, text: str) -> None:
        self._job.status = text

    async def keep(self) -> None:
        await self._keep(self._job)

    def _add(self, text: str) -> None:
        self._lines.append(text)
        self._job.lines_given = self._job.lines + len(self._lines)

    def _of(self, symbol: str) -> Loaded:
        return next(each for each in reversed(self._job.progress) if each.symbol == symbol)
