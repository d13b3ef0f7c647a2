"""REST through the whole edge: routing, validation, replies, errors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from pydantic import BaseModel
from yarl import URL

from handlers.native.errors import error_form
from server.rest.app import HandlerMismatch, RestApi, build_rest, load_document
from server.rest.dispatch import encode
from tests.server.conftest import HANDLERS, SMALL_API, Edge, Start


async def envelope(edge: Edge, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
    """Status, body and headers of an error, whose envelope is checked to be whole."""
    async with edge.session.request(method, path, **options) as answer:
        assert answer.content_type == "application/json"
        body = await answer.json()
        assert set(body) == {
            "success", "data", "message", "timestamp", "error", "error_code", "details",
            "request_id",
        }  # fmt: skip
        assert body["request_id"] == answer.headers["X-Request-Id"]
        assert body["success"] is False
        assert body["data"] is None
        assert body["timestamp"] > 1_600_000_000_000
        assert body["error"]
        assert body["message"]
        return answer.status, body, answer.headers


async def test_decimals_go_out_as_exact_json_numbers(edge: Edge) -> None:
    async with edge.session.get("/api/v1/trades/BTCUSDT?limit=1") as answer:
        assert answer.status == 200
        assert await answer.read() == (
            b'{"success":true,"data":[{"aggregate_id":1,"price":43245.1}]}'
        )


@pytest.mark.parametrize("price", ["0.00000001", "0.000000123", "92233720368.54775807", "1E+3"])
def test_decimals_have_no_exponent(price: str) -> None:
    class Price(BaseModel):
        prices: list[Decimal]

    raw, _ = encode(Price(prices=[Decimal(price)]))
    assert raw.body == f'{{"prices":[{Decimal(price):f}]}}'.encode()


async def test_bytes_are_passed_on_as_they_are(edge: Edge) -> None:
    async with edge.session.get("/api/v1/trades/RAW?limit=2") as answer:
        assert (await answer.read()).count(b'"price":0.01') == 2


async def test_bodies_in_pieces_are_streamed(edge: Edge) -> None:
    async with edge.session.get("/api/v1/trades/PIECES") as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert await answer.json() == {"success": True, "data": []}


async def test_an_answer_that_breaks_off_is_logged_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    edge = await start(validate_responses=False)
    async with edge.session.get("/api/v1/trades/BREAKS") as answer:
        assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await answer.read()
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "The application failed" in record.getMessage()


async def test_a_path_that_takes_no_body_takes_any_content_type(edge: Edge) -> None:
    headers = {"Content-Type": "text/xml; charset=none"}
    async with edge.session.get("/api/v1/trades/BTCUSDT?limit=1", headers=headers) as answer:
        assert answer.status == 200


async def test_an_answer_may_have_a_status_of_its_own(edge: Edge) -> None:
    async with edge.session.get("/api/v1/health") as answer:
        assert answer.status == 503
        assert await answer.json() == {"status": "unhealthy"}


async def test_defaults_and_bounds_of_int64_reach_the_handler(edge: Edge) -> None:
    async with edge.session.get("/api/v1/trades/BTCUSDT?from_id=9223372036854775807") as answer:
        trades = (await answer.json())["data"]
    assert trades[0]["aggregate_id"] == 2**63 - 1
    assert len(trades) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=10001", "query.limit"),
        ("limit=1.0", "query.limit"),
        ("limit=1e3", "query.limit"),
        ("limit=1_0", "query.limit"),
        ("limit=%2B5", "query.limit"),
        ("limit=+5", "query.limit"),
        ("limit=%D9%A3", "query.limit"),
        ("limit=", "query.limit"),
        ("limit", "query.limit"),
        ("limit=5&limit=5", "query.limit"),
        ("from_id=9223372036854775808", "query.from_id"),
        ("from_id=" + "9" * 5000, "query.from_id"),
        ("newest=True", "query.newest"),
        ("newest=1", "query.newest"),
        ("unknown=1", "query.unknown"),
        ("LIMIT=1", "query.LIMIT"),
        ("limit=%FF", "query.limit"),
        ("limit=%zz", "query.limit"),
        ("newest=true&from_id=1", "query.newest"),
    ],
)
async def test_a_wrong_query_is_refused_and_named(edge: Edge, query: str, field: str) -> None:
    path = URL(f"http://127.0.0.1:{edge.port}/api/v1/trades/BTCUSDT?{query}", encoded=True)
    async with edge.session.get(path) as answer:
        body = await answer.json()
    assert answer.status == 400
    assert body["error_code"] == "INVALID_PARAMETER"
    assert [detail["field"] for detail in body["details"]] == [field]
    assert body["details"][0]["message"]


async def test_every_fault_of_a_request_is_listed(edge: Edge) -> None:
    _, body, _ = await envelope(edge, "GET", "/api/v1/trades/btc?limit=0&x=1")
    assert [detail["field"] for detail in body["details"]] == [
        "path.symbol", "query.limit", "query.x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("symbol", "status", "code"),
    [
        ("NONE", 404, "SYMBOL_NOT_ACTIVE"),
        ("LATER", 503, "SERVICE_UNAVAILABLE"),
        ("DOWN", 503, "SERVICE_UNAVAILABLE"),
        ("SLOWDOWN", 503, "SERVICE_UNAVAILABLE"),
        ("CRASH", 500, "INTERNAL_ERROR"),
        ("WRONG", 500, "INTERNAL_ERROR"),
    ],
)
async def test_errors_of_handlers_have_their_status_and_leak_nothing(
    edge: Edge, symbol: str, status: int, code: str
) -> None:
    got, body, headers = await envelope(edge, "GET", f"/api/v1/trades/{symbol}")
    assert (got, body["error_code"]) == (status, code)
    assert "secret" not in str(body)
    assert ("Retry-After" in headers) == (status == 503)


async def test_a_ban_of_the_exchange_is_passed_on_as_retry_after(edge: Edge) -> None:
    _, _, headers = await envelope(edge, "GET", "/api/v1/trades/SLOWDOWN")
    assert 80 <= int(headers["Retry-After"]) <= 90


async def test_unknown_paths_are_404(edge: Edge) -> None:
    for path in (
        "/nope",
        "/api/v1/",
        "/api/v1/trades/",
        "/api/v1/trades/A/B",
        "/a%0Ab",
    ):
        status, body, _ = await envelope(edge, "GET", path)
        assert (status, body["error_code"]) == (404, "NOT_FOUND"), path


async def test_405_names_every_method_of_the_path(edge: Edge) -> None:
    status, body, headers = await envelope(edge, "DELETE", "/api/v1/orders")
    assert (status, body["error_code"]) == (405, "METHOD_NOT_ALLOWED")
    assert headers["Allow"] == "GET, HEAD, POST"
    status, _, headers = await envelope(edge, "POST", "/docs")
    assert (status, headers["Allow"]) == (405, "GET,HEAD")


async def test_a_path_is_found_with_and_without_its_last_slash(edge: Edge) -> None:
    options: dict[str, Any] = {"allow_redirects": False, "headers": {"Host": "192.0.2.1"}}
    async with edge.session.get("/api/v1/tickers?a=1", **options) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == "/api/v1/tickers/?a=1"
    async with edge.session.get("/api/v1/tickers") as answer:
        assert answer.status == 200


async def test_an_encoded_slash_stays_in_its_segment(edge: Edge) -> None:
    url = URL(f"http://127.0.0.1:{edge.port}/api/v1/trades/A%2FB", encoded=True)
    async with edge.session.get(url) as answer:
        assert answer.status == 400
        assert (await answer.json())["details"][0]["field"] == "path.symbol"


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        (b'{"id": 9223372036854775808}', 400, "body.id"),
        (b'{"id": 1.5}', 400, "body.id"),
        (b'{"id": true}', 400, "body.id"),
        (b'{"id": 1, "note": "123456789012345678901"}', 400, "body.note"),
        (b'{"id": 1, "more": 1}', 400, "body"),
        (b'{"id": 1, "kind": "c"}', 400, "body.kind"),
        (b"{}", 400, "body"),
        (b"null", 400, "body"),
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"\xff\xfe", 400, "body"),
        (b'{"id": NaN}', 400, "body"),
        (b"[" * 50_000, 400, "body"),
        (b'{"id": 1, "note": null, "kind": null}', 200, ""),
    ],
)
async def test_bodies_are_checked(edge: Edge, sent: bytes, status: int, field: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with edge.session.post("/api/v1/orders", data=sent, headers=headers) as answer:
        body = await answer.json()
    assert answer.status == status, body
    if status == 400:
        assert body["error_code"] == "INVALID_PARAMETER"
        assert body["details"][0]["field"] == field


async def test_other_media_types_are_415(edge: Edge) -> None:
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ):
        status, _, _ = await envelope(edge, "POST", "/api/v1/orders", data=b"{}", headers=headers)
        assert status == 415


async def test_head_is_get_without_the_body(edge: Edge) -> None:
    async with edge.session.head("/api/v1/trades/BTCUSDT?limit=1") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Length"] == "60"
        assert await answer.read() == b""


async def test_replies_are_only_checked_when_asked_to(start: Start) -> None:
    unchecked = await start(validate_responses=False)
    async with unchecked.session.get("/api/v1/trades/WRONG") as answer:
        assert answer.status == 200


def test_missing_extra_and_unfitting_handlers_stop_the_start() -> None:
    async def list_tickers(more: int) -> None:
        """Takes an argument that its operation does not have."""

    handlers: dict[str, Any] = {**HANDLERS, "list_tickers": list_tickers, "more": list_tickers}
    del handlers["get_health"]
    with pytest.raises(HandlerMismatch) as caught:
        build_rest(RestApi(load_document(SMALL_API), handlers, error_form))
    text = str(caught.value)
    assert "get_health: no handler" in text
    assert "list_tickers" in text
    assert "missing a required argument: 'more'" in text
    assert "more: no operation has this id" in text
    assert "get_trades" not in text


def test_a_definition_that_is_not_served_stops_the_start() -> None:
    document = load_document(SMALL_API)
    parameters = document["paths"]["/trades/{symbol}"]["get"]["parameters"]
    parameters[1]["in"] = "header"
    parameters[0]["schema"]["pattern"] = "(?=look)ahead"
    with pytest.raises(HandlerMismatch, match="get_trades"):
        build_rest(RestApi(document, HANDLERS, error_form))
