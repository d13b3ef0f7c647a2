"""A running server, asked over REST for all that `status` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from pydantic import TypeAdapter, ValidationError

from generated.native.models import (
    Health,
    Readiness,
    SystemInfo,
    TickerSummary,
    WebSocketStatus,
    WeightStatistics,
)
from generated.native.rest import BASE_PATH

from .faults import NoServer, fault
from .overview import Overview

UNAVAILABLE: Final = 503
NULL: Final = msgspec.Raw(b"null")


class Part(NamedTuple):
    """A part of the answer: its path and its type, and whether it is the `data` of an envelope."""

    path: str
    kind: TypeAdapter[Any]
    is_enveloped: bool = True


PARTS: Final[Mapping[str, Part]] = {
    "readiness": Part("monitoring/ready", TypeAdapter(Readiness), is_enveloped=False),
    "health": Part("monitoring/health", TypeAdapter(Health), is_enveloped=False),
    "tickers": Part("tickers/", TypeAdapter(list[TickerSummary])),
    "weight": Part("admin/coordinators/weight", TypeAdapter(WeightStatistics)),
    "websocket": Part("admin/websocket/status", TypeAdapter(WebSocketStatus)),
}
INFO: Final = Part("monitoring/system/info", TypeAdapter(SystemInfo))


class Answer(NamedTuple):
    """The parts as JSON, digit for digit as they came, and what they say."""

    texts: Mapping[str, msgspec.Raw]
    overview: Overview


class Asked:
    """A server at a base URL."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self._session = session
        self._info: msgspec.Raw | None = None
        """Kept, for the store is asked for it, and what is shown of it stays."""

    async def answer(self) -> Answer:
        """Ask for all parts at once; raises NoServer."""
        try:
            if self._info is None:
                self._info = await self._info_if_there()
            found = await asyncio.gather(*map(self._get, PARTS.values()))
            texts = dict(zip(PARTS, found, strict=True))
            parts = {name: PARTS[name].kind.validate_json(bytes(texts[name])) for name in PARTS}
            info = INFO.kind.validate_json(bytes(self._info)) if self._info else None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._info = None
            raise NoServer(fault(error)) from error
        except (msgspec.DecodeError, ValidationError) as error:
            self._info = None
            raise NoServer("it does not answer as a Candlecast of this version") from error
        return Answer({**texts, "info": self._info or NULL}, Overview(self.url, info, **parts))

    async def _info_if_there(self) -> msgspec.Raw | None:
        """The version and the feed; None while the store does not answer."""
        try:
            return await self._get(INFO)
        except aiohttp.ClientResponseError as error:
            if error.status != UNAVAILABLE:
                raise
            return None

    async def _get(self, part: Part) -> msgspec.Raw:
        async with self._session.get(f"{self.url}{BASE_PATH}/{part.path}") as reply:
            if part.is_enveloped or reply.status != UNAVAILABLE:
                reply.raise_for_status()
            body = await reply.read()
        if part.is_enveloped:
            return msgspec.json.decode(body, type=_Envelope).data
        return msgspec.Raw(body)


class _Envelope(msgspec.Struct):
    data: msgspec.Raw
