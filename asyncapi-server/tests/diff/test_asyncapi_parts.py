"""Parts of AsyncAPI documents of any version: each kind of change in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asyncapi_server import DocumentError
from asyncapi_server.diff import Level, Side, Terms
from diff.documents import Document, Edit, changes, edited, level, nothing, rich

B, C, W = Level.BREAKING, Level.COMPATIBLE, Level.WORDS
ROOMS_2, ROOMS_3 = rich("rooms-2.6.yaml"), rich("rooms-3.0.yaml")


def server(document: Document) -> Any:
    return document["servers"]["main"]


def channel(document: Document) -> Any:
    channels = document["channels"]
    return channels.get("room") or channels["/rooms/{room}"]


def operation(document: Document) -> Any:
    if "operations" in document:
        return document["operations"]["speak"]
    return channel(document)["publish"]


def parameter(document: Document) -> Any:
    (found,) = channel(document)["parameters"].values()
    return found


def message(name: str) -> Callable[[Document], Any]:
    return lambda document: document["components"]["messages"][name]


def payload(name: str) -> Callable[[Document], Any]:
    def found(document: Document) -> Any:
        declared = message(name)(document)["payload"]
        return declared.get("schema", declared)

    return found


def schema(name: str) -> Callable[[Document], Any]:
    return lambda document: document["components"]["schemas"][name]


def set_(find: Callable[[Document], Any], **fields: Any) -> Edit:
    return lambda document: find(document).update(fields)


def drop(find: Callable[[Document], Any], key: str) -> Edit:
    return lambda document: find(document).pop(key)


def oauth(document: Document) -> Any:
    schemes = document["components"]["securitySchemes"]
    return (schemes.get("token") or schemes["talk"])["flows"]["clientCredentials"]


def scopes(document: Document) -> Any:
    return oauth(document).get("scopes") or oauth(document)["availableScopes"]


def variable(name: str, **fields: Any) -> Edit:
    return lambda document: server(document)["variables"][name].update(fields)


def websocket(document: Document) -> Any:
    return channel(document)["bindings"]["ws"]


EITHER = [
    pytest.param(variable("region", enum=["eu", "us", "asia"]), C, B, id="a region more"),
    pytest.param(variable("region", default="us"), B, B, id="default of a variable"),
    pytest.param(variable("region", description="Where."), W, W, id="words of a variable"),
    pytest.param(variable("region", examples=["eu"]), W, W, id="examples of a variable"),
    pytest.param(variable("port", enum=["443"]), B, B, id="a variable that had any value"),
    pytest.param(set_(server, protocolVersion="8"), B, B, id="version of the protocol"),
    pytest.param(set_(server, bindings={"ws": {"x": 1}}), B, B, id="bindings of a server"),
    pytest.param(set_(server, description="Here."), W, W, id="words of a server"),
    pytest.param(drop(server, "security"), C, B, id="no credentials"),
    pytest.param(lambda d: server(d)["security"].pop(), B, C, id="an alternative less"),
    pytest.param(lambda d: scopes(d).update(admin="All."), C, B, id="another scope on offer"),
    pytest.param(lambda d: scopes(d).update(talk="Talk."), W, W, id="words of a scope"),
    pytest.param(
        lambda d: oauth(d).update(tokenUrl="https://other.test"), B, B, id="another token URL"
    ),
    pytest.param(
        lambda d: d["components"]["securitySchemes"]["key"].update(name="x-key"),
        W,
        W,
        id="case of a header",
    ),
    pytest.param(
        lambda d: d["components"]["securitySchemes"]["key"].update({"in": "query"}),
        B,
        B,
        id="key in the query",
    ),
    pytest.param(drop(channel, "parameters"), B, B, id="no parameters"),
    pytest.param(
        lambda d: parameter(d).get("schema", parameter(d)).pop("enum"),
        C,
        B,
        id="a parameter that may be any text",
    ),
    pytest.param(set_(parameter, location="$message.payload#/r"), B, B, id="location"),
    pytest.param(set_(parameter, description="Where."), W, W, id="words of a parameter"),
    pytest.param(drop(channel, "bindings"), B, B, id="bindings of the upgrade"),
    pytest.param(set_(websocket, method="POST"), B, B, id="method of the upgrade"),
    pytest.param(set_(websocket, bindingVersion="9.9.9"), B, B, id="version of the binding"),
    pytest.param(
        lambda d: websocket(d)["query"]["properties"]["since"].update(minimum=-1),
        C,
        B,
        id="query of the upgrade",
    ),
    pytest.param(
        lambda d: channel(d)["bindings"].update(kafka={"topic": "t"}), B, B, id="another binding"
    ),
    pytest.param(drop(channel, "servers"), W, W, id="all servers, which were all"),
    pytest.param(lambda d: channel(d)["servers"].pop(), B, C, id="a server less"),
    pytest.param(set_(operation, security=[]), C, B, id="credentials of an operation"),
    pytest.param(
        lambda d: d["components"]["operationTraits"]["loud"]["bindings"]["ws"].update(ack=False),
        B,
        B,
        id="a binding from a trait",
    ),
    pytest.param(
        lambda d: d["components"]["messageTraits"]["traced"]["headers"].pop("required"),
        C,
        B,
        id="headers from a trait",
    ),
    pytest.param(drop(message("say"), "traits"), B, B, id="no headers"),
    pytest.param(drop(message("say"), "correlationId"), B, C, id="no correlation id"),
    pytest.param(
        lambda d: d["components"]["correlationIds"]["id"].update(location="$message.header#/id"),
        B,
        B,
        id="correlation id in a header",
    ),
    pytest.param(set_(message("leave"), contentType="text/plain"), B, B, id="content type"),
    pytest.param(drop(message("leave"), "x-servers"), C, B, id="a message on all servers"),
    pytest.param(lambda d: message("say")(d)["x-response"]["oneOf"].pop(), B, B, id="a reply less"),
    pytest.param(set_(message("say"), summary="Say it."), W, W, id="words of a message"),
    pytest.param(set_(message("said"), bindings={"ws": {"a": 1}}), B, B, id="a binding"),
    pytest.param(
        lambda d: payload("left")(d)["properties"]["why"].pop("nullable"), C, B, id="null no more"
    ),
    pytest.param(
        lambda d: payload("left")(d)["properties"]["why"].update(format="time"),
        B,
        B,
        id="another format",
    ),
    pytest.param(
        lambda d: payload("refused")(d)["oneOf"].pop(), C, B, id="an alternative of a payload"
    ),
    pytest.param(
        lambda d: payload("refused")(d)["oneOf"].reverse(), W, W, id="order of alternatives"
    ),
    pytest.param(
        lambda d: payload("say")(d)["properties"]["volume"].update(maximum=12), C, B, id="louder"
    ),
    pytest.param(
        lambda d: payload("say")(d)["properties"]["volume"].update(default=6), B, B, id="default"
    ),
    pytest.param(
        lambda d: payload("said")(d)["properties"]["mood"]["enum"].append("bored"),
        B,
        C,
        id="a mood more",
    ),
    pytest.param(
        lambda d: schema("Reply")(d)["properties"].update(at={"type": "integer"}),
        C,
        B,
        id="a property, recursive",
    ),
    pytest.param(
        lambda d: schema("Reply")(d).pop("dependencies"), B, C, id="dependencies, recursive"
    ),
    pytest.param(lambda d: schema("Reply")(d).pop("then"), B, C, id="a condition, recursive"),
    pytest.param(
        lambda d: schema("Reply")(d).update(propertyNames={"maxLength": 20}),
        C,
        B,
        id="names of properties, recursive",
    ),
    pytest.param(lambda d: schema("Text")(d).update(maxLength=50), B, B, id="in both directions"),
    pytest.param(lambda d: schema("Text")(d).update(description="No."), W, W, id="words"),
    pytest.param(lambda d: d.update(id="urn:rooms"), B, B, id="id of the application"),
    pytest.param(lambda d: d["info"].update(title="Halls"), W, W, id="title"),
]


@pytest.mark.parametrize("document", [ROOMS_2, ROOMS_3], ids=["2.6", "3.0"])
@pytest.mark.parametrize(("edit", "there", "back"), EITHER)
def test_a_change_has_its_level(document: Document, edit: Edit, there: Level, back: Level) -> None:
    changed = edited(document, edit)
    assert level(changes(document, changed)) is there
    assert level(changes(changed, document)) is back


def rooms(channels: dict[str, Any], **operations: list[str]) -> Document:
    """A document of AsyncAPI 3 whose operations receive messages, given as "channel/message"."""
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "Rooms", "version": "1.0.0"},
        "channels": channels,
        "operations": {
            name: {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{messages[0].partition('/')[0]}"},
                "messages": [
                    {"$ref": f"#/channels/{key}/messages/{message}"}
                    for key, _, message in (each.partition("/") for each in messages)
                ],
            }
            for name, messages in operations.items()
        },
    }


def room(*names: str, address: str | None = "/", **fields: Any) -> dict[str, Any]:
    messages = {name: {"payload": {"type": "object", "required": [name]}} for name in names}
    return {"address": address, "messages": messages, **fields}


TOKEN: dict[str, Any] = {"bindings": {"ws": {"query": {"required": ["token"]}}}}
STEPS = [
    pytest.param(
        rooms({"a": room("x", "y")}, ask=["a/x", "a/y"]),
        rooms({"a": room("x"), "b": room("y")}, ask=["a/x"], more=["b/y"]),
        C,
        id="a message moves to another channel of the address",
    ),
    pytest.param(
        rooms({"a": room("x", "y")}, ask=["a/x", "a/y"]),
        rooms({"a": room("x"), "b": room("y", **TOKEN)}, ask=["a/x"], more=["b/y"]),
        B,
        id="another channel of the address asks for more",
    ),
    pytest.param(
        rooms({"a": room("x"), "b": room("y", address="/b")}, ask=["a/x"], more=["b/y"]),
        rooms({"a": room("x"), "c": room("y", address="/b")}, ask=["a/x"], more=["c/y"]),
        W,
        id="the key of a channel",
    ),
    pytest.param(
        rooms({"a": room("x", address="/{one}/{two}")}, ask=["a/x"]),
        rooms({"a": room("x", address="/{two}/{one}")}, ask=["a/x"]),
        W,
        id="names of parameters",
    ),
    pytest.param(
        rooms({"a": room("x", address="/{one}")}, ask=["a/x"]),
        rooms({"a": room("x", address="/{one}/x")}, ask=["a/x"]),
        B,
        id="another address",
    ),
    pytest.param(
        rooms({"a": room("x", address=None)}, ask=["a/x"]),
        rooms({"a": room("x", address="/")}, ask=["a/x"]),
        B,
        id="an address that was not known before",
    ),
    pytest.param(
        rooms({"a": room("x", address=None)}, ask=["a/x"]),
        rooms({"a": room("x", "y", address=None)}, ask=["a/x", "a/y"]),
        C,
        id="a message more at an address that is not known",
    ),
    pytest.param(
        rooms({"a": room("x")}),
        rooms({"a": {**room("x"), "messages": {"x": {"payload": {"type": "array"}}}}}),
        B,
        id="a message of no operation",
    ),
    pytest.param(
        rooms({"a": room("x", "y")}, ask=["a/x"], more=["a/y"]),
        rooms({"a": room("x", "y")}, ask=["a/y"], more=["a/x"]),
        W,
        id="operations that change their messages",
    ),
]


@pytest.mark.parametrize(("old", "new", "right"), STEPS)
def test_channels_and_operations_are_compared_by_what_passes(
    old: Document, new: Document, right: Level
) -> None:
    assert level(changes(old, new)) is right


def test_a_message_does_not_move_to_an_operation_that_asks_for_more() -> None:
    old = rooms({"a": room("x", "y")}, ask=["a/x"], more=["a/y"])
    new = rooms({"a": room("x", "y")}, ask=["a/y"], more=["a/x"])
    scheme = {"type": "userPassword"}
    for document in (old, new):
        document["operations"]["more"]["security"] = [scheme]
    broken = [change for change in changes(old, new) if change.level is B]
    assert {(change.where, change.what) for change in broken} == {
        ("operation ask", "it has x no more")
    }
    assert all(change.breaks == {Side.SENDERS} for change in broken)


def two(*messages: dict[str, Any], **more: Any) -> Document:
    """A document of AsyncAPI 2 whose server receives messages without names."""
    return {
        "asyncapi": "2.6.0",
        "info": {"title": "Small", "version": "1.0.0"},
        "channels": {"/": {"publish": {"message": {"oneOf": list(messages)}}, **more}},
    }


ONE = {"payload": {"type": "object", "required": ["one"]}}
TWO = {"payload": {"type": "object", "required": ["two"]}}


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        pytest.param(two(ONE, TWO), two(TWO, ONE), W, id="order"),
        pytest.param(two(ONE), two(ONE, TWO), C, id="one more"),
        pytest.param(two(TWO), two(ONE, TWO), C, id="one more, before it"),
        pytest.param(two(ONE, TWO), two(TWO), B, id="one less"),
        pytest.param(two(ONE), two({"payload": {"type": "object"}}), C, id="wider"),
        pytest.param(two(ONE), two({"messageId": "one", **ONE}), W, id="it gets a name"),
        pytest.param(two({"messageId": "one", **ONE}), two(ONE), W, id="it loses its name"),
        pytest.param(
            two({"messageId": "one", **ONE}), two({"messageId": "uno", **ONE}), B, id="renamed"
        ),
        pytest.param(two(ONE), two(ONE, servers=[]), W, id="an empty list of servers"),
        pytest.param(two(ONE), rooms({"a": room("one")}, ask=["a/one"]), W, id="as AsyncAPI 3"),
    ],
)
def test_messages_without_names_are_known_by_their_payloads(
    old: Document, new: Document, right: Level
) -> None:
    assert level(changes(old, new)) is right


@pytest.mark.parametrize("schema_format", ["application/vnd.apache.avro;version=1.9.0", "text/x"])
def test_a_schema_in_a_format_that_is_not_read_may_not_change(schema_format: str) -> None:
    def avro(kind: str, form: str = schema_format) -> Document:
        record = {"type": "record", "fields": [{"name": "a", "type": kind}]}
        return two({"messageId": "one", "schemaFormat": form, "payload": record})

    assert changes(avro("int"), avro("int")) == ()
    (change,) = changes(avro("int"), avro("long"))
    assert (change.level, change.what) == (B, "int becomes long")
    assert level(changes(avro("int"), avro("int", f"{schema_format}0"))) is B
    assert level(changes(avro("int"), two({"messageId": "one", **ONE}))) is B


def test_extensions_break_unless_the_terms_say_otherwise() -> None:
    new = edited(ROOMS_3, lambda d: channel(d).update({"x-note": 1, "x-more": {"$ref": "nowhere"}}))
    assert level(changes(ROOMS_3, new)) is B
    assert level(changes(ROOMS_3, new, Terms(frozenset({"x-note"})))) is B
    assert level(changes(ROOMS_3, new, Terms(frozenset({"x-note", "x-more"})))) is W


FAULTS = [
    pytest.param(lambda d: d.update(channels=[]), "channels", id="no object"),
    pytest.param(lambda d: d["channels"].update(more=5), "has to be an object", id="a number"),
    pytest.param(lambda d: channel(d).update(servers={}), "has to be an array", id="no array"),
    pytest.param(
        lambda d: channel(d).update(servers=[{"$ref": "#/components/servers/no"}]),
        "leads nowhere",
        id="a server that is not there",
    ),
    pytest.param(
        lambda d: channel(d).update(messages={"say": {"$ref": "#/components/messages/no"}}),
        "leads nowhere",
        id="a message that is not there",
    ),
    pytest.param(
        lambda d: d["operations"]["speak"].update(action="shout"), "receive, send", id="an action"
    ),
    pytest.param(
        lambda d: d["operations"]["speak"].pop("channel"), "name its channel", id="no channel"
    ),
    pytest.param(
        lambda d: (
            d["operations"]["speak"].update(messages=[{"$ref": "#/components/messages/left"}])
            or channel(d)["messages"].pop("left")
        ),
        "no message of the channel",
        id="a message of no channel",
    ),
    pytest.param(
        lambda d: payload("say")(d).update(properties=5), "object of schemas", id="properties"
    ),
    pytest.param(lambda d: payload("say")(d).update(allOf={}), "array of schemas", id="allOf"),
    pytest.param(lambda d: payload("say")(d).update(items=5), "or a boolean", id="items"),
]


@pytest.mark.parametrize(("edit", "text"), FAULTS)
def test_a_document_that_cannot_be_read_is_no_document_that_changes(edit: Edit, text: str) -> None:
    broken = edited(ROOMS_3, edit)
    for old, new in ((broken, ROOMS_3), (ROOMS_3, broken)):
        with pytest.raises(DocumentError, match=text) as error:
            changes(old, new)
        assert len(error.value.findings) == 1


def test_a_step_back_and_forth_is_no_step() -> None:
    assert changes(ROOMS_3, edited(ROOMS_3, nothing)) == ()
