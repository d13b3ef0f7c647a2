"""`GET /metrics`: what Prometheus asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from server.site.pages import only_reading

from .families import families
from .readings import Readings

PATH = "/metrics"


class Metrics:
    """Writes what is read at the time of a request, as text or OpenMetrics."""

    def __init__(self, read: Callable[[], Awaitable[Readings]]) -> None:
        self._read = read
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; thousands of symbols are written in a thread beside the loop."""
        only_reading(request)
        scrape = _Scrape(await self._read(), self._process)
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        text = await asyncio.to_thread(encode, scrape)
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: content_type})


class _Scrape(Collector):
    """The metrics of one request."""

    def __init__(self, readings: Readings, process: Collector) -> None:
        self._readings = readings
        self._process = process

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from families(self._readings)
        yield from self._process.collect()
