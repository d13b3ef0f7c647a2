"""Kraken's API on the server's port: its two WebSocket servers, and the REST beside them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.kraken.account import Account
from handlers.kraken.candles import Candles
from handlers.kraken.errors import Json, error_policy
from handlers.kraken.market import Market
from handlers.kraken.pairs import Pairs
from handlers.kraken.quotes import Quotes
from handlers.kraken.rest import Rest, system_status
from handlers.kraken.subscriptions import Subscriptions
from handlers.kraken.tickers import Tickers
from handlers.kraken.tokens import Tokens
from handlers.kraken.trades import Trades
from ingest.pipeline.provider import Provider
from server.edge.access import CLIENT_ADDRESS
from server.edge.headers import expect_nothing
from server.envelope import JSON
from server.settings import Settings
from wsrouter import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Hub,
    Router,
    encode,
    load_document,
)

SPECS = Path(__file__).parent.parent / "specs" / "kraken"
ADDRESS = "/"
"""The one channel of both documents."""
PUBLIC, PRIVATE = "public", "private"
"""The servers by their names in the documents."""
PATHS = {PUBLIC: "/kraken", PRIVATE: "/kraken-auth"}

HEARTBEAT = encode({"event": "heartbeat"})
HEARTBEAT_SECONDS = 1.0
"""A connection to which nothing was sent for so long gets a heartbeat."""
BEAT_SECONDS = 0.25
TICK_SECONDS = 1.0
CONNECTION_ID_BITS = 53


class Kraken:
    """Both servers and what feeds them; `run` keeps them going until it is cancelled."""

    def __init__(
        self,
        provider: Provider,
        settings: Settings,
        bounds: EndpointSettings,
        *,
        contracts: Mapping[str, Contract] | None = None,
        check_messages: bool = False,
    ) -> None:
        """`contracts` are those of the documents in `specs/` unless told otherwise.

        With `check_messages`, for tests, whatever goes out is held to them.
        """
        contracts = contracts or load_contracts()
        self._provider = provider
        self._hub = Hub()
        self._version = contracts[PUBLIC].version
        self._status = system_status(provider)
        pairs = Pairs(tuple(provider.feeds), provider.listing.markets)
        self.quotes = Quotes(provider, settings.feed_stream_url, pairs, self._hub)
        self.candles = Candles(provider, pairs, self._hub)
        self._tickers = Tickers(provider, self.quotes, pairs, self._hub)
        self._subscriptions = Subscriptions(
            {
                "trade": Trades(provider, pairs, self._hub),
                "ohlc": self.candles,
                "ticker": self._tickers,
                "spread": self.quotes,
            },
            pairs,
            self._hub,
        )
        tokens = Tokens(settings.kraken_api_key, settings.kraken_token_seconds)
        self._account = Account(tokens, contracts[PRIVATE].servers[PUBLIC].address)
        market = Market(
            self._subscriptions,
            pairs,
            settings.subscriptions_per_connection,
            contracts[PUBLIC].servers[PRIVATE].address,
        )
        self._sent: WeakKeyDictionary[Connection, tuple[int, float]] = WeakKeyDictionary()
        self._rest = Rest(provider, pairs, tokens)
        routers = {
            server: Router(
                contracts[server],
                ADDRESS,
                handlers,
                error_reply=error_policy(
                    {message.name for message in contracts[server].channel(ADDRESS).sends}
                ),
                server=server,
                check_outgoing=check_messages,
            )
            for server, handlers in ((PUBLIC, market), (PRIVATE, self._account))
        }
        if check_messages:
            self._hub.check = routers[PUBLIC].check_sent
        self._endpoints = {
            server: Endpoint(
                router,
                settings=bounds,
                on_connect=self._tell_status,
                on_disconnect=self._ended,
                client_ip=lambda request: request[CLIENT_ADDRESS],
            )
            for server, router in routers.items()
        }

    @property
    def websockets(self) -> Mapping[str, Handler]:
        """The handler of each WebSocket path; clients may write a slash after it."""
        return {
            path + slash: self._endpoints[server].handle
            for server, path in PATHS.items()
            for slash in ("", "/")
        }

    def add_routes(self, app: web.Application) -> None:
        """Put the REST requests on an application."""
        rest = self._rest
        for method, name, answer in (
            ("GET", "public/AssetPairs", lambda r: rest.get_asset_pairs(r.query.get("pair"))),
            ("GET", "public/Time", lambda _: rest.get_time()),
            ("GET", "public/SystemStatus", lambda _: rest.get_system_status()),
            (
                "POST",
                "private/GetWebSocketsToken",
                lambda r: rest.get_websockets_token(r.headers.get("API-Key", "")),
            ),
        ):
            path = f"{PATHS[PUBLIC]}/0/{name}"
            app.router.add_route(method, path, _answering(answer), expect_handler=expect_nothing)

    async def run(self) -> None:
        """Tell subscribers what changes, and every connection that it lives."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(), name="kraken tick")
                group.create_task(self._beat(), name="kraken heartbeats")
        finally:
            await self.quotes.stop()

    async def close(self, code: int, reason: str) -> None:
        """Close every connection."""
        await asyncio.gather(
            *(endpoint.close_all(code, reason) for endpoint in self._endpoints.values())
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._tickers.tick()
            status = system_status(self._provider)
            if status != self._status:
                self._status = status
                for connection in self._connections():
                    self._tell_status(connection)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = clock()
            silent = [each for each in self._connections() if self._is_silent(each, now)]
            self._hub.broadcast(silent, HEARTBEAT, "heartbeat")

    def _is_silent(self, connection: Connection, now: float) -> bool:
        """Whether a heartbeat is due, which is then taken as sent."""
        count = connection.messages_sent
        known, since = self._sent.get(connection, (-1, now))
        if known == count and now - since >= HEARTBEAT_SECONDS:
            self._sent[connection] = count + 1, now
            return True
        if known != count:
            self._sent[connection] = count, now
        return False

    def _connections(self) -> list[Connection]:
        return [
            connection
            for endpoint in self._endpoints.values()
            for connection in endpoint.connections.values()
        ]

    def _tell_status(self, connection: Connection) -> None:
        number = connection.data.setdefault("connectionID", secrets.randbits(CONNECTION_ID_BITS))
        connection.send(
            {
                "connectionID": number,
                "event": "systemStatus",
                "status": self._status,
                "version": self._version,
            }
        )

    def _ended(self, connection: Connection) -> None:
        self._subscriptions.drop(connection)
        self._account.drop(connection)


def load_contracts() -> dict[str, Contract]:
    """The contracts of the documents in `specs/kraken/`, by the server that each is for."""
    return {
        server: Contract.from_document(load_document(SPECS / f"{server}.asyncapi.yaml"))
        for server in PATHS
    }


def _answering(answer: Callable[[web.Request], Json]) -> Handler:
    """An aiohttp handler that answers with a body in Kraken's envelope."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=encode(answer(request)), content_type=JSON)

    return handle
