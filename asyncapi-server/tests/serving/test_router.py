"""The pure router: what it accepts, refuses and sends."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from pydantic import BaseModel

from asyncapi_server import (
    Contract,
    ContractError,
    Fault,
    FaultKind,
    Request,
    Router,
    RouterSetupError,
    UndocumentedMessage,
    handler_name,
    load_document,
)
from asyncapi_server.document.details import MAX_DETAIL_CHARS, MAX_DETAILS
from support.rooms import DOCUMENTS, ROOMS, error_reply


class Quiet:
    """Handlers that are never called."""

    async def on_join(self, connection: object, message: object) -> object: ...
    async def on_leave_room(self, connection: object, message: object) -> object: ...


class MarketHandlers:
    async def on_ping(self, connection: object, message: object) -> object: ...
    async def on_subscribe(self, connection: object, message: object) -> object: ...


def rooms(**options: Any) -> Router:
    return Router(ROOMS, "/rooms", Quiet(), error_reply=error_reply, **options)


def market(server: str | None = "public", **options: Any) -> Router:
    contract = Contract.from_document(load_document(DOCUMENTS / "market_3.1.yaml"))
    options.setdefault("error_reply", market_error)
    return Router(contract, "/", MarketHandlers(), server=server, **options)


def market_error(fault: Fault) -> dict[str, object]:
    return {"event": "subscriptionStatus", "status": "error", "errorMessage": fault.text}


def request(router: Router, message: object) -> Request:
    found = router.receive(json.dumps(message))
    assert isinstance(found, Request), found
    return found


def fault(router: Router, message: object) -> Fault:
    found = router.receive(message if isinstance(message, str) else json.dumps(message))
    assert isinstance(found, Fault), found
    return found


@pytest.mark.parametrize(
    ("message", "handler"),
    [
        ("ping", "on_ping"),
        ("systemStatus", "on_system_status"),
        ("OHLCVUpdate", "on_ohlcv_update"),
        ("leave-room", "on_leave_room"),
        ("v2.subscribe", "on_v2_subscribe"),
    ],
)
def test_a_handler_is_named_after_its_message(message: str, handler: str) -> None:
    assert handler_name(message) == handler


def test_missing_and_surplus_handlers_are_all_named_at_the_start() -> None:
    class Wrong:
        async def on_join(self, connection: object, message: object) -> object: ...
        async def on_dance(self, connection: object, message: object) -> object: ...

    with pytest.raises(RouterSetupError) as raised:
        Router(ROOMS, "/rooms", Wrong(), error_reply=error_reply)
    assert "'leaveRoom' has no handler 'on_leave_room'" in str(raised.value)
    assert "'on_dance' has no message" in str(raised.value)


def test_a_model_without_a_message_is_refused_at_the_start() -> None:
    with pytest.raises(RouterSetupError, match="dance"):
        rooms(models={"dance": dict})


def test_an_unknown_server_is_refused_at_the_start() -> None:
    with pytest.raises(ContractError, match="no server 'backup'"):
        market("backup")


def test_a_handler_gets_the_model_of_its_message() -> None:
    class Join(BaseModel):
        rooms: list[int]

    router = rooms(models={"join": Join, "leaveRoom": lambda raw: raw["room"]})
    assert request(router, {"action": "join", "rooms": [4]}).message == Join(rooms=[4])
    assert request(router, {"action": "leave", "room": 4}).message == 4


def test_a_model_that_cannot_be_built_is_the_clients_fault() -> None:
    class Join(BaseModel):
        rooms: list[str]

    found = fault(rooms(models={"join": Join}), {"action": "join", "rooms": [4]})
    assert (found.kind, found.message) == (FaultKind.INVALID_MESSAGE, "join")


def test_an_unknown_action_is_reported_with_those_known() -> None:
    (detail,) = fault(rooms(), {"action": "dance"}).details
    assert detail.path == "/action"
    assert detail.message == "is \"dance\"; known: 'join', 'leave'"


def test_the_report_of_a_fault_is_bounded() -> None:
    many = fault(rooms(), {"action": "join", "rooms": ["x"] * 100})
    assert len(many.details) == MAX_DETAILS
    long = fault(rooms(), {"action": "join", "rooms": ["x" * 5000] * 100})
    assert len(long.details) == 1
    for found in (many, long):
        assert all(len(detail.message) <= MAX_DETAIL_CHARS for detail in found.details)
        assert len(found.text) <= MAX_DETAIL_CHARS
    (only,) = fault(rooms(), {"action": "x" * 60000}).details
    assert len(only.message) < 3 * MAX_DETAIL_CHARS


@pytest.mark.parametrize("given", ["", "x" * 17, 5, {"a": 1}, None, True])
def test_an_invalid_request_id_is_not_repeated(given: object) -> None:
    router = rooms(check_outgoing=True)
    found = fault(router, {"action": "join", "rooms": [1], "request_id": given})
    assert "request_id" not in json.loads(router.error(found) or b"{}")


def test_an_unknown_action_keeps_its_request_id() -> None:
    router = rooms(check_outgoing=True)
    found = fault(router, {"action": "dance", "request_id": "r1"})
    assert json.loads(router.error(found) or b"{}")["request_id"] == "r1"


def test_a_message_for_another_server_is_refused_with_its_address() -> None:
    message = {
        "event": "subscribe",
        "subscription": {"name": "ownTrades", "token": "t"},
        "reqid": 9,
    }
    router = market(check_outgoing=True)
    found = fault(router, message)
    assert found.kind is FaultKind.WRONG_SERVER
    assert found.servers == ("ws-auth.market.test",)
    assert "Try ws-auth.market.test" in found.text
    assert json.loads(router.error(found) or b"{}")["reqid"] == 9


def test_an_almost_valid_message_is_refused_with_its_fault() -> None:
    found = fault(market(), {"event": "subscribe", "subscription": {"name": "book"}})
    assert (found.kind, found.message) == (FaultKind.INVALID_MESSAGE, "subscribe")
    assert found.details[0].path == "/subscription/name"


def test_a_request_may_have_several_replies_in_sequence() -> None:
    router = market(check_outgoing=True)
    asked = request(router, {"event": "subscribe", "subscription": {"name": "trade"}, "reqid": 3})
    ok = {"event": "subscriptionStatus", "status": "subscribed", "channelID": 1}
    failed = {"event": "subscriptionStatus", "status": "error", "errorMessage": "no such pair"}
    replies = [json.loads(reply) for reply in router.replies(asked, (ok, failed))]
    assert replies == [{**ok, "reqid": 3}, {**failed, "reqid": 3}]


def test_a_reply_may_be_a_model_or_json() -> None:
    class Joined(BaseModel):
        type: str
        rooms: list[int]
        request_id: str | None = None

    router = rooms(check_outgoing=True)
    asked = request(router, {"action": "join", "rooms": [1]})
    (from_model,) = router.replies(asked, Joined(type="joined", rooms=[1]))
    (from_json,) = router.replies(asked, b'{"type":"joined","rooms":[1]}')
    assert from_model == from_json == b'{"type":"joined","rooms":[1]}'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"type": "left", "room": 1}, "answered by left"),
        ({"type": "dance"}, "answered by an undocumented message"),
        ({"type": "joined"}, "'joined' fails its schema"),
        (None, "no reply to 'join'"),
        ((), "empty tuple"),
        ([{"type": "joined", "rooms": [1]}], "return several as a tuple"),
        ("joined", "undocumented"),
    ],
)
def test_a_reply_that_the_document_does_not_name_is_not_sent(answer: object, why: str) -> None:
    router = rooms(check_outgoing=True)
    asked = request(router, {"action": "join", "rooms": [1]})
    with pytest.raises(UndocumentedMessage, match=why):
        router.replies(asked, answer)


def test_sent_messages_are_checked_as_they_go_over_the_wire() -> None:
    router = market(check_outgoing=True)
    router.check_sent(b'[2,["37080.2",2],"ohlc-5","A/B"]')
    with pytest.raises(UndocumentedMessage, match="'candle' fails its schema: /1"):
        router.outgoing([2, "37080.2", "ohlc-5", "A/B"])
    with pytest.raises(UndocumentedMessage, match="no message of /"):
        router.outgoing([2, [], "ohlc-7", "A/B"])


def test_a_fault_cannot_be_changed_by_an_error_policy() -> None:
    found = fault(rooms(), "{")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.text = "other"  # type: ignore[misc]  # the point of the test
