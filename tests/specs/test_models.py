"""Models read what the schemas allow, refuse what they refuse, and write what they read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import BaseModel, ValidationError

from asyncapi_server.document.contract import Contract
from generated.native import models
from generated.native.stream import MODELS
from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.generate import GENERATED

CHANNEL = Contract.from_json((GENERATED / "native" / "stream_contract.json").read_bytes()).channel(
    "/ws/stream"
)
REQUESTS = {message.name: message.schema for message in CHANNEL.receives}


def stream_examples() -> Iterator[Any]:
    document: Any = Bundle(STREAM).document
    for name, message in document["components"]["messages"].items():
        for example in message["examples"]:
            yield pytest.param(MODELS[name], example["payload"], id=f"{name}-{example['name']}")


def rest_examples() -> Iterator[Any]:
    document: Any = Bundle(REST).document
    operations = [o for item in document["paths"].values() for o in item.values()]
    responses = [
        *((o["operationId"], r) for o in operations for r in o["responses"].values()),
        *document["components"]["responses"].items(),
    ]
    for owner, response in responses:
        if body := response.get("content", {}).get("application/json"):
            model = getattr(models, body["schema"]["$ref"].rsplit("/", 1)[1])
            for name, example in body["examples"].items():
                yield pytest.param(model, example["value"], id=f"{owner}-{name}")


def plain(value: object) -> object:
    """JSON as the server writes it: decimals as numbers."""
    return float(value) if isinstance(value, Decimal) else NotImplemented


@pytest.mark.parametrize(("model", "example"), [*stream_examples(), *rest_examples()])
def test_an_example_is_read_and_written_as_it_stands(
    model: type[BaseModel], example: object
) -> None:
    dumped = model.model_validate(example).model_dump(exclude_unset=True)
    assert json.loads(json.dumps(dumped, default=plain)) == example


def test_prices_are_decimals_and_times_are_integers() -> None:
    update = models.OhlcvUpdate.model_validate_json(
        '{"type":"ohlcv_update","symbol":"BTCUSDT","timeframe":"15m","data":{"candle_time":0,'
        '"open":43245.1,"high":43267.8,"low":43198.2,"close":43250.50000001,"volume":0.00000001,'
        '"trades_count":1,"taker_buy_volume":0,"taker_sell_volume":0.00000001},"data_status":'
        '{"historical_loading":false,"gap_recovery":false,"data_quality":"complete",'
        '"last_complete_timestamp":null}}'
    )
    assert update.data is not None
    assert update.data.close == Decimal("43250.50000001")
    assert update.data.volume == Decimal("0.00000001")
    assert type(update.data.candle_time) is int


SUBSCRIBE = {
    "action": "subscribe",
    "subscriptions": [{"symbol": "BTCUSDT", "timeframes": [{"timeframe": 15}]}],
}
UNSUBSCRIBE = {
    "action": "unsubscribe",
    "unsubscriptions": [{"symbol": "BTCUSDT", "timeframes": [15]}],
}


def subscribe(**timeframe: object) -> dict[str, object]:
    return {
        "action": "subscribe",
        "subscriptions": [{"symbol": "BTCUSDT", "timeframes": [{"timeframe": 15, **timeframe}]}],
    }


@pytest.mark.parametrize(
    "message",
    [
        SUBSCRIBE,
        UNSUBSCRIBE,
        subscribe(timeframe=15.0),
        subscribe(timeframe=525_600),
        subscribe(initial_candles=0),
        subscribe(initial_candles=1000),
        {**SUBSCRIBE, "request_id": "x" * 64},
        {"action": "ping"},
        {"action": "ping", "timestamp": 0},
        {"action": "ping", "timestamp": 1735691100000},
    ],
)
def test_a_good_request_is_taken_by_schema_and_model(message: dict[str, object]) -> None:
    name = str(message["action"])
    assert jsonschema_rs.Draft7Validator(REQUESTS[name]).is_valid(message)
    MODELS[name].model_validate(message)


@pytest.mark.parametrize(
    "message",
    [
        subscribe(timeframe=0),
        subscribe(timeframe=-1),
        subscribe(timeframe=1.5),
        subscribe(timeframe="15"),
        subscribe(timeframe=True),
        subscribe(timeframe=None),
        subscribe(initial_candles=-1),
        subscribe(initial_candles=1001),
        subscribe(initial_candels=20),
        {**SUBSCRIBE, "extra": 1},
        {**SUBSCRIBE, "request_id": ""},
        {**SUBSCRIBE, "request_id": "x" * 65},
        {**SUBSCRIBE, "request_id": 7},
        {**SUBSCRIBE, "action": "Subscribe"},
        {"action": "subscribe"},
        {"action": "subscribe", "subscriptions": []},
        {"action": "subscribe", "subscriptions": [SUBSCRIBE] * 101},
        {"action": "subscribe", "subscriptions": [{"symbol": "BTCUSDT", "timeframes": []}]},
        {"action": "subscribe", "subscriptions": {"symbol": "BTCUSDT"}},
        {"action": "unsubscribe", "unsubscriptions": [{"symbol": "btcusdt", "timeframes": [1]}]},
        {"action": "unsubscribe", "unsubscriptions": [{"symbol": "B", "timeframes": [1]}]},
        {"action": "unsubscribe", "unsubscriptions": [{"symbol": "BTC\n", "timeframes": [1]}]},
        {"action": "unsubscribe", "unsubscriptions": [{"symbol": "BTC", "timeframes": [1] * 101}]},
        {"action": "ping", "timestamp": -1},
        {"action": "ping", "timestamp": 2**63},
        {"action": "ping", "timestamp": "1735691100000"},
    ],
)
def test_a_near_miss_is_refused_by_schema_and_model(message: dict[str, object]) -> None:
    name = str(message["action"]).lower()
    assert not jsonschema_rs.Draft7Validator(REQUESTS[name]).is_valid(message)
    with pytest.raises(ValidationError):
        MODELS[name].model_validate(message)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 1002),
    st.sampled_from([2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 10**40]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 1000).map(float),
    st.text(max_size=3),
    st.sampled_from(["BTCUSDT", "A" * 20, "A" * 21, "btcusdt", "B", "BTC USDT", "ÄÖÜ", "BT٣"]),
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The valid value, and one time in eight another one."""
    return st.integers(0, 7).flatmap(lambda n: good if n else scalars)


