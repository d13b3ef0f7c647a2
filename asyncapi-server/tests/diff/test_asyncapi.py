"""The effect of each change of an AsyncAPI document on its clients."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from asyncapi_server.diff import Change, Level
from diff.documents import Document as Dict
from diff.documents import Edit, changes, edited

DOCUMENT: Dict = yaml.safe_load("""
asyncapi: 3.1.0
info: {title: Small, version: 1.0.0}
defaultContentType: application/json
servers:
  main: {host: localhost, protocol: ws}
channels:
  stream:
    address: /ws
    messages:
      ask: {$ref: '#/components/messages/ask'}
      answer: {$ref: '#/components/messages/answer'}
      tick: {$ref: '#/components/messages/tick'}
operations:
  ask:
    action: receive
    channel: {$ref: '#/channels/stream'}
    messages: [{$ref: '#/channels/stream/messages/ask'}]
    reply:
      channel: {$ref: '#/channels/stream'}
      messages: [{$ref: '#/channels/stream/messages/answer'}]
  tick:
    action: send
    channel: {$ref: '#/channels/stream'}
    messages: [{$ref: '#/channels/stream/messages/tick'}]
components:
  messages:
    ask:
      name: Ask
      correlationId: {location: '$message.payload#/id'}
      payload:
        type: object
        required: [action]
        additionalProperties: false
        properties:
          action: {type: string, enum: [ask]}
          id: {type: integer}
          count: {$ref: '#/components/schemas/Count'}
    answer:
      name: Answer
      payload:
        type: object
        required: [type]
        properties:
          type: {type: string, enum: [answer]}
          count: {$ref: '#/components/schemas/Count'}
          code: {type: string, enum: [A, B]}
    tick:
      name: Tick
      payload:
        type: object
        required: [type]
        properties:
          type: {type: string, enum: [tick]}
  schemas:
    Count: {type: integer, minimum: 0, default: 1}
    Unused: {type: integer}
