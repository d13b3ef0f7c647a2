"""The hub: each client gets its updates in one write, whatever the order of subscriptions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from asyncapi_server import EndpointSettings, Hub, UndocumentedMessage, Update
from support.rooms import ask, receive, room_update, rooms_app


class Client:
    """A connection as the hub sees it, with an outbox that keeps each write."""

    closed = False

    def __init__(self, window_bits: int = 0) -> None:
        self.window_bits = window_bits
        self.outbox = self
        self.writes: list[bytes] = []

    def write(self, frames: bytes, messages: int = 1) -> bool:
        self.writes.append(frames)
        return True


class Subscriptions(RuleBasedStateMachine):
    """Compares the hub with a plain set for each client."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.clients: list[Any] = [Client() for _ in range(3)]
        self.expected: list[set[int]] = [set() for _ in self.clients]

    @rule(client=st.integers(0, 2), topic=st.integers(0, 4))
    def subscribe(self, client: int, topic: int) -> None:
        self.hub.subscribe(self.clients[client], topic)
        self.expected[client].add(topic)

    @rule(client=st.integers(0, 2), topic=st.integers(0, 4))
    def unsubscribe(self, client: int, topic: int) -> None:
        self.hub.unsubscribe(self.clients[client], topic)
        self.expected[client].discard(topic)

    @rule(client=st.integers(0, 2))
    def drop(self, client: int) -> None:
        self.hub.drop(self.clients[client])
        self.expected[client].clear()

    @rule(topics=st.lists(st.integers(0, 6), max_size=6))
    def publish(self, topics: list[int]) -> None:
        for client in self.clients:
            client.writes.clear()
        updates = [Update(topic, b"%d" % topic, n) for n, topic in enumerate(topics)]
        delivered = self.hub.publish(updates)
        wanted = [sorted(t for t in topics if t in mine) for mine in self.expected]
        for client, topics_of in zip(self.clients, wanted, strict=True):
            assert len(client.writes) == bool(topics_of)
            frames = client.writes[0] if client.writes else b""
            assert sorted(frames[2::3].decode()) == [str(topic) for topic in topics_of]
        assert delivered == sum(len(topics_of) for topics_of in wanted)

    @invariant()
    def counts_are_true(self) -> None:
        for topic in range(5):
            assert self.hub.subscribers(topic) == sum(topic in mine for mine in self.expected)
        assert set(self.hub.watched) == set().union(*self.expected)
        for client, mine in zip(self.clients, self.expected, strict=True):
            assert self.hub.topics(client) == mine


test_the_hub_agrees_with_plain_sets = Subscriptions.TestCase


@given(st.integers(1, 20))
def test_clients_with_equal_subscriptions_share_the_same_bytes(count: int) -> None:
    hub = Hub()
    clients: list[Any] = [Client() for _ in range(count)]
    for number, client in enumerate(clients):
        for topic in (1, 2) if number % 2 else (2, 1):
            hub.subscribe(client, topic)
    hub.publish([Update(1, b"one"), Update(2, b"two")])
    assert len({id(client.writes[0]) for client in clients}) == 1


async def test_a_broadcast_reaches_everyone() -> None:
    async with rooms_app() as app, app.connect() as one, app.connect() as two:
        for ws in (one, two):
            await ask(ws, {"action": "leave", "room": 1})
        payload = json.dumps({"type": "history", "room": 1, "notes": []}).encode()
        assert app.hub.broadcast(app.endpoint.connections.values(), payload, "beat") == 2
        assert (await receive(one)) == (await receive(two)) == json.loads(payload)


async def test_a_client_that_left_gets_nothing_and_costs_nothing() -> None:
    async with rooms_app() as app:
        async with app.connect() as ws:
            await ask(ws, {"action": "join", "rooms": [1]})
            (connection,) = app.endpoint.connections.values()
        async with asyncio.timeout(5):
            while app.hub.watched:  # noqa: ASYNC110 - the end of a connection has no event here
                await asyncio.sleep(0.005)
        assert app.hub.publish([room_update(1, "a")]) == 0
        app.hub.subscribe(connection, 1)
        assert not app.hub.watched


async def test_an_undocumented_update_is_caught_in_tests() -> None:
    async with rooms_app() as app:
        with pytest.raises(UndocumentedMessage, match="no message of /rooms"):
            app.hub.publish([Update(1, b'{"type":"dance"}')])


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_replies_and_updates_are_compressed_for_those_who_asked(
    compression: str | None,
) -> None:
    async with rooms_app(EndpointSettings(compress=True)) as app:
        url = app.url.replace("http", "ws")
        async with websockets.connect(url, compression=compression) as ws:
            await ws.send('{"action": "join", "rooms": [1, 2]}')
            assert json.loads(await ws.recv())["type"] == "joined"
            (connection,) = app.endpoint.connections.values()
            assert bool(connection.window_bits) is bool(compression)
            for text in ("a" * 500, "a" * 500, "b"):
                app.hub.publish([room_update(1, text), room_update(2, text)])
                for _ in range(2):
                    assert json.loads(await ws.recv())["text"] == text
