"""The own API, joined: its stream over one endpoint, and its REST operations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from asyncapi_server import (
    Contract,
    Endpoint,
    EndpointSettings,
    Hub,
    Router,
    Subscriptions,
)
from generated import native
from generated.native.stream import MODELS, STREAM_ADDRESS, StreamSends
from handlers.keys import Callers
from handlers.native import messages
from handlers.native.connections import Connections
from handlers.native.errors import error_form, error_reply, on_failure
from handlers.native.log import Log
from handlers.native.requests import Requests
from handlers.native.rest.admin import Admin
from handlers.native.rest.auth import Auth
from handlers.native.rest.candles import Candles
from handlers.native.rest.files import FilesOfPeriods
from handlers.native.rest.jobs import WorkOnStore
from handlers.native.rest.monitoring import About, Monitoring
from handlers.native.rest.tickers import Tickers
from handlers.native.rest.trades import Trades
from handlers.native.tickers import AllSymbols, LiveTickers
from handlers.native.updates import Updates
from ingest.core.durations import Durations
from ingest.pipeline.files import Files
from ingest.pipeline.jobs.queue import Jobs
from ingest.pipeline.pair import Pair
from ingest.pipeline.provider import Provider

CONTRACT = Path(native.__file__).parent / "stream_contract.json"
SENDS: StreamSends = messages
"""Fulfils the protocol: the type check names a message without a maker, and so does the start."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How the stream treats its clients."""

    subscriptions_per_connection: int
    heartbeat_seconds: float
    idle_seconds: float


class Native:
    """The own API; `run` publishes until it is cancelled."""

    document = "openapi.json"
    """The REST document, of those in `generated/`."""
    name = "candlecast"
    error_form = staticmethod(error_form)
    passes_unknown_parameters = False
    used_header = ""

    def __init__(
        self,
        provider: Provider,
        about: About,
        settings: StreamSettings,
        bounds: EndpointSettings,
        client_ip: Callable[[web.Request], str],
        files: Files,
        jobs: Jobs,
        log: Log,
        callers: Callers,
        is_draining: Callable[[], bool],
        *,
        check_messages: bool = False,
    ) -> None:
        """With `check_messages`, for tests, whatever goes out is held to the document."""
        self._settings = settings
        contract, hub = Contract.from_json(CONTRACT.read_bytes()), Hub()
        self.hub = hub
        self._updates = updates = Updates(provider.view, hub)
        subscriptions: Subscriptions[Pair] = Subscriptions(hub, lambda _: updates, on_failure)
        self._tickers = tickers = LiveTickers(provider, hub)
        all_symbols: Subscriptions[AllSymbols] = Subscriptions(hub, lambda _: tickers, on_failure)
        provider.view.on_complete.append(lambda symbol: subscriptions.renew(updates.pairs(symbol)))
        router = Router(
            contract,
            STREAM_ADDRESS,
            Requests(
                provider.view,
                subscriptions,
                all_symbols,
                callers,
                settings.subscriptions_per_connection,
            ),
            models=MODELS,
            error_reply=error_reply,
            sends=SENDS,
            check_outgoing=check_messages,
        )
        self.endpoint = endpoint = Endpoint(router, settings=bounds, hub=hub, client_ip=client_ip)
        self._connections = Connections(
            endpoint, hub, lambda each: bool(subscriptions.of(each) or all_symbols.of(each))
        )
        self.websockets: Mapping[str, Handler] = {STREAM_ADDRESS: endpoint.handle}
        """The handler of each WebSocket path."""
        self.operations: tuple[object, ...] = (
            Trades(provider.view),
            Candles(provider.view),
            FilesOfPeriods(provider.view, files),
            Tickers(provider),
            Auth(callers),
            Monitoring(provider, self._connections, about, is_draining),
            WorkOnStore(jobs),
            Admin(provider, subscriptions, all_symbols, updates, self._connections, about, log),
        )
        """Objects with a method for each operation of the REST document."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Those of its WebSocket paths."""
        return [self.endpoint]

    @property
    def ticks(self) -> Durations:
        """How long it took to publish a second."""
        return self._updates.ticks

    async def run(self) -> None:
        """Publish updates and heartbeats until cancelled."""
        heartbeat, idle = self._settings.heartbeat_seconds, self._settings.idle_seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(self._updates.run(), name="updates")
            group.create_task(self._tickers.run(), name="tickers")
            group.create_task(self._connections.run_heartbeats(heartbeat, idle), name="heartbeats")

    async def close(self, code: int, reason: str, over_seconds: float = 0.0) -> None:
        """Close every connection, spread evenly over some seconds."""
        await self._connections.close(code, reason, over_seconds)
