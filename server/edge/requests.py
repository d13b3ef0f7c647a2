"""Requests that were answered: their measures, and their lines in the log."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from ingest.core.durations import Durations
from server.edge.access import CLIENT_ADDRESS
from server.edge.route import route_of

ACCESS_LOGGER: Final = "candlecast.access"
SWITCHING: Final = 101
"""The status of a request that has become a WebSocket connection."""
BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

log = logging.getLogger(ACCESS_LOGGER)


class Requests(AbstractAccessLogger):
    """Notes each request when its response has been written, or its connection has ended.

    aiohttp calls it, also for what was no request; with `is_logged` it writes lines.
    """

    def __init__(self, *, is_logged: bool) -> None:
        super().__init__(log, "")
        self.is_logged = is_logged
        """Whether `begin` has to be called."""
        self._durations: defaultdict[tuple[str, int], Durations] = defaultdict(_durations)

    @property
    def durations(self) -> Mapping[tuple[str, int], Durations]:
        """How long requests took, by the template of their route and the class of their status."""
        return self._durations

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Note a request that took so many seconds."""
        is_connection = response.status == SWITCHING
        if not is_connection:
            self._durations[route_of(request), response.status // 100].note(time)
        if self.is_logged and log.isEnabledFor(logging.INFO):
            _write("closed" if is_connection else "", request, response, time)

    async def begin(self, request: web.Request, response: web.StreamResponse) -> None:
        """Log that a connection begins; listens to `on_response_prepare`."""
        if response.status == SWITCHING and log.isEnabledFor(logging.INFO):
            _write("opened", request, response, 0.0)


def _durations() -> Durations:
    return Durations(BOUNDS_S)


def _write(
    event: str, request: web.BaseRequest, response: web.StreamResponse, seconds: float
) -> None:
    client = request.get(CLIENT_ADDRESS, request.remote or "")
    path, milliseconds = request.rel_url.raw_path, round(seconds * 1000, 3)
    fields = {
        "method": request.method,
        "path": path,
        "status": response.status,
        "client": client,
        "milliseconds": milliseconds,
    }
    if event:
        log.info("WebSocket %s %s %s", event, path, client, extra={**fields, "event": event})
        return
    size = 0 if request.method == "HEAD" else response.body_length
    log.info(
        "%s %s %d, %d bytes in %s ms for %s",
        *(request.method, path, response.status, size, milliseconds, client),
        extra={**fields, "bytes": size},
    )
