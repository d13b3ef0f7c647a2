"""HTTP sessions with the exchange."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import aiohttp


class SessionClient(ABC):
    """A client with one session, which is made when it is first needed."""

    _made: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session."""
        if self._made is None:
            self._made = self._make_session()
        return self._made

    @abstractmethod
    def _make_session(self) -> aiohttp.ClientSession:
        """A session with the timeouts and limits of this client."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; requests that run fail."""
        if self._made is not None:
            await self._made.close()
