"""The router alone: from the bytes of `subscribe` to the call of its handler."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import orjson
from jsonschema import Draft7Validator
from pydantic import Field, TypeAdapter

from asyncapi_server import Connection, Contract, Fault, Router
from generated.native.models import Ping, Subscribe, Unsubscribe
from generated.native.stream import MODELS, STREAM_ADDRESS

from .child import ROOT
from .figures import Figure, at_most, ratios
from .machine import cores
from .rounds import interleave
from .scale import Scale

MESSAGE = orjson.dumps(
    {
        "action": "subscribe",
        "request_id": "chart-1",
        "subscriptions": [
            {
                "symbol": "BTCUSDT",
                "timeframes": [
                    {"timeframe": 15, "initial_candles": 20},
                    {"timeframe": 173, "initial_candles": 5},
                ],
            },
            {
                "symbol": "ETHUSDT",
                "timeframes": [
                    {"timeframe": 5, "initial_candles": 50},
                    {"timeframe": 120, "initial_candles": 10},
                ],
            },
        ],
    }
)
SECONDS = 0.3
"""The length of each contestant's run in each round."""

Receive = Callable[[bytes], Awaitable[object]]


class Handlers:
    """Handlers that only count."""

    def __init__(self) -> None:
        self.called = 0

    async def on_subscribe(self, _: object, message: object) -> object:
        assert isinstance(message, Subscribe)
        self.called += 1
        return None

    async def on_unsubscribe(self, *_: object) -> object:
        return None

    async def on_ping(self, *_: object) -> object:
        return None


def ours(contract: Contract, handlers: Handlers) -> Receive:
    """The product's router with the product's models."""
    received = [message.name for message in contract.channel(STREAM_ADDRESS).receives]
    router = Router(
        contract,
        STREAM_ADDRESS,
        handlers,
        models={name: MODELS[name] for name in received},
        error_reply=lambda fault: {"text": fault.text},
    )

    async def receive(data: bytes) -> object:
        found = router.receive(data)
        assert not isinstance(found, Fault)
        return await found.handler(cast(Connection, None), found.message)

    return receive


def with_jsonschema(contract: Contract, handlers: Handlers) -> Receive:
    """The usual way with a document: json, jsonschema, then the model."""
    validators = {
        message.name: (Draft7Validator(message.schema), MODELS[message.name])
        for message in contract.channel(STREAM_ADDRESS).receives
    }

    async def receive(data: bytes) -> object:
        payload = json.loads(data)
        name = payload["action"]
        validator, model = validators[name]
        validator.validate(payload)
        handler = getattr(handlers, f"on_{name}")
        return await handler(None, model.model_validate(payload))

    return receive


def with_pydantic(handlers: Handlers) -> Receive:
    """The usual way without a document: pydantic alone selects, validates and builds the model."""
    union = Annotated[Subscribe | Unsubscribe | Ping, Field(discriminator="action")]
    adapter: TypeAdapter[Subscribe | Unsubscribe | Ping] = TypeAdapter(union)
    by_type: dict[type[object], Callable[[object, object], Awaitable[object]]] = {
        Subscribe: handlers.on_subscribe,
        Unsubscribe: handlers.on_unsubscribe,
        Ping: handlers.on_ping,
    }

    async def receive(data: bytes) -> object:
        message = adapter.validate_json(data)
        return await by_type[type(message)](None, message)

    return receive


def run(scale: Scale) -> list[Figure]:
    """CPU microseconds per `subscribe`."""
    document = Path(ROOT, "generated", "native", "stream_contract.json").read_bytes()
    contract = Contract.from_json(document)
    handlers = Handlers()
    contestants = {
        "ours": ours(contract, handlers),
        "json, jsonschema, pydantic": with_jsonschema(contract, handlers),
        "pydantic alone": with_pydantic(handlers),
    }
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores().server})
    gc.collect()
    try:
        values = interleave(
            {
                name: partial(_cost, receive, handlers, scale.pick(SECONDS, 0.1))
                for name, receive in contestants.items()
            },
            scale.pick(9, 3),
        )
    finally:
        os.sched_setaffinity(0, before)
    measure = "CPU per subscribe, bytes to handler"
    return [
        *(
            Figure(measure, name, "µs", costs, at_most(10) if name == "ours" else None)
            for name, costs in values.items()
        ),
        *(
            Figure("CPU, times ours", name, "x", ratios(values[name], values["ours"]))
            for name in contestants
            if name != "ours"
        ),
    ]


def _cost(receive: Receive, handlers: Handlers, seconds: float) -> float:
    called, count = handlers.called, 0
    began = time.process_time()
    while time.process_time() - began < seconds:
        for _ in range(100):
            _run(receive(MESSAGE))
        count += 100
    spent = time.process_time() - began
    assert handlers.called - called == count
    return spent * 1e6 / count


def _run(coroutine: Awaitable[object]) -> None:
    """Run a coroutine that never waits, to measure it without an event loop."""
    assert isinstance(coroutine, Coroutine)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the handler waited")