""")


def ask(document: Dict) -> Any:
    return document["components"]["messages"]["ask"]


def answer(document: Dict) -> Any:
    return document["components"]["messages"]["answer"]


def channel(document: Dict) -> Any:
    return document["channels"]["stream"]


def schemas(document: Dict) -> Any:
    return document["components"]["schemas"]


def renamed(document: Dict) -> None:
    messages = channel(document)["messages"]
    messages["question"] = messages.pop("ask")
    reference = {"$ref": "#/channels/stream/messages/question"}
    document["operations"]["ask"]["messages"] = [reference]


def moved(document: Dict) -> None:
    """Give the channel another key."""
    document["channels"]["other"] = document["channels"].pop("stream")
    for operation in document["operations"].values():
        for holder in (operation, operation.get("reply", {})):
            if "channel" in holder:
                holder["channel"] = {"$ref": "#/channels/other"}
            for message in holder.get("messages", []):
                message["$ref"] = message["$ref"].replace("/stream/", "/other/")


def split(document: Dict) -> None:
    """Move a message to a channel of its own at the same address."""
    tick = channel(document)["messages"].pop("tick")
    query = {"ws": {"query": {"type": "object", "required": ["token"]}}}
    document["channels"]["more"] = {"address": "/ws", "messages": {"tick": tick}, "bindings": query}
    document["operations"]["tick"] = {
        "action": "send",
        "channel": {"$ref": "#/channels/more"},
    }


BREAKING = [
    pytest.param(
        lambda d: d.update(defaultContentType="application/cbor"), "/ws ask", id="content type"
    ),
    pytest.param(lambda d: d.pop("defaultContentType"), "/ws ask", id="no content type"),
    pytest.param(
        lambda d: answer(d).update(contentType="application/cbor"),
        "/ws answer",
        id="content type of a message",
    ),
    pytest.param(
        lambda d: answer(d).update(headers={"type": "object", "required": ["x"]}),
        "#/components/messages/answer/headers",
        id="headers",
    ),
    pytest.param(
        lambda d: ask(d).update(name="Question"), "#/components/messages/ask/name", id="name"
    ),
    pytest.param(
        lambda d: ask(d).update(bindings={"ws": {}}),
        "#/components/messages/ask/bindings",
        id="binding of a message",
    ),
    pytest.param(
        lambda d: ask(d).update(traits=[{"headers": {}}]),
        "#/components/messages/ask/traits/0/headers",
        id="traits",
    ),
    pytest.param(
        lambda d: channel(d).update(bindings={"ws": {"query": {"required": ["token"]}}}),
        "/ws query",
        id="a query of the upgrade",
    ),
    pytest.param(
        lambda d: channel(d).update(
            bindings={"ws": {"headers": {"required": ["Sec-WebSocket-Protocol"]}}}
        ),
        "/ws headers",
        id="a header of the upgrade",
    ),
    pytest.param(
        lambda d: channel(d).update(parameters={"x": {}}),
        "#/channels/stream/parameters/x",
        id="parameters",
    ),
    pytest.param(split, "/ws query", id="another channel of the same address"),
    pytest.param(
        lambda d: d["servers"]["main"].update(security=[{"type": "userPassword"}]),
        "#/servers/main/security",
        id="credentials",
    ),
    pytest.param(
        lambda d: d["servers"]["main"].update(protocolVersion="13"),
        "#/servers/main/protocolVersion",
        id="version of the protocol",
    ),
    pytest.param(
        lambda d: d["operations"]["ask"].update(security=[{"type": "userPassword"}]),
        "#/operations/ask/security",
        id="credentials of an operation",
    ),
    pytest.param(
        lambda d: d["operations"]["ask"]["reply"].update(
            address={"location": "$message.header#/a"}
        ),
        "#/operations/ask/reply/address",
        id="where the reply goes",
    ),
    pytest.param(
        lambda d: d["operations"].update(tock=d["operations"].pop("tick")),
        "operation tick",
        id="the name of an operation",
    ),
    pytest.param(lambda d: d.update({"x-more": 1}), "#/x-more", id="an extension"),
    pytest.param(
        lambda d: channel(d).update({"x-more": 1}),
        "#/channels/stream/x-more",
        id="an extension of a channel",
    ),
    pytest.param(
        lambda d: ask(d)["correlationId"].update({"x-more": 1}),
        "#/components/messages/ask/correlationId/x-more",
        id="an extension of a correlation id",
    ),
    pytest.param(lambda d: schemas(d)["Count"].update(default=2), "/ws ask/count", id="default"),
    pytest.param(
        lambda d: schemas(d)["Count"].update(contentEncoding="base64"),
        "#/components/schemas/Count",
        id="a keyword that is not modelled",
    ),
    pytest.param(
        lambda d: ask(d)["payload"]["properties"]["count"].update(nullable=True),
        "#/components/messages/ask/payload/properties/count",
        id="a keyword beside a reference",
    ),
    pytest.param(
        lambda d: ask(d)["payload"]["properties"]["action"].update(enum=["please"]),
        "/ws ask/action",
        id="known by another constant",
    ),
    pytest.param(
        lambda d: answer(d)["payload"]["properties"]["code"].update(enum=["A", "B", "C"]),
        "/ws answer/code",
        id="a new error code",
    ),
]
COMPATIBLE = [
    pytest.param(
        lambda d: answer(d)["payload"]["properties"]["code"].update(enum=["A"]),
        id="an error code less",
    ),
    pytest.param(
        lambda d: answer(d)["payload"]["properties"].update(
            more={"type": "string", "default": "x"}
        ),
        id="a new field",
    ),
    pytest.param(
        lambda d: answer(d)["payload"]["properties"]["code"].update(default="A"),
        id="a default in what clients get",
    ),
    pytest.param(lambda d: schemas(d)["Count"].update(deprecated=True), id="deprecated"),
]
WORDS = [
    pytest.param(lambda d: d.update(asyncapi="3.0.0"), id="edition of the specification"),
    pytest.param(lambda d: ask(d).update(title="Ask", examples=[]), id="annotations"),
    pytest.param(lambda d: schemas(d)["Count"].update(description="How many"), id="description"),
    pytest.param(renamed, id="the key of a message that keeps its name"),
    pytest.param(moved, id="the key of a channel that keeps its address"),
    pytest.param(
        lambda d: (
            d.pop("defaultContentType"),
            [
                m.update(contentType="application/json")
                for m in d["components"]["messages"].values()
            ],
        ),
        id="the content type at each message",
    ),
    pytest.param(
        lambda d: answer(d)["payload"]["properties"].update(count=schemas(d)["Count"]),
        id="a reference that is written out",
    ),
    pytest.param(
        lambda d: channel(d)["messages"].update(ask=d["components"]["messages"].pop("ask")),
        id="a message that moves into its channel",
    ),
    pytest.param(lambda d: schemas(d)["Unused"].update(type="string"), id="what nothing uses"),
    pytest.param(lambda d: d["info"].update(title="Other", license={"name": "MIT"}), id="info"),
]


def found(edit: Edit) -> tuple[Change, ...]:
    return changes(DOCUMENT, edited(DOCUMENT, edit))


@pytest.mark.parametrize(("edit", "place"), BREAKING)
def test_it_breaks_clients(edit: Edit, place: str) -> None:
    broken = [change for change in found(edit) if change.level is Level.BREAKING]
    assert place in {change.where for change in broken}
    assert all(change.what and change.why for change in broken)


@pytest.mark.parametrize("edit", COMPATIBLE)
def test_it_breaks_nobody(edit: Edit) -> None:
    assert {change.level for change in found(edit)} == {Level.COMPATIBLE}


@pytest.mark.parametrize("edit", WORDS)
def test_it_is_not_on_the_wire(edit: Edit) -> None:
    assert {change.level for change in found(edit)} == {Level.WORDS}


def test_a_document_has_no_change_from_itself() -> None:
    assert found(lambda document: None) == ()
