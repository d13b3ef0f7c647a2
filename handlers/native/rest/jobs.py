"""Work on the store that the server does beside its feeds."""

from __future__ import annotations

from generated.native.facts import JobKind, JobSource, JobState
from generated.native.models import (
    Job,
    JobEnvelope,
    JobLine,
    JobListEnvelope,
    JobPage,
    JobPageEnvelope,
    JobProgress,
)
from generated.native.rest import JobsHandlers
from handlers.native.rest.envelope import envelope
from handlers.native.rest.instants import span_of
from handlers.problem import InvalidParameter
from ingest.core.symbol import Symbols
from ingest.pipeline.jobs import queue
from ingest.pipeline.jobs.request import Request

PROGRESS_SHOWN = 100


class WorkOnStore(JobsHandlers):
    """`/admin/jobs`."""

    def __init__(self, jobs: queue.Jobs) -> None:
        self._jobs = jobs

    async def list_jobs(self, *, limit: int) -> JobListEnvelope:
        """The jobs."""
        jobs = [_shown(job) for job in await self._jobs.listed(limit)]
        return envelope(JobListEnvelope, jobs, f"Retrieved {len(jobs)} jobs")

    async def submit_job(
        self,
        *,
        kind: str,
        symbols: str | None = None,
        start_time: int | str | None = None,
        end_time: int | str | None = None,
        source: str | None = None,
        timeframe: int | None = None,
        repair: bool,
    ) -> JobEnvelope:
        """Ask for a job."""
        start_ms, end_ms = span_of(start_time, end_time)
        request = Request(
            kind=JobKind(kind),
            symbols=symbols,
            start_ms=start_ms,
            end_ms=end_ms,
            source=JobSource(source) if source else None,
            timeframe=timeframe,
            repair=repair,
        )
        _check(request)
        return _envelope(await self._jobs.submit(request))

    async def get_job(self, job_id: int, *, after: int, limit: int) -> JobPageEnvelope:
        """One job."""
        job = await self._jobs.one(job_id)
        shown = _shown(job)  # before its lines: when it says that it is over, they are all there
        lines = [
            JobLine(id=number, text=text)
            for number, text in await self._jobs.lines(job, after, limit)
        ]
        page = JobPage(job=shown, lines=lines)
        return envelope(JobPageEnvelope, page, f"Job {job_id} is {shown.state.value}")

    async def cancel_job(self, job_id: int) -> JobEnvelope:
        """Cancel a job."""
        return _envelope(await self._jobs.cancel(job_id))


def _check(request: Request) -> None:
    """Refuse what the work could not do. Raises InvalidParameter."""
    try:
        chosen = Symbols.parse(request.symbols) if request.symbols else None
    except ValueError as error:
        raise InvalidParameter("query.symbols", f"is not {error}") from None
    has_patterns = chosen is not None and bool(chosen.patterns or chosen.excluded)
    if has_patterns and request.kind is not JobKind.BACKFILL:
        raise InvalidParameter("query.symbols", "has a pattern: write the names themselves")
    if request.kind is JobKind.RECONCILE and (chosen is None or len(chosen.names) != 1):
        raise InvalidParameter("query.symbols", "has to be one symbol")
    needs_start = request.kind in (JobKind.BACKFILL, JobKind.RECONCILE)
    if needs_start and request.start_ms is None:
        raise InvalidParameter("query.start_time", f"is needed for {request.kind.value}")


def _envelope(job: queue.Job) -> JobEnvelope:
    return envelope(JobEnvelope, _shown(job), f"Job {job.job_id} is {job.state.value}")


def _shown(job: queue.Job) -> Job:
    asked = job.request
    return Job(
        job_id=job.job_id,
        kind=asked.kind,
        state=job.state,
        symbols=asked.symbols,
        start_time=asked.start_ms,
        end_time=asked.end_ms,
        source=asked.source.value if asked.source else None,
        timeframe=asked.timeframe,
        repair=asked.repair,
        created_at=job.created_ms,
        started_at=job.started_ms,
        ended_at=job.ended_ms,
        taken_up=job.taken_up,
        progress=[
            JobProgress(
                symbol=each.symbol,
                total=each.total,
                stored=each.stored,
                fetched_bytes=each.fetched_bytes,
                done=each.done,
            )
            for each in job.progress[-PROGRESS_SHOWN:]
        ],
        status=job.status,
        error=job.error,
        exit_status=_exit_status(job),
        lines=job.lines_given,
        lines_left_out=job.left_out,
    )


def _exit_status(job: queue.Job) -> int | None:
    match job.state:
        case JobState.DONE:
            return int(job.found)
        case JobState.FAILED:
            return 2 if job.is_wrong_use else 1
        case JobState.CANCELLED:
            return 1
    return None
