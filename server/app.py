"""The whole server on one port: builds, connects, starts and stops every part."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from asyncapi_server import Connection, Endpoint, EndpointSettings, Hub
from handlers.binance.api import Binance
from handlers.kraken.api import Kraken, KrakenSettings
from handlers.native.api import Native, StreamSettings
from handlers.native.rest.health import blocking_problems
from handlers.native.rest.monitoring import About
from handlers.problem import ErrorForm
from handlers.udf.api import Udf
from ingest.core.errors import ExchangeError, SettingError, StoreUnavailable
from ingest.pipeline.expiry import Kept
from ingest.pipeline.files import Files
from ingest.pipeline.jobs.means import Means
from ingest.pipeline.jobs.queue import Jobs
from ingest.pipeline.provider import Provider
from ingest.storage import AsyncStore, Store
from server.edge.access import CLIENT_ADDRESS, Access, AccessPolicy
from server.edge.callers import KeyCallers
from server.edge.certificates import Certificate
from server.edge.drain import Drain
from server.edge.origin import OriginPolicy
from server.edge.requests import Requests
from server.edge.sockets import LimitedSite, SocketLimits
from server.guard import Guard
from server.http import build_http
from server.log import KeptLog
from server.metrics.readings import (
    HistogramReading,
    Readings,
    exchange_reading,
    hot_reading,
    stream_reading,
    symbol_readings,
)
from server.metrics.scrape import PATH as METRICS
from server.metrics.scrape import Metrics
from server.presence import Presence, announced
from server.reload import Part
from server.rest.app import RestApi, load_document
from server.rest.dispatch import HandlerFunction
from server.settings import SIMULATOR, Settings
from server.site.pages import load_pages
from server.site.render import render
from server.version import program_version

ROOT = Path(__file__).parent.parent
DOCUMENTS = ROOT / "generated"
SPECS = ROOT / "specs"

CHECK_SYMBOLS_SECONDS = 5.0
SHUTDOWN_SECONDS = 5.0
STORE_SECONDS = 2.0
"""How long a scrape waits for the store."""
GOING_AWAY = (1001, "the server is going away")
"""The close code and reason of every connection at shutdown."""

log = logging.getLogger(__name__)


class Api(Protocol):
    """An API over one provider: its routes and its background task."""

    name: str
    """In measures."""
    document: str
    """The file name of its bundled REST document."""
    passes_unknown_parameters: bool
    used_header: str
    """The header that says how many requests a client has used; empty where there is none."""

    @property
    def operations(self) -> Sequence[object]:
        """Objects with a method for each operation of the document."""

    @property
    def error_form(self) -> ErrorForm:
        """The form of its REST errors."""

    @property
    def websockets(self) -> Mapping[str, Handler]:
        """The handler of each WebSocket path."""

    @property
    def hub(self) -> Hub | None:
        """The subscriptions of its streams; None where it has none."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Those of its WebSocket paths."""

    async def run(self) -> None:
        """Publish until cancelled."""

    async def close(self, code: int, reason: str, over_seconds: float = 0.0) -> None:
        """Close every connection, spread evenly over some seconds."""


