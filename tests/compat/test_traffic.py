"""The effect on clients of each change of who sends which message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from asyncapi_server import ChannelContract, Contract, MessageContract
from asyncapi_server.document.contract import ServerContract
from scripts.compat.changes import Change, Level
from scripts.compat.traffic import compare_traffic

Dict = dict[str, Any]


def schema(**properties: Any) -> Dict:
    return {"type": "object", "properties": properties}


def message(name: str, **fields: Any) -> MessageContract:
    given = {"name": name, "schema": schema(kind={"const": name}), **fields}
    return MessageContract(**given)


ASK = message("ask", replies=("answer", "error"), correlation="/id")
ANSWER = message("answer", correlation="/id")
ERROR = message("error")
NOTICE = message("notice")


def contract(
    receives: tuple[MessageContract, ...] = (ASK,),
    sends: tuple[MessageContract, ...] = (ANSWER, ERROR, NOTICE),
    **fields: Any,
) -> Contract:
    given = {
        "title": "Small",
        "version": "1.0.0",
        "servers": {"main": ServerContract("host", "ws")},
        "channels": {"/ws": ChannelContract(receives, sends)},
        **fields,
    }
    return Contract(**given)


def change(old: Contract, new: Contract) -> Change:
    (found,) = compare_traffic(old, new)
    return found


def altered(message: MessageContract, **fields: Any) -> MessageContract:
    return msgspec.structs.replace(message, **fields)


OLD = contract()
BREAKING = [
    pytest.param(contract(receives=()), "/ws ask", id="a request is gone"),
    pytest.param(contract(sends=(ANSWER, ERROR)), "/ws notice", id="a message is gone"),
    pytest.param(contract(channels={}), "/ws", id="the address is gone"),
    pytest.param(contract(servers={}), "server main", id="the server is gone"),
    pytest.param(
        contract(servers={"main": ServerContract("other", "ws")}), "server main", id="host"
    ),
    pytest.param(
        contract(servers={"main": ServerContract("host", "wss")}), "server main", id="protocol"
    ),
    pytest.param(
        contract(receives=(altered(ASK, replies=("answer", "error", "notice")),)),
        "/ws ask",
        id="another reply",
    ),
    pytest.param(
        contract(receives=(altered(ASK, replies=("answer",)),)), "/ws ask", id="a reply less"
    ),
    pytest.param(
        contract(receives=(altered(ASK, correlation="/number"),)), "/ws ask", id="the id moves"
    ),
    pytest.param(
        contract(sends=(altered(ANSWER, correlation=None), ERROR, NOTICE)),
        "/ws answer",
        id="the answer loses the id",
    ),
    pytest.param(
        contract(receives=(altered(ASK, servers=("main",)),)),
        "/ws ask",
        id="not on all servers",
    ),
]
COMPATIBLE = [
    pytest.param(contract(receives=(ASK, message("more"))), "/ws more", id="a new request"),
    pytest.param(
        contract(sends=(ANSWER, ERROR, NOTICE, message("more"))), "/ws more", id="a new message"
    ),
    pytest.param(
        contract(
            servers={"main": ServerContract("host", "ws"), "more": ServerContract("more", "ws")}
        ),
        "server more",
        id="a new server",
    ),
    pytest.param(
        contract(channels={**OLD.channels, "/more": ChannelContract((), ())}),
        "/more",
        id="a new address",
    ),
    pytest.param(
        contract(sends=(ANSWER, ERROR, altered(NOTICE, correlation="/id"))),
        "/ws notice",
        id="a message gets an id",
    ),
]


@pytest.mark.parametrize(("new", "place"), BREAKING)
def test_it_breaks_clients(new: Contract, place: str) -> None:
    found = change(OLD, new)
    assert (found.level, found.place) == (Level.BREAKING, place)
    assert found.why


@pytest.mark.parametrize(("new", "place"), COMPATIBLE)
def test_it_breaks_nobody(new: Contract, place: str) -> None:
    found = change(OLD, new)
    assert (found.level, found.place) == (Level.COMPATIBLE, place)


def test_a_message_may_be_admitted_in_more_places() -> None:
    one = contract(receives=(altered(ASK, servers=("main",)),))
    assert change(one, OLD).level is Level.COMPATIBLE


def test_a_contract_has_no_change_from_itself() -> None:
    assert compare_traffic(OLD, OLD) == []
