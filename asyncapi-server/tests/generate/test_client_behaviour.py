"""A client in Python matches replies, raises errors, and says how its connection ended."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from generate.scripted import Scripted, scripted

KEY = "from_documents_rooms_3_1"
ROOMS = "rooms_3_1"


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as found:
        yield found


@pytest.fixture
def rooms(trees: Path) -> Any:
    return importlib.import_module(f"connected.{KEY}")


def joined(*rooms: int, **more: object) -> str:
    return json.dumps({"type": "joined", "rooms": rooms, **more})


def note(text: str) -> str:
    return json.dumps({"type": "note", "room": 1, "text": text})


async def asked(server: Scripted) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await asyncio.wait_for(server.received.get(), 5))
    return found


async def test_replies_are_matched_by_their_ids_in_any_order(rooms: Any, server: Scripted) -> None:
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        first = group.create_task(client.join(rooms=[1]))
        one = await asked(server)
        second = group.create_task(client.join(rooms=[2]))
        two = await asked(server)
        assert one["request_id"] != two["request_id"]
        await server.send(joined(2, request_id=two["request_id"]))
        await server.send(joined(1, request_id=one["request_id"]))
    assert (first.result().rooms, second.result().rooms) == ([1], [2])


async def test_replies_without_an_id_answer_what_was_sent_first(
    rooms: Any, server: Scripted
) -> None:
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        left = group.create_task(client.leave_room(room=9))
        await asked(server)
        tasks = [group.create_task(client.join(rooms=[n])) for n in (1, 2)]
        await asked(server)
        await asked(server)
        await server.send(joined(1), joined(2))
        await server.send(json.dumps({"type": "left", "room": 9}))
    assert [task.result().rooms for task in tasks] == [[1], [2]]
    assert left.result().room == 9


async def test_constants_and_ids_are_filled_in_and_own_ids_are_kept(
    rooms: Any, server: Scripted
) -> None:
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        group.create_task(client.join(rooms=[3], request_id="mine"))
        assert await asked(server) == {"action": "join", "rooms": [3], "request_id": "mine"}
        await server.send(joined(3, request_id="mine"))


async def test_a_documented_error_is_raised_with_its_message(rooms: Any, server: Scripted) -> None:
    refusal_type = importlib.import_module(f"connected.{KEY}.client").ErrorRefusal
    error = {"type": "error", "code": "NO_ROOM", "text": "none", "details": []}
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        task = group.create_task(_caught(client.join(rooms=[1])))
        await server.send(json.dumps({**error, "request_id": (await asked(server))["request_id"]}))
    refusal = task.result()
    assert isinstance(refusal, refusal_type)
    assert isinstance(refusal, rooms.Refused)
    assert (refusal.reply.code, refusal.reply.text) == ("NO_ROOM", "none")


async def _caught(call: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the test looks at it
        await call
    return caught.value


async def test_what_answers_nothing_is_iterated_over(rooms: Any, server: Scripted) -> None:
    async with rooms.connect(server.url) as client:
        await client_is_open(server)
        await server.send(note("a"), joined(5), note("b"))
        found = [await anext(messages) for messages in [aiter(client)] for _ in range(3)]
        await server.close()
        assert [message async for message in client] == []
    assert [type(message).__name__ for message in found] == ["Note", "Joined", "Note"]
    assert [found[0].text, found[1].rooms, found[2].text] == ["a", [5], "b"]


async def client_is_open(server: Scripted) -> None:
    async with asyncio.timeout(5):
        while not server.opened:  # noqa: ASYNC110 - the upgrade has no event of its own
            await asyncio.sleep(0.005)


async def test_a_reply_that_comes_too_late_is_no_reply(rooms: Any, server: Scripted) -> None:
    async with rooms.connect(server.url, reply_seconds=0.05) as client:
        with pytest.raises(TimeoutError):
            await client.join(rooms=[1])
        late = (await asked(server))["request_id"]
        await server.send(joined(1, request_id=late))
        assert (await anext(aiter(client))).request_id == late


async def test_a_lost_connection_ends_requests_and_iteration(rooms: Any, server: Scripted) -> None:
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        waiting = group.create_task(_caught(client.join(rooms=[1])))
        reading = group.create_task(_caught(anext(aiter(client))))
        await asked(server)
        await server.close(4001)
        errors = [await waiting, await reading, await _caught(client.join(rooms=[2]))]
    assert all(isinstance(error, rooms.ConnectionLost) for error in errors)
    assert {vars(error)["code"] for error in errors} == {4001}


async def test_a_connection_that_breaks_has_no_code(rooms: Any, server: Scripted) -> None:
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        waiting = group.create_task(_caught(client.join(rooms=[1])))
        await asked(server)
        await server.abort()
    error = waiting.result()
    assert isinstance(error, rooms.ConnectionLost)
    assert vars(error)["code"] == 1006


async def test_messages_that_are_not_documented_are_logged_and_passed_over(
    rooms: Any, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with rooms.connect(server.url) as client:
        await client_is_open(server)
        await server.send("junk", "[1]", '{"type": "joined", "rooms": "none"}', "NaN", b"\x00")
        await server.send('{"type": "note", "room": true, "text": 1}', note("good"))
        assert (await anext(aiter(client))).text == "good"
    assert len(caplog.messages) == 5


async def test_unread_messages_are_bounded(
    rooms: Any, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"connected.{KEY}.connection.MAX_UNREAD", 3)
    async with rooms.connect(server.url) as client, asyncio.TaskGroup() as group:
        task = group.create_task(client.join(rooms=[1]))
        await asked(server)
        await server.send(*(note(str(n)) for n in range(5)), joined(1))
        await task  # so the notes have come
        messages = aiter(client)
        assert [(await anext(messages)).text for _ in range(3)] == ["2", "3", "4"]
        task = group.create_task(_caught(client.join(rooms=[1])))
        await asked(server)
        await server.send(*(note(str(n)) for n in range(4)))
        assert isinstance(await task, rooms.ReaderTooSlow)


async def test_a_server_that_refuses_or_is_absent_cannot_be_connected_to(
    rooms: Any, server: Scripted
) -> None:
    for url, status in ((f"{server.url}/refused", 403), ("ws://127.0.0.1:1", None)):
        with pytest.raises(rooms.CannotConnect) as caught:
            async with rooms.connect(url):
                pass
        assert caught.value.status == status


async def test_a_session_of_ones_own_is_used_and_left_open(rooms: Any, server: Scripted) -> None:
    async with ClientSession(headers={"X-Own": "yes"}) as session:
        async with rooms.connect(server.url, session=session):
            await client_is_open(server)
        assert not session.closed
    assert server.opened[0].headers["X-Own"] == "yes"


async def test_parameters_query_and_headers_open_a_connection(trees: Path) -> None:
    module = importlib.import_module("connected.from_suite_notices_2_1")
    values = {"user": 7, "topic": "news", "token": "a b/ü&=?", "Accept_Language": "de"}
    async with scripted() as server, module.connect(f"{server.url}/base/?own=1", **values):
        await client_is_open(server)
    (request,) = server.opened
    assert request.path == "/base/users/7/notices/news"
    assert list(request.query.items()) == [("own", "1"), ("token", "a b/ü&=?")]
    assert request.headers["Accept-Language"] == "de"


async def test_texts_in_a_path_are_quoted(trees: Path) -> None:
    module = importlib.import_module("connected.from_suite_chat_rooms_3_0")
    async with scripted() as server, module.connect(server.url, room="a/b ?#%ü", language="en"):
        await client_is_open(server)
    assert server.opened[0].rel_url.raw_path == "/rooms/a%2Fb%20%3F%23%25%C3%BC/en"


async def test_decimals_keep_their_digits(trees: Path) -> None:
    module = importlib.import_module("connected.from_inputs_decimals")
    async with scripted() as server, module.connect(server.url) as client:
        price = Decimal("0.10000000000000000000001")
        task = asyncio.create_task(client.offer(price=price, count=2**70))
        assert await asyncio.wait_for(server.received.get(), 5) == (
            f'{{"kind":"offer","price":{price},"count":{2**70}}}'
        )
        await server.send('{"kind":"taken","price":0.25,"count":9007199254740993}')
        taken = await task
    assert (taken.price, taken.count) == (Decimal("0.25"), 9007199254740993)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
async def test_what_is_no_json_is_not_sent(rooms: Any, server: Scripted, value: object) -> None:
    async with rooms.connect(server.url) as client:
        with pytest.raises((TypeError, ValueError)):
            await client.join(rooms=[value])


@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("number", "[0-9]+"),
        ("text", '"[0-9]+"'),
        ("padded", '"[0-9]{16}"'),
        ("uuid", '"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"'),
        ("optional", '"[0-9a-f-]{36}"'),
    ],
)
async def test_ids_are_made_up_as_their_schema_wants_them(
    trees: Path, server: Scripted, method: str, form: str
) -> None:
    module = importlib.import_module("connected.from_inputs_ids")
    async with module.connect(server.url) as client, asyncio.TaskGroup() as group:
        tasks = [group.create_task(getattr(client, method)()) for _ in range(3)]
        ids = [(await asked(server))["id"] for _ in tasks]
        assert all(re.fullmatch(form, json.dumps(each)) for each in ids), ids
        await server.send(*(json.dumps({"done": True, "id": each}) for each in reversed(ids)))
    assert [task.result().id for task in tasks] == ids


async def test_an_id_is_put_where_the_document_has_it(trees: Path, server: Scripted) -> None:
    module = importlib.import_module("connected.from_inputs_ids")
    async with module.connect(server.url) as client, asyncio.TaskGroup() as group:
        task = group.create_task(client.nested())
        assert await asked(server) == {"ask": "nested", "meta": {"id": 1}}
        await server.send('{"done": true, "id": 1}')
        task = group.create_task(client.own(id="own-7"))
        assert await asked(server) == {"ask": "own", "id": "own-7", "__proto__": "p"}
        await server.send('{"done": true, "id": "own-7"}')
    assert task.result().id == "own-7"
