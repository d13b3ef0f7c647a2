"""Binance's API, joined: its REST operations and its streams, at the root."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

import generated.binance
from asyncapi_server import Contract, Endpoint, EndpointSettings, Hub, Router, Subscriptions
from generated.binance import facts
from generated.binance.stream import MODELS, STREAM_ADDRESSES, StreamSends
from handlers.binance.errors import error_form, error_reply
from handlers.binance.rest.general import General
from handlers.binance.rest.market import Market
from handlers.binance.rest.tickers import Tickers as TickerRows
from handlers.binance.stream import messages, names
from handlers.binance.stream.agg_trades import AggTrades
from handlers.binance.stream.book_tickers import BookTickers
from handlers.binance.stream.fan import ByForm, Fan
from handlers.binance.stream.klines import KlineStreams
from handlers.binance.stream.names import Topic
from handlers.binance.stream.requests import Requests
from handlers.binance.stream.seconds import Seconds
from handlers.binance.stream.tickers import Tickers
from ingest.pipeline.provider import Provider

CONTRACT = Contract.from_json(
    (Path(generated.binance.__file__).parent / "stream_contract.json").read_bytes()
)
SENDS: StreamSends = messages
"""Fulfils the protocol: the type check names a message without a maker, and so does the start."""
RAW, ONE, COMBINED = STREAM_ADDRESSES
SEVERAL = "/ws/{streams:.*}"
"""The route of names after the first address, joined by slashes."""
TICK_SECONDS = 1.0


class Binance:
    """REST and streams; `run` publishes until it is cancelled."""

    document = "binance.openapi.json"
    """The REST document, of those in `generated/`."""
    name = "binance"
    error_form = staticmethod(error_form)
    passes_unknown_parameters = False
    used_header = facts.USED_WEIGHT_HEADER

    def __init__(
        self,
        provider: Provider,
        requests_per_minute: int,
        streams_per_connection: int,
        bounds: EndpointSettings,
        client_ip: Callable[[web.Request], str],
        *,
        check_messages: bool = False,
    ) -> None:
        """`requests_per_minute` are those that one address may make. With `check_messages`, for
        tests, whatever goes out is held to the documents."""
        view, quotes, clock = provider.view, provider.quotes, provider.clock
        general = General(provider, requests_per_minute)
        self.operations: tuple[object, ...] = (general, Market(view), TickerRows(view, quotes))
        """Objects with a method for each operation of the REST document."""
        self.hub = hub = Hub()
        fan = Fan(hub)
        self._klines = KlineStreams(view, clock, fan)
        self._seconds = Seconds(view, clock, fan)
        self._tickers = Tickers(view, quotes, hub, fan)
        tickers = ByForm(self._tickers)
        sources = {
            names.AGG_TRADE: ByForm(AggTrades(view, clock, fan)),
            names.KLINE: ByForm(self._klines),
            names.SECOND_KLINE: ByForm(self._seconds),
            names.MINI_TICKER: tickers,
            names.DAY_TICKER: tickers,
            names.BOOK_TICKER: ByForm(BookTickers(quotes, fan)),
        }
        subscriptions: Subscriptions[Topic] = Subscriptions(
            hub,
            lambda topic: sources[topic.stream.kind],
            lambda *failure: requests.refuse(*failure),
        )
        requests = Requests(view, subscriptions, streams_per_connection)
        self.routers = {
            address: Router(
                CONTRACT,
                address,
                requests,
                error_reply=error_reply,
                models=MODELS,
                sends=SENDS,
                check_outgoing=check_messages,
            )
            for address in STREAM_ADDRESSES
        }
        self._endpoints = {
            address: Endpoint(router, settings=bounds, hub=hub, client_ip=client_ip)
            for address, router in self.routers.items()
        }
        for endpoint in self._endpoints.values():
            endpoint.on_connect.append(requests.connected)
        handlers = {address: each.handle for address, each in self._endpoints.items()}
        self.websockets: Mapping[str, Handler] = {**handlers, SEVERAL: handlers[RAW]}
        """The handler of each WebSocket path."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Those of its WebSocket paths."""
        return [*self._endpoints.values()]

    async def run(self) -> None:
        """Publish changes until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._klines.tick()
            self._seconds.tick()
            await self._tickers.tick()

    async def close(self, code: int, reason: str, over_seconds: float = 0.0) -> None:
        """Close every connection, spread evenly over some seconds."""
        await asyncio.gather(
            *(
                endpoint.close_all(code, reason, over_seconds=over_seconds)
                for endpoint in self._endpoints.values()
            )
        )
