"""Documents of every version are read from the server's side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from asyncapi_server import Contract, ContractError, DocumentError, Rule, load_document
from support.rooms import DOCUMENTS


def compiled(name: str) -> Contract:
    return Contract.from_document(load_document(DOCUMENTS / name))


def test_the_same_api_in_2_and_3_gives_the_same_contract() -> None:
    two, three = compiled("pingpong_2.6.yaml"), compiled("pingpong_3.1.yaml")
    assert two.to_json() == three.to_json()
    channel = two.channel("/")
    assert [message.name for message in channel.receives] == ["ping"]
    assert [message.name for message in channel.sends] == ["pong", "error"]
    assert channel.receives[0].replies == ("pong", "error")
    assert channel.receives[0].correlation == "/id"


def test_a_json_document_is_read_as_its_yaml_is(tmp_path: Path) -> None:
    source = DOCUMENTS / "pingpong_3.1.yaml"
    copy = tmp_path / "pingpong.json"
    copy.write_text(json.dumps(yaml.safe_load(source.read_text())))
    assert Contract.from_document(load_document(copy)).to_json() == compiled(source.name).to_json()


def test_a_contract_survives_json() -> None:
    contract = compiled("rooms_3.1.yaml")
    assert Contract.from_json(contract.to_json()) == contract


def test_an_outdated_contract_is_refused() -> None:
    outdated = compiled("rooms_3.1.yaml").to_json().replace(b'"format": 1', b'"format": 0')
    with pytest.raises(ContractError, match="Generate it anew"):
        Contract.from_json(outdated)
    with pytest.raises(ContractError, match="Generate it anew"):
        Contract.from_json(b"[]")


def test_an_unknown_address_is_refused_with_those_known() -> None:
    with pytest.raises(ContractError, match="known: /rooms"):
        compiled("rooms_3.1.yaml").channel("/elsewhere")


def test_schemas_of_other_files_are_part_of_the_contract() -> None:
    (join, *_) = compiled("rooms_3.1.yaml").channel("/rooms").receives
    definitions = join.schema["definitions"]
    assert isinstance(definitions, dict)
    assert set(definitions) == {"RequestId", "Room"}


@pytest.mark.parametrize("name", ["market_2.6.yaml", "market_3.1.yaml"])
def test_each_message_knows_its_servers(name: str) -> None:
    admitted = {m.name: m.servers for m in compiled(name).channel("/").receives}
    only = {servers[0] for servers in admitted.values() if servers and len(servers) == 1}
    assert only == {"public", "private"}


def test_traits_and_named_schemas_are_read(tmp_path: Path) -> None:
    path = tmp_path / "traits.yaml"
    path.write_text(
        """
asyncapi: 2.4.0
info: {title: Traits, version: 1.0.0}
channels:
  /:
    publish:
      message:
        messageId: hello
        traits:
          - correlationId: {location: $message.payload#/meta/id}
        payload: {const: hello}
"""
    )
    (message,) = load_document(path).channels["/"].receives
    assert (message.name, message.correlation) == ("hello", "/meta/id")


def test_recursive_schemas_are_bundled_once(tmp_path: Path) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text(
        """
asyncapi: 2.6.0
info: {title: Tree, version: 1.0.0}
channels:
  /: {publish: {message: {name: tree, payload: {$ref: '#/components/schemas/Tree'}}}}
components:
  schemas:
    Tree:
      type: object
      properties: {kids: {type: array, items: {$ref: '#/components/schemas/Tree'}}}
"""
    )
    (message,) = load_document(path).channels["/"].receives
    definitions = message.schema["definitions"]
    assert isinstance(definitions, dict)
    assert list(definitions) == ["Tree"]


def test_of_two_messages_with_one_payload_the_first_is_served_and_the_other_named() -> None:
    document = load_document(DOCUMENTS / "kraken_article_2.0.yaml")
    (finding,) = document.findings
    assert finding.rule is Rule.TWIN
    assert "'unsubscribe' is that of 'subscribe'" in finding.text
    (channel,) = Contract.from_document(document).channels.values()
    assert [message.name for message in channel.receives] == ["ping", "subscribe"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("asyncapi: 1.2.0", "known versions"),
        ("asyncapi: 3.0", "the number 3.0, and has to be a text of three parts"),
        ("info: {}", "no key 'asyncapi'"),
        ("- a\n- b", "is an object, and this is none"),
        ("", "is an object, and this is none"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "is repeated here"),
        ("? [a]\n: 1", "plain text"),
        ("a: &a [*a]", "too deep"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(8)
        ), "too large"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=fault):
        load_document(path)


def test_yaml_is_read_by_the_rules_of_1_2(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(
        """
asyncapi: 2.6.0
info: {title: on, version: 1.0.0}
channels:
  /:
    publish:
      message:
        name: words
        payload: {enum: [on, no, 2020-01-01, 1:30, "5", 5, 0o10, 1.5, 1e3, null, true, ~]}
"""
    )
    document = load_document(path)
    assert document.title == "on"
    (message,) = document.channels["/"].receives
    expected = ["on", "no", "2020-01-01", "1:30", "5", 5, 8, 1.5, 1000.0, None, True, None]
    assert message.schema["enum"] == expected
