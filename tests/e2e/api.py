"""A server over REST, as a test asks it."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp

from tests.e2e.client import FIELDS


class Api:
    """A server over REST."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self._session = session

    async def ask(self, path: str, method: str = "GET", **query: str) -> tuple[int, Any]:
        """The status and body of an answer."""
        url = f"{self.url}/api/v1/{path}"
        async with self._session.request(method, url, params=query) as reply:
            return reply.status, json.loads(await reply.text(), parse_float=Decimal)

    async def get(self, path: str) -> Any:
        """The data of an answer that succeeds."""
        status, body = await self.ask(path)
        assert status == 200, body
        return body["data"]

    async def submit(self, **query: str) -> int:
        """Submit a job; its number."""
        status, body = await self.ask("admin/jobs", "POST", **query)
        assert status == 200, body
        job_id: int = body["data"]["job_id"]
        return job_id

    async def job(self, job_id: int) -> Any:
        """One job."""
        return (await self.get(f"admin/jobs/{job_id}"))["job"]

    async def until_stored(self, job_id: int) -> Any:
        """A job that has stored something, and is not over."""
        async with asyncio.timeout(120):
            job = None
            while job is None or not any(each["stored"] for each in job["progress"]):
                await asyncio.sleep(0.02)
                listed = await self.get("admin/jobs")
                job = next((each for each in listed if each["job_id"] == job_id), None)
        assert job["state"] == "running", job
        return job

    async def until_over(self, job_id: int, seconds: float = 240) -> Any:
        """A job that has ended, however."""
        async with asyncio.timeout(seconds):
            while (job := await self.job(job_id))["ended_at"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return job

    async def until_complete(self) -> None:
        """Wait until every symbol is complete."""
        async with asyncio.timeout(120):
            while (await self.ask("monitoring/ready"))[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def candles(
        self, symbol: str, timeframe: int, start: int, end: int
    ) -> list[dict[str, Any]]:
        """The candles that begin in a span, as the fields of `FIELDS`."""
        query = f"timeframe={timeframe}&start_time={start}&end_time={end - 1}&limit=10000"
        found = await self.get(f"data/candles/{symbol}?{query}")
        whole = ("candle_time", "trades_count")
        return [
            {name: row[name] if name in whole else Decimal(row[name]) for name in FIELDS}
            for row in found
        ]