class Server:
    """A provider with its REST and WebSocket APIs, over an open store."""

    def __init__(
        self, settings: Settings, store: Store, kept_log: KeptLog, *, check_messages: bool = False
    ) -> None:
        """With `check_messages`, for tests, everything sent is validated against the documents."""
        self.settings = settings
        self.callers = KeyCallers(settings.keys_file, settings.anonymous)
        self.certificate = _certificate(settings)
        self._drain = Drain()
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
            settings.max_symbols,
        )
        self.jobs = Jobs(_means(settings, store, self.provider), self.provider.retry)
        bounds = EndpointSettings(
            max_message_bytes=settings.max_message_bytes,
            compress=settings.compress,
            messages_per_second=settings.messages_per_second,
            message_burst=settings.message_burst,
        )
        self.native = Native(
            self.provider,
            _about(settings),
            StreamSettings(
                settings.subscriptions_per_connection,
                settings.heartbeat_seconds,
                settings.idle_seconds,
            ),
            bounds,
            _client_ip,
            Files(
                AsyncStore(store),
                self.provider.view,
                settings.files_directory,
                settings.files_megabytes * 1_000_000,
            ),
            self.jobs,
            kept_log,
            self.callers,
            lambda: self._drain.is_on,
            check_messages=check_messages,
        )
        self.apis: list[Api] = [self.native]
        if settings.kraken:
            kraken = Kraken(
                self.provider,
                KrakenSettings(
                    settings.kraken_api_key,
                    settings.kraken_token_seconds,
                    settings.subscriptions_per_connection,
                ),
                bounds,
                _client_ip,
                check_messages=check_messages,
            )
            self.apis.append(kraken)
        if settings.binance:
            binance = Binance(
                self.provider,
                settings.requests_per_minute,
                settings.subscriptions_per_connection,
                bounds,
                _client_ip,
                check_messages=check_messages,
            )
            self.apis.append(binance)
        if settings.udf:
            self.apis.append(Udf(self.provider))
        policy = AccessPolicy(
            whitelist=settings.whitelist,
            trusted_proxies=settings.trusted_proxies,
            requests_per_minute=settings.requests_per_minute,
            burst=settings.request_burst,
            websockets_per_client=settings.websockets_per_ip,
            origins=OriginPolicy(settings.allowed_hosts, settings.allowed_origins),
        )
        self.access = Access(policy, self.callers)
        self.requests = Requests(is_logged=settings.access_log)
        openapi = (DOCUMENTS / self.native.document).read_bytes()
        self.app = build_http(
            self.access,
            list(map(_rest, self.apis)),
            load_pages(openapi, SPECS, render(), DOCUMENTS),
            {
                path: self._drain.guarded(handler)
                for api in self.apis
                for path, handler in api.websockets.items()
            },
            requests=self.requests,
            roots={METRICS: Metrics(self._readings).handle},
            validate_responses=check_messages,
            takes_key_later=list(self.native.websockets),
        )

    @property
    def reloadable(self) -> list[Part]:
        """The parts that take other settings while the server runs."""
        return [
            Part("addresses", frozenset({"whitelist", "trusted_proxies"}), self._admit),
            Part("symbols", frozenset({"symbols"}), self._choose),
            Part("keys", frozenset(), self._reload_files),
        ]

    async def _readings(self) -> Readings:
        """Everything that is measured, as it stands."""
        store = None
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(STORE_SECONDS):
                store = await self.provider.view.stored.statistics()
        durations = self.requests.durations
        return Readings(
            build={
                "version": program_version(),
                "python": platform.python_version(),
                "feed": self.settings.feed,
                "store": self.settings.store_backend,
            },
            is_ready=not blocking_problems(self.provider),
            symbols=symbol_readings(self.provider),
            streams=[
                stream_reading(api.name, api.hub, api.endpoints)
                for api in self.apis
                if api.hub is not None
            ],
            exchange=exchange_reading(self.provider),
            requests={key: HistogramReading.of(each) for key, each in durations.items()},
            ticks=HistogramReading.of(self.native.ticks),
            store=store,
            hot=hot_reading(self.provider),
        )

    async def _admit(self, settings: Settings) -> None:
        self.access.admit(settings.whitelist, settings.trusted_proxies)

    async def _reload_files(self, _: Settings) -> None:
        """Read the keys and the certificate again; each reports by itself what is wrong with it."""
        self.callers.reload()
        if self.certificate is not None:
            self.certificate.reload()

    async def _choose(self, settings: Settings) -> None:
        await self.provider.following.choose(settings.symbols)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve; yields the base URL. On exit clients are notified and received trades stored."""
        settings = self.settings
        await self._check_symbols()
        runner = web.AppRunner(
            self.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False
        )
        await runner.setup()
        per_client = max(SocketLimits.per_client, 2 * settings.websockets_per_ip)
        limits = SocketLimits(total=max(SocketLimits.total, 2 * per_client), per_client=per_client)
        site = LimitedSite(
            runner,
            settings.host,
            settings.port,
            self.native.error_form,
            limits,
            self.access.trusts,
            self.requests,
            self.certificate.context if self.certificate is not None else None,
        )
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
                guard = Guard(self.callers, self._connections, self.certificate)
                running.append(group.create_task(guard.run(), name="guard"))
                running.append(group.create_task(self.jobs.run(), name="jobs"))
                running += [
                    group.create_task(api.run(), name=type(api).__name__) for api in self.apis
                ]
                url = _base_url(runner, settings)
                try:
                    with announced(settings, Presence(url, self.callers.own_key)):
                        yield url
                finally:
                    await asyncio.gather(*(api.close(*GOING_AWAY) for api in self.apis))
                    for task in running:
                        task.cancel()
        finally:
            await runner.cleanup()

    def _connections(self) -> list[Connection]:
        return [
            connection
            for api in self.apis
            for endpoint in api.endpoints
            for connection in endpoint.connections.values()
        ]

    async def drain(self) -> None:
        """Prepare for the end: not ready any more, no new connections, and the open ones closed.

        Their closes are spread over the setting's seconds, in which requests are answered as ever.
        """
        self._drain.is_on = True
        seconds = self.settings.drain_seconds
        await asyncio.gather(
            asyncio.sleep(seconds),
            *(api.close(*GOING_AWAY, over_seconds=seconds) for api in self.apis),
        )

    async def _check_symbols(self) -> None:
        """Fail the startup when the exchange answers that it has none of the symbols."""
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


def _means(settings: Settings, store: Store, provider: Provider) -> Means:
    return Means(
        AsyncStore(store),
        provider.rest,
        settings.feed_archive_url,
        settings.archive_directory,
        settings.backups_directory,
        settings.symbols,
        settings.keep_trades,
        settings.confirm_seconds,
        provider.beside,
    )


def _client_ip(request: web.Request) -> str:
    address: str = request[CLIENT_ADDRESS]
    return address


def _rest(api: Api) -> RestApi:
    handlers: dict[str, HandlerFunction] = {
        name: getattr(owner, name)
        for owner in api.operations
        for name in dir(owner)
        if not name.startswith("_")
    }
    document = load_document(DOCUMENTS / api.document)
    return RestApi(
        document, handlers, api.error_form, api.passes_unknown_parameters, api.used_header
    )


def _about(settings: Settings) -> About:
    return About(
        version=program_version(),
        feed_name=settings.feed,
        is_simulated=settings.feed == SIMULATOR,
        rest_url=settings.feed_rest_url,
        stream_url=settings.feed_stream_url,
        store_backend=settings.store_backend,
        settings=settings.public(),
    )


def _certificate(settings: Settings) -> Certificate | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_cert, settings.tls_key)


def _base_url(runner: web.AppRunner, settings: Settings) -> str:
    host, port = settings.host, runner.addresses[0][1]
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
