"""A connection is opened by credentials that the document demands."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, WSServerHandshakeError

from asyncapi_server import Contract, Router, RouterSetupError, load_document
from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.faults import Fault
from asyncapi_server.serving.security import Authenticate, Credential
from support.fronts import FRONTS, Front, served
from support.rooms import ask

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "key": {"type": "httpApiKey", "in": "query", "name": "key"},
    "header": {"type": "httpApiKey", "in": "header", "name": "X-Key"},
    "cookie": {"type": "httpApiKey", "in": "cookie", "name": "session"},
    "certificate": {"type": "X509"},
}
ADDRESS = "/vault"
CHALLENGES = {"bearer": "Bearer", "basic": "Basic"}


def document(version: str, server: list[list[str]], operation: list[list[str]]) -> dict[str, Any]:
    """A document that demands one of these sets of schemes of a connection, and of a request."""
    is_old = version < "3"
    components = {"securitySchemes": SCHEMES}

    def demands(alternatives: list[list[str]]) -> dict[str, Any]:
        if is_old:
            return {"security": [{name: [] for name in names} for names in alternatives]}
        refs = [f"#/components/securitySchemes/{name}" for [name] in alternatives]
        return {"security": [{"$ref": ref} for ref in refs]}

    def message(name: str) -> dict[str, Any]:
        schema = {"type": "object", "required": ["do"], "properties": {"do": {"const": name}}}
        return {"name": name, "payload": schema}

    look, open_ = message("look"), message("open")
    said = {"name": "said", "payload": {"type": "object", "required": ["said"]}}
    if is_old:
        reply = {"x-response": {"$ref": "#/components/messages/said"}}
        publish = {"message": {"oneOf": [look | reply, open_ | reply]}, **demands(operation)}
        return {
            "asyncapi": version,
            "info": {"title": "Vault", "version": "1"},
            "servers": {"main": {"url": "ws://h", "protocol": "ws", **demands(server)}},
            "channels": {
                ADDRESS: {
                    "publish": publish,
                    "subscribe": {"message": {"$ref": "#/components/messages/said"}},
                }
            },
            "components": {**components, "messages": {"said": said}},
        }
    channel = {"$ref": "#/channels/vault"}

    def receives(name: str, **more: Any) -> dict[str, Any]:
        reply = {"messages": [{"$ref": "#/channels/vault/messages/said"}]}
        messages = [{"$ref": f"#/channels/vault/messages/{name}"}]
        return {
            "action": "receive", "channel": channel, "messages": messages, "reply": reply, **more
        }  # fmt: skip

    return {
        "asyncapi": version,
        "info": {"title": "Vault", "version": "1"},
        "servers": {"main": {"host": "h", "protocol": "ws", **demands(server)}},
        "channels": {
            "vault": {
                "address": ADDRESS,
                "messages": {"look": look, "open": open_, "said": said},
            }
        },
        "operations": {"look": receives("look"), "open": receives("open", **demands(operation))},
        "components": components,
    }


def contract(folder: Path, *parts: Any) -> Contract:
    path = folder / "vault.yaml"
    path.write_text(yaml.safe_dump(document(*parts)))
    return Contract.from_json(Contract.from_document(load_document(path)).to_json())


class Handlers:
    """Says who asks."""

    async def on_look(self, client: Connection, _: object) -> object:
        return {"said": dict(client.identities)}

    async def on_open(self, client: Connection, _: object) -> object:
        return {"said": "open"}


async def token(credential: Credential, request: object) -> object:
    """Good credentials hold the word "good"."""
    assert request is not None
    return (credential.user or "someone") if "good" in credential.value else None


def key(credential: Credential, _: object) -> object:
    return credential.value or None


def error(fault: Fault) -> dict[str, object]:
    return {"said": f"{fault.kind}: {fault.text}"}


BASIC = base64.b64encode(b"ann:good:word").decode()


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("scheme", "query", "headers", "identity"),
    [
        ("bearer", "", {"Authorization": "Bearer good"}, "someone"),
        ("bearer", "", {"Authorization": "bearer  good"}, "someone"),
        ("bearer", "", {"Authorization": "Bearer bad"}, None),
        ("bearer", "", {"Authorization": f"Basic {BASIC}"}, None),
        ("bearer", "?key=good", {}, None),
        ("basic", "", {"Authorization": f"Basic {BASIC}"}, "ann"),
        ("basic", "", {"Authorization": "Basic good"}, None),
        ("key", "?key=good", {}, "someone"),
        ("key", "?key=", {}, None),
        ("header", "", {"x-key": "good"}, "someone"),
        ("cookie", "", {"Cookie": "a=b; session=good"}, "someone"),
        ("cookie", "", {"Cookie": "=;session"}, None),
    ],
)
async def test_a_connection_shows_its_credential(
    tmp_path: Path,
    front: type[Front],
    scheme: str,
    query: str,
    headers: dict[str, str],
    identity: str | None,
) -> None:
    found = contract(tmp_path, "3.0.0", [[scheme]], [])
    router = Router(found, ADDRESS, Handlers(), error_reply=error, authenticate={scheme: token})
    async with served(front(router), ADDRESS) as url, ClientSession(headers=headers) as session:
        if identity is not None:
            async with session.ws_connect(url + ADDRESS + query) as ws:
                assert await ask(ws, {"do": "look"}) == {"said": {scheme: identity}}
            return
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(url + ADDRESS + query)
        assert refused.value.status == 401
        sent = refused.value.headers
        assert sent is not None
        assert sent.get("WWW-Authenticate") == CHALLENGES.get(scheme)


@pytest.mark.parametrize("version", ["2.6.0", "3.1.0"])
async def test_a_request_may_ask_for_more_than_its_connection(tmp_path: Path, version: str) -> None:
    found = contract(tmp_path, version, [], [["key"]])
    router = Router(found, ADDRESS, Handlers(), error_reply=error, authenticate={"key": key})
    async with served(FRONTS[0](router), ADDRESS) as url, ClientSession() as session:
        async with session.ws_connect(f"{url}{ADDRESS}?key=k") as ws:
            assert await ask(ws, {"do": "open"}) == {"said": "open"}
        async with session.ws_connect(url + ADDRESS) as ws:
            said = (await ask(ws, {"do": "open"}))["said"]
            assert said.startswith("unauthorized: 'open' asks for")
            assert "the query parameter key" in said
            if version > "3":
                assert await ask(ws, {"do": "look"}) == {"said": {}}


def test_all_schemes_of_one_alternative_are_demanded(tmp_path: Path) -> None:
    found = contract(tmp_path, "2.4.0", [["key", "header"], ["cookie"]], [])
    names: dict[str, Authenticate] = dict.fromkeys(("key", "header", "cookie"), key)
    Router(found, ADDRESS, Handlers(), error_reply=error, authenticate=names)
    security = found.servers["main"].security
    assert [{each.name for each in part} for part in security] == [{"key", "header"}, {"cookie"}]


@pytest.mark.parametrize("server", [[["certificate"]], [["certificate"], ["bearer"]], []])
def test_credentials_that_no_request_shows_are_left_to_others(
    tmp_path: Path, server: list[list[str]]
) -> None:
    found = contract(tmp_path, "3.0.0", server, [])
    assert found.servers["main"].security == ()
    Router(found, ADDRESS, Handlers(), error_reply=error)


@pytest.mark.parametrize(
    ("authenticate", "says"),
    [
        ({}, "'bearer' has no function"),
        ({"bearer": key, "basic": key}, "no security scheme 'basic'"),
    ],
)
def test_functions_and_schemes_have_to_match(
    tmp_path: Path, authenticate: dict[str, Authenticate], says: str
) -> None:
    found = contract(tmp_path, "3.0.0", [["bearer"]], [])
    with pytest.raises(RouterSetupError, match=says):
        Router(found, ADDRESS, Handlers(), error_reply=error, authenticate=authenticate)
    Router(found, ADDRESS, Handlers(), error_reply=error, enforce_security=False)
