"""Requests over a real connection: replies, faults, order."""

from __future__ import annotations

import json

import pytest

from asyncapi_server import EndpointSettings
from support.fronts import FRONTS, Front
from support.rooms import RoomHandlers, ask, note, receive, rooms_app


@pytest.fixture(params=FRONTS, ids=lambda front: front.__name__)
def front(request: pytest.FixtureRequest) -> type[Front]:
    """Each front serves the same document in the same way."""
    found: type[Front] = request.param
    return found


async def test_a_request_gets_its_reply_with_its_request_id(front: type[Front]) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        reply = await ask(ws, {"action": "join", "rooms": [1], "request_id": "a"})
        assert reply == {"type": "joined", "rooms": [1], "request_id": "a"}
        assert await ask(ws, {"action": "leave", "room": 1}) == {"type": "left", "room": 1}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "MALFORMED"),
        ("", "MALFORMED"),
        ("[" * 2000, "MALFORMED"),
        ("[" * 100 + "]" * 100, "MALFORMED"),
        ("NaN", "MALFORMED"),
        ("[]", "UNKNOWN_MESSAGE"),
        ("null", "UNKNOWN_MESSAGE"),
        ('{"action": "dance"}', "UNKNOWN_MESSAGE"),
        ('{"action": ["join"]}', "UNKNOWN_MESSAGE"),
        ('{"rooms": [1]}', "UNKNOWN_MESSAGE"),
        ('{"action": "join"}', "INVALID_MESSAGE"),
        ('{"action": "join", "rooms": [0]}', "INVALID_MESSAGE"),
        ('{"action": "join", "rooms": [1], "surplus": 1}', "INVALID_MESSAGE"),
        ({"action": "join", "rooms": [RoomHandlers.BROKEN]}, "HANDLER_FAILED"),
        ({"action": "join", "rooms": [RoomHandlers.WRONG_REPLY]}, "HANDLER_FAILED"),
        ({"action": "join", "rooms": [RoomHandlers.MUTE]}, "HANDLER_FAILED"),
        ({"action": "join", "rooms": [RoomHandlers.SLOW]}, "TIMEOUT"),
        ({"action": "join", "rooms": [RoomHandlers.CLOSED]}, "NO_ROOM"),
    ],
)
async def test_a_fault_is_reported_and_the_connection_lives_on(
    message: object, code: str, front: type[Front]
) -> None:
    settings = EndpointSettings(request_timeout_seconds=0.05)
    async with rooms_app(settings, front=front) as app, app.connect() as ws:
        fault = await ask(ws, message)
        assert (fault["type"], fault["code"]) == ("error", code)
        assert "secret" not in json.dumps(fault)
        assert await ask(ws, {"action": "leave", "room": 1}) == {"type": "left", "room": 1}
        (connection,) = app.endpoint.connections.values()
        assert connection.errors == 1
        assert connection.messages_received == connection.messages_sent == 2


@pytest.mark.parametrize(
    ("room", "reason"),
    [
        (RoomHandlers.WRONG_REPLY, "'join' was answered by left; the document names joined"),
        (RoomHandlers.MUTE, "no reply to 'join': the document names joined"),
    ],
)
async def test_a_handler_that_breaks_the_document_is_named_on_both_sides(
    room: int, reason: str, front: type[Front], caplog: pytest.LogCaptureFixture
) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        fault = await ask(ws, {"action": "join", "rooms": [room]})
        assert reason in fault["text"]
        assert reason in caplog.text


async def test_a_fault_says_what_is_wrong_and_where(front: type[Front]) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        fault = await ask(ws, {"action": "join", "rooms": [3, -5], "request_id": "b"})
        (detail,) = fault["details"]
        assert detail["path"] == "/rooms/1"
        assert detail["schema_path"].endswith("/minimum")
        assert fault["request_id"] == "b"


async def test_what_follows_a_reply_comes_after_it_and_in_order(front: type[Front]) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        rooms = [RoomHandlers.HISTORY, 7]
        assert (await ask(ws, {"action": "join", "rooms": rooms}))["type"] == "joined"
        following = [await receive(ws) for _ in range(4)]
        assert [(m["type"], m["room"]) for m in following] == [
            ("history", 105),
            ("note", 105),
            ("history", 7),
            ("note", 7),
        ]


async def test_what_fails_after_the_reply_is_an_error_of_no_request(front: type[Front]) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        message = {"action": "join", "rooms": [RoomHandlers.LATE_FAULT], "request_id": "x"}
        reply, fault, sent = await ask(ws, message), await receive(ws), await receive(ws)
        assert (reply["type"], reply["request_id"]) == ("joined", "x")
        assert (fault["type"], "request_id" in fault) == ("error", False)
        assert sent["text"] == "still sent"


async def test_decimals_leave_exactly(front: type[Front]) -> None:
    async with rooms_app(front=front) as app, app.connect() as ws:
        await ask(ws, {"action": "leave", "room": 1})
        (connection,) = app.endpoint.connections.values()
        connection.send(note(1, "exact"))
        assert '"price":0.10000000000000000001' in await ws.receive_str(timeout=5)


async def test_updates_reach_those_who_subscribed_and_no_other(front: type[Front]) -> None:
    from support.rooms import room_update

    async with rooms_app(front=front) as app, app.connect() as one, app.connect() as two:
        await ask(one, {"action": "join", "rooms": [1, 2]})
        await ask(two, {"action": "join", "rooms": [2]})
        assert app.hub.publish([room_update(1, "a"), room_update(2, "b")]) == 3
        assert {(await receive(one))["text"], (await receive(one))["text"]} == {"a", "b"}
        assert (await receive(two))["text"] == "b"
