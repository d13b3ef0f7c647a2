"""Kraken's API, joined: its two WebSocket servers, and the REST operations beside them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

import specs
from handlers.kraken.account import Account
from handlers.kraken.candles import Candles
from handlers.kraken.channels import Channel
from handlers.kraken.errors import error_policy
from handlers.kraken.pairs import Pairs
from handlers.kraken.quotes import Quotes
from handlers.kraken.requests import Requests
from handlers.kraken.rest import Rest, system_status
from handlers.kraken.tickers import Tickers
from handlers.kraken.tokens import Tokens
from handlers.kraken.trades import Trades
from ingest.pipeline.provider import Provider
from wsrouter import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Hub,
    Router,
    Source,
    Subscriptions,
    encode,
    load_document,
)

SPECS = Path(next(iter(specs.__path__))) / "kraken"
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


@dataclass(frozen=True, slots=True)
class KrakenSettings:
    """How Kraken's API treats its clients."""

    stream_url: str
    """Where the exchange's quotes come from."""
    api_key: str
    token_seconds: int
    subscriptions_per_connection: int


class Kraken:
    """Both servers and their sources; `run` publishes until it is cancelled."""

    def __init__(
        self,
        provider: Provider,
        settings: KrakenSettings,
        bounds: EndpointSettings,
        client_ip: Callable[[web.Request], str],
        *,
        contracts: Mapping[str, Contract] | None = None,
        check_messages: bool = False,
    ) -> None:
        """`contracts` are those of the documents in `specs/` unless others are given.

        With `check_messages`, for tests, whatever goes out is held to them.
        """
        contracts = contracts or load_contracts()
        self._provider = provider
        self._hub = hub = Hub()
        self._version = contracts[PUBLIC].version
        self._status = system_status(provider)
        pairs = Pairs(tuple(provider.feeds), provider.listing.markets)
        self.quotes = Quotes(provider, settings.stream_url, pairs, hub)
        self._candles = Candles(provider.view, pairs, hub)
        self._tickers = Tickers(provider.view, self.quotes, pairs, hub)
        sources: Mapping[str, Source[Channel]] = {
            "trade": Trades(provider.view, pairs, hub),
            "ohlc": self._candles,
            "ticker": self._tickers,
            "spread": self.quotes,
        }
        subscriptions: Subscriptions[Channel] = Subscriptions(
            hub,
            lambda channel: sources[channel.feed],
            lambda connection, channel: requests.refuse(connection, channel),
        )
        tokens = Tokens(settings.api_key, settings.token_seconds)
        self._account = Account(tokens, contracts[PRIVATE].servers[PUBLIC].address)
        requests = Requests(
            subscriptions,
            pairs,
            settings.subscriptions_per_connection,
            contracts[PUBLIC].servers[PRIVATE].address,
        )
        self._sent: WeakKeyDictionary[Connection, tuple[int, float]] = WeakKeyDictionary()
        self.rest = Rest(provider, pairs, tokens)
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
            for server, handlers in ((PUBLIC, requests), (PRIVATE, self._account))
        }
        public = Endpoint(routers[PUBLIC], settings=bounds, hub=hub, client_ip=client_ip)
        private = Endpoint(routers[PRIVATE], settings=bounds, client_ip=client_ip)
        private.on_disconnect.append(self._account.drop)
        self._endpoints = {PUBLIC: public, PRIVATE: private}
        for endpoint in self._endpoints.values():
            endpoint.on_connect.append(self._send_status)

    @property
    def websockets(self) -> Mapping[str, Handler]:
        """The handler of each WebSocket path; clients may write a slash after it."""
        return {
            path + slash: self._endpoints[server].handle
            for server, path in PATHS.items()
            for slash in ("", "/")
        }

    async def run(self) -> None:
        """Publish changes, and heartbeats on every connection, until cancelled."""
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
            self._candles.tick()
            await self._tickers.tick()
            status = system_status(self._provider)
            if status != self._status:
                self._status = status
                for connection in self._connections():
                    self._send_status(connection)

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

    def _send_status(self, connection: Connection) -> None:
        number = connection.data.setdefault("connectionID", secrets.randbits(CONNECTION_ID_BITS))
        connection.send(
            {
                "connectionID": number,
                "event": "systemStatus",
                "status": self._status,
                "version": self._version,
            }
        )


def load_contracts() -> dict[str, Contract]:
    """The contracts of the documents in `specs/kraken/`, by the server that each is for."""
    return {
        server: Contract.from_document(load_document(SPECS / f"{server}.asyncapi.yaml"))
        for server in PATHS
    }
