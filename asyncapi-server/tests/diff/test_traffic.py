"""The effect on clients of each change of who sends which message."""

from __future__ import annotations

from typing import Any

import pytest

from asyncapi_server.diff import Change, Level, Side, Terms
from diff.documents import Document, changes, level

Messages = dict[str, dict[str, Any]]
OPEN = Terms(open_messages=True)

CORRELATED = {"correlationId": {"location": "$message.payload#/id"}}


def message(name: str, **fields: Any) -> dict[str, Any]:
    return {"payload": {"type": "object", "properties": {"kind": {"const": name}}}, **fields}


def document(
    receives: tuple[str, ...] = ("ask",),
    sends: tuple[str, ...] = ("answer", "error", "notice"),
    replies: tuple[str, ...] = ("answer", "error"),
    fields: Messages | None = None,
    **parts: Any,
) -> Document:
    """A document of one channel, whose operations have the names of their messages."""
    names = dict.fromkeys((*receives, *sends))
    messages = {name: message(name, **(fields or {}).get(name, {})) for name in names}
    if "ask" in messages:
        messages["ask"] = {**CORRELATED, **messages["ask"]}
    channel = {"$ref": "#/channels/ws"}

    def operation(action: str, name: str) -> dict[str, Any]:
        return {"action": action, "channel": channel, "messages": [reference(name)]}

    def reference(name: str) -> dict[str, str]:
        return {"$ref": f"#/channels/ws/messages/{name}"}

    operations = {name: operation("receive", name) for name in receives}
    operations |= {name: operation("send", name) for name in sends}
    if replies and receives:
        operations["ask"]["reply"] = {
            "channel": channel,
            "messages": [reference(name) for name in replies],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Small", "version": "1.0.0"},
        "servers": {
            "main": {"host": "host", "protocol": "ws"},
            "spare": {"host": "spare", "protocol": "ws"},
        },
        "channels": {"ws": {"address": "/ws", "messages": messages}},
        "operations": operations,
        **parts,
    }


def served(**servers: tuple[str, str]) -> Document:
    named = {"spare": ("spare", "ws"), **servers}
    return document(servers={n: {"host": host, "protocol": p} for n, (host, p) in named.items()})


OLD = document()
MAIN = {"x-servers": [{"$ref": "#/servers/main"}]}
BREAKING = [
    pytest.param(
        document(receives=(), replies=()), "/ws ask", {Side.SENDERS}, id="a request is gone"
    ),
    pytest.param(
        document(sends=("answer", "error")), "/ws notice", {Side.READERS}, id="a message is gone"
    ),
    pytest.param(document(channels={}, operations={}), "/ws", set(Side), id="the address is gone"),
    pytest.param(served(), "server main", set(Side), id="the server is gone"),
    pytest.param(served(main=("other", "ws")), "server main", set(Side), id="host"),
    pytest.param(served(main=("host", "wss")), "server main", set(Side), id="protocol"),
    pytest.param(
        document(replies=("answer", "error", "notice")),
        "/ws ask",
        {Side.READERS},
        id="another reply",
    ),
    pytest.param(document(replies=("answer",)), "/ws ask", {Side.READERS}, id="a reply less"),
    pytest.param(document(replies=()), "/ws ask", {Side.READERS}, id="no reply"),
    pytest.param(
        document(fields={"ask": {"correlationId": {"location": "$message.payload#/number"}}}),
        "/ws ask",
        set(Side),
        id="the id moves",
    ),
    pytest.param(document(fields={"ask": MAIN}), "/ws ask", set(Side), id="not on all servers"),
    pytest.param(
        document(sends=("answer", "error", "notice", "more")),
        "/ws more",
        {Side.READERS},
        id="a new message",
    ),
]
COMPATIBLE = [
    pytest.param(document(receives=("ask", "more")), "/ws more", id="a new request"),
    pytest.param(served(main=("host", "ws"), more=("more", "ws")), "server more", id="a server"),
    pytest.param(document(fields={"notice": CORRELATED}), "/ws notice", id="a message gets an id"),
]


def at(found: tuple[Change, ...], right: Level) -> dict[str, frozenset[Side]]:
    """The parts of the interface with changes of a level, but operations: whom they break."""
    return {
        change.where: change.breaks
        for change in found
        if change.level is right and not change.where.startswith("operation")
    }


@pytest.mark.parametrize(("new", "where", "whom"), BREAKING)
def test_it_breaks_clients(new: Document, where: str, whom: set[Side]) -> None:
    assert at(changes(OLD, new), Level.BREAKING) == {where: whom}


@pytest.mark.parametrize(("new", "where"), COMPATIBLE)
def test_it_breaks_nobody(new: Document, where: str) -> None:
    found = changes(OLD, new)
    assert level(found) is Level.COMPATIBLE
    assert at(found, Level.COMPATIBLE) == {where: frozenset()}


def test_a_message_that_clients_ignore_breaks_nobody() -> None:
    new = document(sends=("answer", "error", "notice", "more"))
    assert level(changes(OLD, new, OPEN)) is Level.COMPATIBLE


def test_a_reply_breaks_also_those_who_ignore_messages() -> None:
    new = document(replies=("answer", "error", "notice"))
    assert level(changes(OLD, new, OPEN)) is Level.BREAKING


def test_a_first_reply_breaks_nobody() -> None:
    assert level(changes(document(replies=()), OLD)) is Level.COMPATIBLE


def test_a_message_may_be_admitted_in_more_places() -> None:
    assert level(changes(document(fields={"ask": MAIN}), OLD)) is Level.COMPATIBLE


def test_a_list_of_all_servers_is_no_list() -> None:
    both = [{"$ref": f"#/servers/{name}"} for name in ("main", "spare")]
    found = changes(OLD, document(fields={"ask": {"x-servers": both}}))
    assert level(found) is Level.WORDS


def test_a_server_that_is_gone_is_reported_once() -> None:
    found = changes(OLD, {**OLD, "servers": {"main": OLD["servers"]["main"]}})
    assert at(found, Level.BREAKING) == {"server spare": frozenset(Side)}


def test_an_address_may_be_new() -> None:
    more = {**OLD, "channels": {**OLD["channels"], "more": {"address": "/more"}}}
    found = changes(OLD, more)
    assert at(found, Level.COMPATIBLE) == {"/more": frozenset()}


def test_the_directions_of_a_client_are_turned() -> None:
    wider = document(fields={"ask": {"payload": {"type": ["object", "null"]}}})
    old = document(fields={"ask": {"payload": {"type": "object"}}})
    assert level(changes(old, wider)) is Level.COMPATIBLE
    turned = changes(old, wider, as_client=True)
    assert at(turned, Level.BREAKING) == {"/ws ask": {Side.READERS}}
