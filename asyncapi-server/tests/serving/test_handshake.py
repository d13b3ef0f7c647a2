"""A connection is opened by a request that meets its channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from asyncapi_server import ChannelContract, Contract, Router, load_document
from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.handshake import Handshake, HandshakeRefused
from support.fronts import FRONTS, Front, served
from support.rooms import until

DOCUMENT = """
asyncapi: 3.0.0
info: {title: Rooms, version: 1.0.0}
channels:
  room:
    address: /rooms/{room}/seats/{seat}
    parameters:
      room: {enum: [red, blue]}
      seat: {description: Any.}
    bindings:
      ws:
        query:
          type: object
          required: [token]
          properties: {token: {type: string}, Depth: {type: integer, maximum: 10}}
        headers: {type: object, properties: {X-Client: {type: string, maxLength: 3}}}
    messages:
      hello: {payload: {const: hello}}
operations:
  greet: {action: receive, channel: {$ref: '#/channels/room'}}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "rooms.yaml"
    path.write_text(DOCUMENT)
    return Contract.from_json(Contract.from_document(load_document(path)).to_json())


@pytest.fixture
def handshake(contract: Contract) -> Handshake:
    (address,) = contract.channels
    return Handshake(address, contract.channel(address))


TOKEN = ("token", "t")


def test_the_parameters_are_those_of_the_address(handshake: Handshake) -> None:
    for path in ("/rooms/red/seats/7", "/v1/rooms/red/seats/7/"):
        assert handshake.open(path, [TOKEN]) == {"room": "red", "seat": "7"}


@pytest.mark.parametrize(
    ("path", "query", "headers", "status", "says"),
    [
        ("/rooms/green/seats/1", [TOKEN], [], 404, 'no such room: "green" is not one of'),
        ("/rooms/red", [TOKEN], [], 404, "the address is /rooms/{room}/seats/{seat}"),
        ("/rooms/red/seats/1", [], [], 400, 'The query: "token" is a required property'),
        ("/rooms/red/seats/1", [TOKEN, ("Depth", "11")], [], 400, "The query Depth: 11 is greater"),
        ("/rooms/red/seats/1", [TOKEN, ("Depth", "x")], [], 400, 'Depth: "x" is not of type'),
        ("/rooms/red/seats/1", [TOKEN], [("x-client", "long")], 400, "The headers X-Client:"),
    ],
)
def test_a_request_that_does_not_meet_the_channel_is_refused(
    handshake: Handshake,
    path: str,
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    status: int,
    says: str,
) -> None:
    with pytest.raises(HandshakeRefused, match=says.replace("{", r"\{")) as refused:
        handshake.open(path, query, headers)
    assert refused.value.status == status


class Handlers:
    """Answers with nothing, and keeps the parameters of who asked."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}

    async def on_hello(self, client: Connection, _: object) -> None:
        self.parameters = dict(client.parameters)


@pytest.mark.parametrize("front", FRONTS)
async def test_a_handler_knows_the_parameters(contract: Contract, front: type[Front]) -> None:
    handlers = Handlers()
    (address,) = contract.channels
    endpoint = front(Router(contract, address, handlers, error_reply=lambda _: None))
    async with served(endpoint, address) as url, ClientSession() as session:
        url = f"{url}/rooms/blue/seats/9"
        async with session.ws_connect(f"{url}?token=t&Depth=3") as ws:
            await ws.send_str('"hello"')
            await until(lambda: bool(handlers.parameters))
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(url)
    assert refused.value.status == 400
    assert handlers.parameters == {"room": "blue", "seat": "9"}


def test_a_parameter_is_a_text_of_the_type_of_its_schema() -> None:
    schema = {"type": "integer", "minimum": 1, "maximum": 9999}
    channel = ChannelContract((), (), parameters={"lot": schema})
    handshake = Handshake("/lots/{lot}", channel)
    assert handshake.open("/lots/17") == {"lot": "17"}
    for lot in ("0", "x", "1.5"):
        with pytest.raises(HandshakeRefused, match="no such lot"):
            handshake.open(f"/lots/{lot}")
