"""The documents keep the promises that were made to clients before the documents existed.

The tables are written by hand from the promise, not from the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.apis import REST as REST_PATH
from scripts.apis import STREAM as STREAM_PATH
from scripts.bundle import Bundle

REST: Any = Bundle(REST_PATH).document
STREAM: Any = Bundle(STREAM_PATH).document
INT64_MAX = 2**63 - 1

TEXT = ("path", True, "string", None, None, None)
SYMBOL = ("path", True, "string", None, None, None)
JOB = ("path", True, "integer", 1, 2**53 - 1, None)
INSTANT = ("query", False, None, None, None, None)
"""A whole number or text: see its own test."""
CHOICES = {
    "format": ("query", False, "string", None, None, None),
    "decimals": ("query", False, "string", None, None, "decimal128"),
}
ENDPOINTS: Mapping[tuple[str, str], Mapping[str, tuple[object, ...]]] = {
    # name: place, required, type, minimum, maximum, default
    ("get", "/data/trades/{symbol}"): {
        "symbol": SYMBOL,
        "start_time": INSTANT,
        "end_time": INSTANT,
        "limit": ("query", False, "integer", 1, 10000, 1000),
        "from_id": ("query", False, "integer", 0, INT64_MAX, None),
        "cursor": ("query", False, "integer", 0, INT64_MAX, None),
        **CHOICES,
    },
    ("get", "/data/candles/{symbol}"): {
        "symbol": SYMBOL,
        "timeframe": ("query", True, "integer", 1, 525_600, None),
        "start_time": INSTANT,
        "end_time": INSTANT,
        "limit": ("query", False, "integer", 1, 10000, 500),
        "cursor": ("query", False, "integer", 0, INT64_MAX, None),
        **CHOICES,
    },
    ("get", "/data/trades/{symbol}/latest"): {
        "symbol": SYMBOL,
        "limit": ("query", False, "integer", 1, 1000, 100),
        **CHOICES,
    },
    ("get", "/data/files/"): {},
    ("get", "/data/files/candles/{symbol}/{timeframe}"): {"symbol": SYMBOL, "timeframe": TEXT},
    ("get", "/data/files/candles/{symbol}/{timeframe}/{file}"): {
        "symbol": SYMBOL,
        "timeframe": TEXT,
        "file": TEXT,
    },
    ("get", "/data/files/trades/{symbol}"): {"symbol": SYMBOL},
    ("get", "/data/files/trades/{symbol}/{file}"): {"symbol": SYMBOL, "file": TEXT},
    ("get", "/monitoring/health"): {},
    ("get", "/monitoring/live"): {},
    ("get", "/monitoring/ready"): {},
    ("get", "/monitoring/system/info"): {},
    ("get", "/tickers/"): {},
    ("get", "/tickers/{symbol}"): {"symbol": SYMBOL},
    ("post", "/tickers/{symbol}"): {"symbol": SYMBOL},
    ("delete", "/tickers/{symbol}"): {"symbol": SYMBOL},
    ("get", "/tickers/{symbol}/mvs"): {"symbol": SYMBOL},
    ("get", "/admin/websocket/status"): {},
    ("get", "/admin/websocket/connections"): {},
    ("get", "/admin/coordinators/weight"): {},
    ("get", "/admin/log"): {
        "limit": ("query", False, "integer", 1, 1000, 200),
        "level": ("query", False, "string", None, None, "debug"),
        "after": ("query", False, "integer", 0, 2**53 - 1, None),
    },
    ("post", "/admin/system/sync"): {},
    ("get", "/admin/jobs"): {"limit": ("query", False, "integer", 1, 200, 20)},
    ("post", "/admin/jobs"): {
        "kind": ("query", True, "string", None, None, None),
        "symbols": ("query", False, "string", None, None, None),
        "start_time": INSTANT,
        "end_time": INSTANT,
        "source": ("query", False, "string", None, None, None),
        "timeframe": ("query", False, "integer", None, None, None),
        "repair": ("query", False, "boolean", None, None, False),
    },
    ("get", "/admin/jobs/{job_id}"): {
        "job_id": JOB,
        "after": ("query", False, "integer", 0, 2**53 - 1, 0),
        "limit": ("query", False, "integer", 1, 1000, 500),
    },
    ("delete", "/admin/jobs/{job_id}"): {"job_id": JOB},
    ("post", "/auth/ticket"): {},
}

CONFLICTS = {
    ("post", "/tickers/{symbol}"),
    ("post", "/admin/jobs"),
    ("delete", "/admin/jobs/{job_id}"),
}

OPEN = {"/monitoring/health", "/monitoring/live", "/monitoring/ready"}
"""Paths that need no key, whatever the settings say."""

ADMIN = {
    *(operation for operation in ENDPOINTS if "/admin/" in operation[1]),
    *(("post", "/tickers/{symbol}"), ("delete", "/tickers/{symbol}")),
}

TABLES = {
    *("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"),
    *("application/x-ndjson", "text/csv"),
}
FILES = {"application/vnd.apache.parquet", "application/gzip", "text/plain"}
OF_FILES = {"ETag", "Cache-Control", "Last-Modified", "Accept-Ranges"}
IN_TABLES: dict[str, set[str]] = {
    "/data/trades/{symbol}": {"Next-Cursor", "ETag", "Cache-Control"},
    "/data/trades/{symbol}/latest": {"Cache-Control"},
    "/data/candles/{symbol}": {"Next-Cursor", "Data-Quality", "ETag", "Cache-Control"},
}
"""Paths that also return tables, and the headers of their pages."""

FIELDS: Mapping[str, set[str]] = {
    "TradeListEnvelope": {"success", "data", "message", "timestamp", "error"},
    "ErrorEnvelope": {"success", "data", "message", "timestamp", "error"},
    "Trade": {
        *("aggregate_id", "price", "quantity", "first_trade_id", "last_trade_id"),
        *("timestamp", "is_buyer_maker"),
    },
    "Health": {"status", "components", "problems", "timestamp", "uptime_seconds"},
    "HealthComponents": {
        *("initialized", "binance_client", "weight_coordinator", "tickers", "websocket_manager"),
    },
    "ExchangeClientHealth": {"connected"},
    "WeightCoordinatorHealth": {"active", "healthy"},
    "TickersHealth": {"active_tasks", "healthy_processors"},
    "WebSocketManagerHealth": {"connections", "active_symbols"},
    "MaterializedView": {"name", "timeframe_minutes", "total_rows", "total_bytes"},
    "WebSocketStatus": {
        *("connections_count", "active_symbols", "total_subscriptions", "mv_references_count"),
        *("clickhouse_managers", "messages_sent", "errors_count", "uptime_seconds"),
        *("update_task_running", "heartbeat_task_running"),
    },
    "WebSocketConnections": {
        *("connections", "total_connections", "active_symbols", "mv_references"),
    },
    "WebSocketConnection": {
        *("client_id", "ip_address", "connected_at", "connection_duration", "last_ping"),
        *("subscriptions", "total_subscriptions", "tickers"),
    },
    "Candle": {
        *("candle_time", "open", "high", "low", "close", "volume", "trades_count"),
        *("taker_buy_volume", "taker_sell_volume"),
    },
    "CandleListEnvelope": {
        *("success", "data", "message", "timestamp", "error"),
        *("timeframe", "data_status", "next_cursor"),
    },
    "HistoryCandle": {
        *("candle_time", "open", "high", "low", "close", "volume", "trades_count"),
        *("taker_buy_volume", "taker_sell_volume", "closed"),
    },
    "DataStatus": {
        *("historical_loading", "gap_recovery", "data_quality", "last_complete_timestamp"),
    },
    "Subscribe": {"action", "subscriptions"},
    "SymbolSubscription": {"symbol", "timeframes"},
    "TimeframeSubscription": {"timeframe"},
    "Unsubscribe": {"action", "unsubscriptions"},
    "SymbolUnsubscription": {"symbol", "timeframes"},
    "Ping": {"action"},
    "SubscriptionResult": {
        *("type", "successful_subscriptions", "failed_subscriptions", "message"),
    },
    "AcceptedTimeframe": {"timeframe", "initial_candles"},
    "InitialHistory": {
        *("type", "symbol", "timeframe", "requested_candles", "actual_candles", "data_status"),
        "candles",
    },
    "OhlcvUpdate": {"type", "symbol", "timeframe", "data", "data_status"},
    "Error": {"type", "error_code", "message", "details"},
    "Heartbeat": {"type", "timestamp", "connections_count"},
    "Pong": {"type", "timestamp", "client_timestamp"},
}
"""Fields that are always present; others are additions."""

RECEIVED = {
    "subscribe": ["subscription_result", "error"],
    "unsubscribe": ["unsubscription_result", "error"],
    "subscribe_tickers": ["tickers_subscription_result", "error"],
    "unsubscribe_tickers": ["tickers_subscription_result", "error"],
    "ping": ["pong", "error"],
    "authenticate": ["authentication_result", "error"],
}
SENT = {
    *("initial_history", "ohlcv_update", "initial_tickers", "ticker_update", "heartbeat", "error"),
}


def resolved(document: Any, value: Any) -> Any:
    while "$ref" in value:
        target = document
        for token in value["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/")]
        value = target
    return value


def schema(name: str) -> Any:
    return {**REST["components"]["schemas"], **STREAM["components"]["schemas"]}[name]


def required(name: str) -> set[str]:
    """The fields required by a schema and by those that it combines."""
    whole = schema(name)
    found = set(whole.get("required", ()))
    for part in whole.get("allOf", ()):
        found |= required(part["$ref"].rsplit("/", 1)[1]) if "$ref" in part else {*part["required"]}
    return found


def operations() -> list[tuple[str, str]]:
    return [(method, path) for path, item in REST["paths"].items() for method in item]


def test_every_endpoint_is_there_and_no_other() -> None:
    assert REST["servers"][0]["url"] == "/api/v1"
    assert set(operations()) == set(ENDPOINTS)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_parameters_have_their_bounds(method: str, path: str) -> None:
    found = {}
    for value in REST["paths"][path][method].get("parameters", ()):
        parameter = resolved(REST, value)
        kind = resolved(REST, parameter["schema"])
        found[parameter["name"]] = (
            parameter["in"],
            parameter.get("required", False),
            *(kind.get(key) for key in ("type", "minimum", "maximum", "default")),
        )
    assert found == ENDPOINTS[method, path]


def test_a_moment_is_milliseconds_or_bounded_text() -> None:
    number, text = schema("Instant")["oneOf"]
    assert (number["type"], number["minimum"], number["maximum"]) == ("integer", 0, INT64_MAX)
    assert (text["type"], text["maxLength"]) == ("string", 32)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_every_status_is_documented_with_its_headers(method: str, path: str) -> None:
    responses = REST["paths"][path][method]["responses"]
    statuses = {"200", "400", "403", "405", "429", "500", "503"}
    statuses |= {"404"} if "{symbol}" in path or "{job_id}" in path else set()
    statuses |= set() if path in OPEN else {"401"}
    statuses |= {"409"} if (method, path) in CONFLICTS else set()
    statuses |= {"406"} if path in IN_TABLES else set()
    statuses |= {"304"} if "Next-Cursor" in IN_TABLES.get(path, ()) else set()
    statuses |= {"206", "304", "416"} if "{file}" in path else set()
    assert set(responses) == statuses
    headers = {s: set(resolved(REST, r).get("headers", {})) for s, r in responses.items()}
    limits = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    named = {"X-Request-Id"}
    assert headers["400"] == limits | named
    of_files = OF_FILES if "{file}" in path else set()
    assert headers["200"] == limits | IN_TABLES.get(path, set()) | of_files
    tables = TABLES if path in IN_TABLES else FILES if "{file}" in path else set()
    assert set(responses["200"]["content"]) - {"application/json"} == tables
    assert headers["429"] == {*limits, *named, "Retry-After"}
    assert headers["503"] >= {"Retry-After"}
    assert headers["405"] == {*limits, *named, "Allow"}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_every_operation_says_which_key_it_needs(method: str, path: str) -> None:
    operation = REST["paths"][path][method]
    assert operation.get("x-scope", "read") == ("admin" if (method, path) in ADMIN else "read")
    assert operation.get("security", REST["security"]) == (
        [] if path in OPEN else [{}, {"bearer": []}, {"key": []}]
    )


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_always_there(name: str) -> None:
    assert required(name) >= FIELDS[name]
    if name not in ("ErrorEnvelope", "Pong"):
        assert required(name) == FIELDS[name]


def test_every_message_is_there_with_its_replies() -> None:
    channel = STREAM["channels"]["stream"]
    assert channel["address"] == "/ws/stream"
    received, sent = {}, set()
    for operation in STREAM["operations"].values():
        (message,) = [value["$ref"].rsplit("/", 1)[1] for value in operation["messages"]]
        if operation["action"] == "send":
            sent.add(message)
        else:
            replies = operation["reply"]["messages"]
            received[message] = [value["$ref"].rsplit("/", 1)[1] for value in replies]
    assert received == RECEIVED
    assert sent == SENT
    assert set(channel["messages"]) == {
        *RECEIVED,
        *SENT,
        *(r for x in RECEIVED.values() for r in x),
    }


@pytest.mark.parametrize(
    ("name", "field", "constant"),
    [
        ("Subscribe", "action", "subscribe"),
        ("Unsubscribe", "action", "unsubscribe"),
        ("Ping", "action", "ping"),
        ("SubscriptionResult", "type", "subscription_result"),
        ("UnsubscriptionResult", "type", "unsubscription_result"),
        ("InitialHistory", "type", "initial_history"),
        ("OhlcvUpdate", "type", "ohlcv_update"),
        ("Error", "type", "error"),
        ("Heartbeat", "type", "heartbeat"),
        ("Pong", "type", "pong"),
    ],
)
def test_messages_are_distinguished_by_a_constant(name: str, field: str, constant: str) -> None:
    assert schema(name)["properties"][field]["enum"] == [constant]


def test_requests_have_their_bounds() -> None:
    subscription = schema("SymbolSubscription")["properties"]["timeframes"]
    symbols = schema("Subscribe")["properties"]["subscriptions"]
    asked = schema("TimeframeSubscription")["properties"]["initial_candles"]
    candles = {**schema("CandleCount"), **asked}
    timeframe = schema("Timeframe")
    assert (symbols["minItems"], symbols["maxItems"]) == (1, 100)
    assert (subscription["minItems"], subscription["maxItems"]) == (1, 100)
    assert (candles["minimum"], candles["maximum"], candles["default"]) == (0, 1000, 0)
    assert timeframe["minimum"] == 1
    assert timeframe["maximum"] == 525_600


def test_error_codes_and_qualities_are_those_promised() -> None:
    assert set(schema("StreamErrorCode")["enum"]) >= {
        *("INVALID_JSON", "UNKNOWN_ACTION", "INVALID_SUBSCRIPTION", "INVALID_TIMEFRAME"),
        *("CONNECTION_ERROR", "TIMEOUT"),
    }
    assert schema("DataQuality")["enum"] == ["loading", "partial", "complete", "unknown"]
    assert schema("Health")["properties"]["status"]["enum"][0] == "healthy"


def test_the_error_of_a_failed_reply_is_text() -> None:
    """Clients show it unchanged: `throw new Error(data.error)`."""
    assert schema("ErrorEnvelope")["properties"]["error"]["type"] == "string"
    assert "nullable" not in schema("ErrorEnvelope")["properties"]["error"]


@pytest.mark.parametrize("document", [REST, STREAM], ids=["rest", "stream"])
def test_every_error_code_is_explained(document: Any) -> None:
    name = "ErrorCode" if document is REST else "StreamErrorCode"
    for code in schema(name)["enum"]:
        assert f"| `{code}` |" in document["info"]["description"]
