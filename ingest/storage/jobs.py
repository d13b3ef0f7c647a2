"""The work that was asked of a server: what is known of each job, and the lines that it gave."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .connection import Connection


class JobNotes:
    """The tables `jobs` and `job_lines`.

    A cluster spreads their rows over its shards, so the newest is chosen when they are read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, job_id: int, revision: int, record: str) -> None:
        """Note what is known of a job; of several revisions the highest counts."""
        self._connection.note(
            "INSERT INTO jobs SELECT {job_id:UInt64}, {revision:UInt64}, {record:String}",
            {"job_id": job_id, "revision": revision, "record": record},
        )

    def all(self) -> list[str]:
        """The newest record of each job, the oldest job first."""
        rows = self._connection.rows(
            "SELECT argMax(record, revision) FROM jobs GROUP BY job_id ORDER BY job_id"
        )
        return [str(record) for (record,) in rows]

    def add_lines(self, job_id: int, first: int, texts: Sequence[str]) -> None:
        """Add lines to a job, numbered from the first on; to do it again changes nothing."""
        self._connection.note(
            "INSERT INTO job_lines SELECT {job_id:UInt64}, row.1, row.2 FROM (SELECT arrayJoin("
            "arrayZip({numbers:Array(UInt64)}, {texts:Array(String)})) AS row)",
            {
                "job_id": job_id,
                "numbers": list(range(first, first + len(texts))),
                "texts": list(texts),
            },
        )

    def lines(self, job_id: int, after: int, limit: int) -> list[tuple[int, str]]:
        """The first lines of a job with numbers above one, in order."""
        rows = self._connection.rows(
            "SELECT number, any(text) FROM job_lines WHERE job_id = {job_id:UInt64}"
            " AND number > {after:UInt64} GROUP BY number ORDER BY number LIMIT {limit:UInt32}",
            {"job_id": job_id, "after": after, "limit": limit},
        )
        return [(int(number), str(text)) for number, text in rows]

    def cut(self, job_id: int, last: int) -> None:
        """Take out the lines of a job after one of them."""
        self._connection.command(
            f"DELETE FROM {self._connection.layout.changed('job_lines')}"  # noqa: S608  # a constant
            " WHERE job_id = {job_id:UInt64} AND number > {last:UInt64}",
            {"job_id": job_id, "last": last},
        )

    def forget(self, job_ids: Collection[int]) -> None:
        """Forget jobs and their lines."""
        for table in ("job_lines", "jobs"):
            self._connection.command(
                f"DELETE FROM {self._connection.layout.changed(table)}"  # noqa: S608  # a constant
                " WHERE has({jobs:Array(UInt64)}, job_id)",
                {"jobs": list(job_ids)},
            )
