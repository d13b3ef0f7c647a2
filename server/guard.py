"""Follows the files of keys and of the certificate, and ends connections that lack a good key."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from asyncapi_server import Connection
from server.edge.callers import KeyCallers
from server.edge.certificates import Certificate

GUARD_SECONDS: Final = 1.0
KEY_SECONDS: Final = 10.0
"""How long a connection may take to present a key that it needs."""
POLICY_VIOLATION: Final = 1008
ENDED: Final = "the key has expired or been revoked"
LATE: Final = "no key was presented in time"

log = logging.getLogger(__name__)


class Guard:
    """Looks at the files, and at every connection, each second."""

    def __init__(
        self,
        callers: KeyCallers,
        connections: Callable[[], Collection[Connection]],
        certificate: Certificate | None,
    ) -> None:
        self._callers = callers
        self._certificate = certificate
        self._connections = connections
        self._ending: dict[Connection, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Guard until cancelled."""
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            if self._certificate is not None:
                self._certificate.refresh()
            if not self._callers.has_file:
                continue
            self._callers.refresh()
            self._ending = {one: task for one, task in self._ending.items() if not task.done()}
            for connection in self._connections():
                why = self._why(connection)
                if why and connection not in self._ending:
                    self._ending[connection] = asyncio.create_task(_end(connection, why))

    def _why(self, connection: Connection) -> str:
        """Why a connection ends; "" if it does not."""
        if self._callers.has_ended(connection.request):
            return ENDED
        is_late = time.time() - connection.connected_at > KEY_SECONDS
        return LATE if is_late and not self._callers.may_read(connection.request) else ""


async def _end(connection: Connection, why: str) -> None:
    log.info("%s is closed: %s", connection, why)
    try:
        await connection.close(POLICY_VIOLATION, why)
    except Exception:
        log.exception("%s could not be closed", connection)
