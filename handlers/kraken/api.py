"""Kraken's API, joined: its two WebSocket servers, and the REST operations beside them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

import generated.kraken
from asyncapi_server import (
    Connection,
    Contract,
    Endpoint,
    EndpointSettings,
    Hub,
    Router,
    Source,
    Subscriptions,
)
from generated.kraken.facts import MarketFeed
from generated.kraken.private import MODELS as PRIVATE_MODELS
from generated.kraken.private import PRIVATE_ADDRESS, PrivateSends
from generated.kraken.public import MODELS as PUBLIC_MODELS
from generated.kraken.public import PUBLIC_ADDRESS, PublicSends
from generated.kraken.public import VERSION as PUBLIC_VERSION
from handlers.kraken import messages
from handlers.kraken.account import Account
from handlers.kraken.candles import Candles
from handlers.kraken.channels import Channel
from handlers.kraken.errors import error_form, error_reply
from handlers.kraken.market import Market
from handlers.kraken.pairs import Pairs
from handlers.kraken.requests import Requests
from handlers.kraken.rest import Private, Public, system_state
from handlers.kraken.spreads import Spreads
from handlers.kraken.tickers import Tickers
from handlers.kraken.tokens import Tokens
from handlers.kraken.trades import Trades
from ingest.pipeline.provider import Provider

GENERATED = Path(generated.kraken.__file__).parent

PUBLIC, PRIVATE = "public", "private"
"""The servers by their names in the documents."""
CONTRACTS = {
    server: Contract.from_json((GENERATED / f"{server}_contract.json").read_bytes())
    for server in (PUBLIC, PRIVATE)
}
PATHS = {
    server: f"/{CONTRACTS[server].servers[f'{server}Local'].address.partition('/')[2]}"
    for server in CONTRACTS
}
"""The path of each server on this one."""
PUBLIC_SENDS: PublicSends = messages
PRIVATE_SENDS: PrivateSends = messages
"""Fulfil the protocols: the type check names a message without a maker, and so does the start."""

HEARTBEAT_SECONDS = 1.0
"""A connection to which nothing was sent for so long gets a heartbeat."""
BEAT_SECONDS = 0.25
TICK_SECONDS = 1.0
CONNECTION_ID_BITS = 53


@dataclass(frozen=True, slots=True)
class KrakenSettings:
    """How Kraken's API treats its clients."""

    api_key: str
    token_seconds: int
    subscriptions_per_connection: int


class Kraken:
    """Both servers and their sources; `run` publishes until it is cancelled."""

    document = "kraken.openapi.json"
    """The REST document, of those in `generated/`."""
    name = "kraken"
    error_form = staticmethod(error_form)
    passes_unknown_parameters = True
    used_header = ""

    def __init__(
        self,
        provider: Provider,
        settings: KrakenSettings,
        bounds: EndpointSettings,
        client_ip: Callable[[web.Request], str],
        *,
        check_messages: bool = False,
    ) -> None:
        """With `check_messages`, for tests, whatever goes out is held to the documents."""
        self._provider = provider
        self.hub = hub = Hub()
        self._state = system_state(provider)
        pairs = Pairs(provider.feeds.keys(), provider.listing.markets)
        self._candles = Candles(provider.view, pairs, hub)
        self._tickers = Tickers(provider.view, provider.quotes, pairs, hub)
        sources: Mapping[MarketFeed, Source[Channel]] = {
            MarketFeed.TRADE: Trades(provider.view, pairs, hub),
            MarketFeed.OHLC: self._candles,
            MarketFeed.TICKER: self._tickers,
            MarketFeed.SPREAD: Spreads(provider.quotes, pairs, hub),
        }
        subscriptions: Subscriptions[Channel] = Subscriptions(
            hub,
            lambda channel: sources[channel.feed],
            lambda *failure: requests.refuse(*failure),
        )
        tokens = Tokens(settings.api_key, settings.token_seconds)
        account = Account(tokens)
        requests = Requests(subscriptions, pairs, settings.subscriptions_per_connection)
        self._sent: WeakKeyDictionary[Connection, tuple[int, float]] = WeakKeyDictionary()
        self._numbers: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()
        self.operations: tuple[object, ...] = (
            Public(provider, pairs),
            Market(provider, pairs),
            Private(tokens),
        )
        """Objects with a method for each operation of the REST document."""
        self.routers = {
            server: Router(
                CONTRACTS[server],
                address,
                handlers,
                error_reply=error_reply,
                models=models,
                sends=sends,
                server=server,
                check_outgoing=check_messages,
            )
            for server, address, handlers, models, sends in (
                (PUBLIC, PUBLIC_ADDRESS, requests, PUBLIC_MODELS, PUBLIC_SENDS),
                (PRIVATE, PRIVATE_ADDRESS, account, PRIVATE_MODELS, PRIVATE_SENDS),
            )
        }
        public = Endpoint(self.routers[PUBLIC], settings=bounds, hub=hub, client_ip=client_ip)
        private = Endpoint(self.routers[PRIVATE], settings=bounds, client_ip=client_ip)
        private.on_disconnect.append(account.drop)
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

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Those of its WebSocket paths."""
        return [*self._endpoints.values()]

    async def run(self) -> None:
        """Publish changes, and heartbeats on every connection, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="kraken tick")
            group.create_task(self._beat(), name="kraken heartbeats")

    async def close(self, code: int, reason: str, over_seconds: float = 0.0) -> None:
        """Close every connection, spread evenly over some seconds."""
        await asyncio.gather(
            *(
                endpoint.close_all(code, reason, over_seconds=over_seconds)
                for endpoint in self._endpoints.values()
            )
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._candles.tick()
            await self._tickers.tick()
            state = system_state(self._provider)
            if state is not self._state:
                self._state = state
                for connection in self._connections():
                    self._send_status(connection)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = clock()
            silent = [each for each in self._connections() if self._is_silent(each, now)]
            self.hub.broadcast(silent, messages.heartbeat(), "heartbeat")

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
        number = self._numbers.setdefault(connection, secrets.randbits(CONNECTION_ID_BITS))
        connection.send(messages.system_status(number, self._state, PUBLIC_VERSION))
