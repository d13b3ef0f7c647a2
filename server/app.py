"""The whole server on one port: everything is made, joined, started and ended here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from generated.stream import MODELS, STREAM_ADDRESS
from handlers.admin import Admin
from handlers.candles import Candles
from handlers.monitoring import Monitoring
from handlers.parts import About, Parts, StreamState
from handlers.stream import Stream, error_reply
from handlers.subscriptions import Subscriptions
from handlers.tickers import Tickers
from handlers.trades import Trades
from ingest.core.errors import ExchangeError, SettingError
from ingest.pipeline.expiry import Kept
from ingest.pipeline.provider import Provider
from ingest.storage import Store
from server.broadcast import Broadcast
from server.edge.access import CLIENT_ADDRESS, Access, AccessPolicy
from server.edge.origin import OriginPolicy
from server.edge.sockets import LimitedSite, SocketLimits
from server.http import build_http
from server.kraken import Kraken
from server.operation import HandlerFunction
from server.pages import load_pages
from server.rest import build_rest, load_document
from server.settings import Settings
from server.site import render
from wsrouter import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Fault,
    FaultKind,
    Hub,
    Router,
)

ROOT = Path(__file__).parent.parent
OPENAPI = ROOT / "generated" / "openapi.json"
STREAM_CONTRACT = ROOT / "generated" / "stream_contract.json"
SPECS = ROOT / "specs"

CHECK_SYMBOLS_SECONDS = 5.0
SHUTDOWN_SECONDS = 5.0

log = logging.getLogger(__name__)


class Server:
    """A provider with its REST and WebSocket side, over an open store."""

    def __init__(self, settings: Settings, store: Store, *, check_messages: bool = False) -> None:
        """With `check_messages`, for tests, whatever goes out is held to the documents."""
        self.settings = settings
        self.provider = Provider(
            store,
            settings.feed_rest_url,
            settings.feed_stream_url,
            settings.symbols,
            settings.history_ms,
            Kept(settings.keep_trades, settings.keep_candles),
            settings.confirm_seconds,
            settings.max_materialized,
            settings.materialized_idle_minutes * 60.0,
        )
        contract = Contract.from_json(STREAM_CONTRACT.read_bytes())
        received = contract.channel(STREAM_ADDRESS).receives
        self.hub = Hub()
        self.subscriptions = Subscriptions(self.provider, self.hub)
        handlers = Stream(self.provider, self.subscriptions, settings.subscriptions_per_connection)
        router = Router(
            contract,
            STREAM_ADDRESS,
            handlers,
            models={message.name: MODELS[message.name] for message in received},
            error_reply=error_reply,
            check_outgoing=check_messages,
        )
        if check_messages:
            self.hub.check = router.check_sent
        bounds = EndpointSettings(
            max_message_bytes=settings.max_message_bytes,
            compress=settings.compress,
            messages_per_second=settings.messages_per_second,
            message_burst=settings.message_burst,
        )
        self.endpoint = Endpoint(
            router,
            settings=bounds,
            on_disconnect=self._ended,
            client_ip=lambda request: request[CLIENT_ADDRESS],
        )
        self._state = StreamState(self.endpoint.connections)
        self._parts = Parts(self.provider, self.subscriptions, self._state, _about(settings))
        self._broadcast = Broadcast(
            self.provider,
            self.hub,
            self.endpoint,
            self.subscriptions,
            settings.heartbeat_seconds,
            settings.idle_seconds,
        )
        rest = build_rest(
            load_document(OPENAPI), _rest_handlers(self._parts), validate_responses=check_messages
        )
        policy = AccessPolicy(
            whitelist=settings.whitelist,
            trusted_proxies=settings.trusted_proxies,
            requests_per_minute=settings.requests_per_minute,
            burst=settings.request_burst,
            websockets_per_client=settings.websockets_per_ip,
            origins=OriginPolicy(settings.allowed_hosts, settings.allowed_origins),
        )
        websockets: dict[str, Handler] = {STREAM_ADDRESS: self.endpoint.handle}
        self.kraken: Kraken | None = None
        if settings.kraken:
            self.kraken = Kraken(self.provider, settings, bounds, check_messages=check_messages)
            self._broadcast.on_candles = self.kraken.candles.tell
            websockets.update(self.kraken.websockets)
        self.app = build_http(
            Access(policy),
            rest,
            load_pages(OPENAPI.read_bytes(), SPECS, render(ROOT), OPENAPI.parent),
            websockets,
        )
        if self.kraken is not None:
            self.kraken.add_routes(self.app)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve; gives the base URL. At the end clients are told, and all taken in is stored."""
        settings = self.settings
        await self._check_symbols()
        runner = web.AppRunner(
            self.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False
        )
        await runner.setup()
        per_client = max(SocketLimits.per_client, 2 * settings.websockets_per_ip)
        limits = SocketLimits(total=max(SocketLimits.total, 2 * per_client), per_client=per_client)
        site = LimitedSite(runner, settings.host, settings.port, limits, settings.trusted_proxies)
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self.provider.run(), name="provider")]
                try:
                    await site.start()
                except OSError as error:
                    raise SettingError(
                        f"CANDLECAST_HOST and CANDLECAST_PORT are {settings.host} and "
                        f"{settings.port}, where nothing can listen: {error.strerror or error}"
                    ) from error
                running += [
                    group.create_task(self._updates(), name="updates"),
                    group.create_task(self._heartbeats(), name="heartbeats"),
                ]
                if self.kraken is not None:
                    running.append(group.create_task(self.kraken.run(), name="kraken"))
                try:
                    yield _base_url(runner, settings.host)
                finally:
                    await self._say_goodbye()
                    for task in running:
                        task.cancel()
        finally:
            await runner.cleanup()

    async def _check_symbols(self) -> None:
        """Stop the start when the exchange has none of the symbols, if it can be asked."""
        listing = self.provider.listing
        try:
            async with asyncio.timeout(CHECK_SYMBOLS_SECONDS):
                await listing.ask()
        except (ExchangeError, TimeoutError) as error:
            log.warning(
                "The exchange cannot be asked for the symbols yet: %s", error or "no answer"
            )
        else:
            if not listing.markets:
                await self.provider.rest.close()
                raise SettingError(
                    "The exchange has none of the symbols in CANDLECAST_SYMBOLS: correct it"
                )

    async def _updates(self) -> None:
        self._state.updates_running = True
        try:
            await self._broadcast.run_updates()
        finally:
            self._state.updates_running = False

    async def _heartbeats(self) -> None:
        self._state.heartbeats_running = True
        try:
            await self._broadcast.run_heartbeats()
        finally:
            self._state.heartbeats_running = False

    async def _say_goodbye(self) -> None:
        for connection in list(self.endpoint.connections.values()):
            text = "The server is going away; connect again after a pause"
            connection.fault(Fault(FaultKind.GOING_AWAY, text))
        code, reason = 1001, "the server is going away"
        closing = [self.endpoint.close_all(code, reason)]
        if self.kraken is not None:
            closing.append(self.kraken.close(code, reason))
        await asyncio.gather(*closing)

    def _ended(self, connection: Connection) -> None:
        self._state.ended(connection)
        self.subscriptions.drop(connection)


def _rest_handlers(parts: Parts) -> Mapping[str, HandlerFunction]:
    """Every operation of the REST document by its id."""
    owners = (Trades(parts), Candles(parts), Tickers(parts), Monitoring(parts), Admin(parts))
    return {
        name: getattr(owner, name)
        for owner in owners
        for name in dir(owner)
        if not name.startswith("_")
    }


def _about(settings: Settings) -> About:
    try:
        program = version("candlecast")
    except PackageNotFoundError:
        program = "0+source"
    return About(
        version=program,
        feed_name=settings.feed,
        rest_url=settings.feed_rest_url,
        stream_url=settings.feed_stream_url,
        store_backend=settings.store_backend,
        settings=settings.public(),
    )


def _base_url(runner: web.AppRunner, host: str) -> str:
    port = runner.addresses[0][1]
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
