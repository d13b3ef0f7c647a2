"""Calls to the store that are retried until they succeed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

from ingest.binance.now import host_ms
from ingest.core.errors import StoreUnavailable
from ingest.storage import AsyncStore

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 4.0

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class StoreCall(Protocol):
    """A way to call the store: `Retry`, or `once`."""

    async def __call__(
        self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a call."""


async def once(call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a call, or its error."""
    return await call(*args, **kwargs)


class Retry:
    """Retries calls to one store: `await retry(store.trades.insert, batch)`."""

    def __init__(self, store: AsyncStore) -> None:
        self.store = store
        self.failing_since_ms: int | None = None
        """By this machine's clock; None while the store answers."""

    async def __call__(
        self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a call.

        An error other than StoreUnavailable is logged in full and retried as well: to give up
        would end the server, to go on would lose what the call was for.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                result = await call(*args, **kwargs)
            except Exception as error:
                known = isinstance(error, StoreUnavailable)
                log.warning(
                    "The store fails, trying again in %.1f s: %s", pause, error, exc_info=not known
                )
                if self.failing_since_ms is None:
                    self.failing_since_ms = host_ms()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self.failing_since_ms = None
                return result
