"""Requests on the streams, and the streams that the address of a connection names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast
from weakref import WeakKeyDictionary

from aiohttp import web

from asyncapi_server import Connection, Fault, FaultKind, Refusal, Subscriptions
from generated.binance import facts
from generated.binance.models import (
    Done,
    GetProperty,
    ListSubscriptions,
    PropertyValue,
    SetProperty,
    Subscribe,
    SubscriptionList,
    Unsubscribe,
)
from generated.binance.stream import StreamHandlers
from generated.native.facts import DataQuality
from handlers.binance.stream.names import (
    MICROSECOND,
    MILLISECOND,
    Form,
    NotServed,
    Topic,
    stream_of,
)
from handlers.failure import log_failure
from ingest.pipeline.view import MarketView

COMBINED = "combined"
"""The only property."""
INVALID = str(facts.REQUEST_ERROR_CODE_INVALID)


class Requests(StreamHandlers[Connection]):
    """The five methods."""

    def __init__(self, view: MarketView, subscriptions: Subscriptions[Topic], limit: int) -> None:
        """A connection may have up to `limit` streams."""
        self._view = view
        self._subscriptions = subscriptions
        self._limit = limit
        self._forms: WeakKeyDictionary[Connection, Form] = WeakKeyDictionary()

    def connected(self, connection: Connection) -> None:
        """Subscribe a new connection to the streams of its address."""
        request = cast(web.Request, connection.request)
        is_combined = request.path.rstrip("/") == "/stream"
        unit = request.query.get("timeUnit", "").upper()
        self._forms[connection] = Form(
            is_combined, MICROSECOND if unit == "MICROSECOND" else MILLISECOND
        )
        # A plus sign in a query stands for a blank, unless it is escaped.
        text = request.query.get("streams", "").replace(" ", "+")
        names = (text if is_combined else request.path.removeprefix("/ws")).split("/")
        for refused in self._add(connection, (name for name in names if _is_stream(name))):
            connection.fault(Fault(FaultKind.REFUSED, refused, code=INVALID))

    async def on_subscribe(self, connection: Connection, message: Subscribe) -> Done:
        """Subscribe to the streams that are served; refuses once for all others."""
        refused = list(self._add(connection, message.params))
        if refused:
            raise Refusal(INVALID, "; ".join(refused))
        return Done(result=None, id=message.id)

    async def on_unsubscribe(self, connection: Connection, message: Unsubscribe) -> Done:
        """Leave streams."""
        left = set(message.params)
        for topic in list(self._subscriptions.of(connection)):
            if topic.stream.name in left:
                self._subscriptions.remove(connection, topic)
        return Done(result=None, id=message.id)

    async def on_list_subscriptions(
        self, connection: Connection, message: ListSubscriptions
    ) -> SubscriptionList:
        """The streams, and those of them that are silent."""
        streams = [topic.stream for topic in self._subscriptions.of(connection)]
        states = {each.name: self._view.status(each.symbol).quality for each in streams}
        silent = {n: s.value for n, s in states.items() if s is not DataQuality.COMPLETE}
        found = {"result": [each.name for each in streams], "id": message.id}
        return SubscriptionList.model_validate({**found, "silent": silent} if silent else found)

    async def on_set_property(self, connection: Connection, message: SetProperty) -> Done:
        """Change the form of the messages."""
        name, value = message.params
        _check_property(name)
        if not isinstance(value, bool):
            code = str(facts.REQUEST_ERROR_CODE_NO_BOOLEAN)
            raise Refusal(code, "Invalid value type: expected Boolean")
        form = self._forms[connection]
        if form.is_combined is not value:
            self._forms[connection] = other = form._replace(is_combined=value)
            for topic in list(self._subscriptions.of(connection)):
                self._subscriptions.replace(connection, topic, topic._replace(form=other))
        return Done(result=None, id=message.id)

    async def on_get_property(self, connection: Connection, message: GetProperty) -> PropertyValue:
        """The form of the messages."""
        _check_property(message.params[0])
        return PropertyValue(result=self._forms[connection].is_combined, id=message.id)

    def refuse(self, connection: Connection, topic: Topic, error: Exception) -> None:
        """Send the error that a subscription has ended because its data could not be had."""
        log_failure(topic, error)
        text = f"{topic.stream.name}: it cannot be read now: subscribe again"
        connection.fault(Fault(FaultKind.REFUSED, text, code=INVALID))

    def _add(self, connection: Connection, names: Iterable[str]) -> Iterator[str]:
        """Subscribe to the streams that are served; yields why others are not."""
        form, symbols = self._forms[connection], self._view.symbols
        for name in dict.fromkeys(names):
            try:
                topic = Topic(stream_of(name, symbols), form)
            except NotServed as error:
                yield str(error)
                continue
            if self._subscriptions.has(connection, topic):
                continue
            if len(self._subscriptions.of(connection)) >= self._limit:
                yield f"{name}: a connection has at most {self._limit} streams"
                continue
            self._subscriptions.start(connection, topic)


def _is_stream(name: str) -> bool:
    """Whether a part of an address asks for a stream; some clients number their connections."""
    return "@" in name or name.startswith("!")


def _check_property(name: object) -> None:
    if name != COMBINED:
        code = str(facts.REQUEST_ERROR_CODE_UNKNOWN_PROPERTY)
        raise Refusal(code, f"Unknown property: the only one is {COMBINED}")