def entries(action: str, timeframe: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Requests that list timeframes, each part valid or nearly so."""
    entry = st.fixed_dictionaries(
        {
            "symbol": mostly(st.just("BTCUSDT")),
            "timeframes": mostly(st.lists(timeframe, min_size=1, max_size=2)),
        }
    )
    return st.fixed_dictionaries(
        {
            "action": st.just(action),
            f"{action.removesuffix('be')}ptions": mostly(st.lists(entry, min_size=1, max_size=2)),
        },
        optional={"request_id": mostly(st.just("a"))},
    )


minutes = mostly(st.sampled_from([1, 173, 15.0, 525_601]))
subscriptions = entries(
    "subscribe",
    st.fixed_dictionaries(
        {"timeframe": minutes}, optional={"initial_candles": mostly(st.just(5)), "note": scalars}
    ),
)
requests = st.one_of(
    subscriptions,
    entries("unsubscribe", minutes),
    st.fixed_dictionaries(
        {"action": st.just("ping")}, optional={"timestamp": scalars, "request_id": scalars}
    ),
)


@given(message=requests)
def test_schema_and_model_give_the_same_verdict(message: dict[str, Any]) -> None:
    """Except for null in an optional field, which a model cannot distinguish from absence."""
    name = message["action"]
    verdict = jsonschema_rs.Draft7Validator(REQUESTS[name]).is_valid(message)
    try:
        MODELS[name].model_validate(message)
        accepted = True
    except ValidationError:
        accepted = False
    optional_null = any(message.get(key, 0) is None for key in ("request_id", "timestamp"))
    assert accepted == verdict or (accepted and optional_null)


@given(message=requests)
def test_the_fast_validator_and_the_reference_give_the_same_verdict(
    message: dict[str, Any],
) -> None:
    schema = REQUESTS[message["action"]]
    fast = jsonschema_rs.Draft7Validator(schema).is_valid(message)
    reference = Draft7Validator(schema).is_valid(message)
    # Python's `$` also matches before a trailing line break.
    assert fast == reference or '\\n"' in json.dumps(message)
