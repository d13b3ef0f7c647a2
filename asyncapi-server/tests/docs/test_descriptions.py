"""A description has what a document says to its readers."""

from __future__ import annotations

import pytest

from asyncapi_server import DocumentError
from asyncapi_server.docs import Description, MessageDescription, Row, describe
from support.rendered import EXPECTED, READ, SHOWCASE, SUITE
from support.rooms import DOCUMENTS


@pytest.fixture(scope="module")
def desk() -> Description:
    return describe(SHOWCASE)


def message(description: Description, name: str) -> MessageDescription:
    (channel,) = description.channels
    return next(m for m in (*channel.receives, *channel.sends) if m.name == name)


def test_servers_have_their_address_variables_and_security(desk: Description) -> None:
    main, staff = desk.servers
    assert (main.url, main.protocol, main.version) == (
        "wss://{town}.library.example/desk", "wss", "13",
    )  # fmt: skip
    (town,) = main.variables
    assert (town.name, town.row.constants, town.row.default) == (
        "town", ('"north"', '"south"'), '"north"',
    )  # fmt: skip
    words = [[scheme.words for scheme in schemes] for schemes in main.security]
    assert words == [["API key in the query as `token`"], ["HTTP `bearer`"]]
    assert staff.security == ()


def test_a_channel_has_its_parameters_and_bindings(desk: Description) -> None:
    (channel,) = desk.channels
    assert [(each.name, each.row.examples) for each in channel.parameters] == [
        ("desk", ('"main"', '"children"'))
    ]
    query = [(row.path, row.required) for row in channel.query if isinstance(row, Row)]
    assert query == [("language", True), ("token", False)]
    assert [row.path for row in channel.headers if isinstance(row, Row)] == ["X-Reader"]
    assert [(o.name, o.receives) for o in channel.operations] == [
        ("lend", True), ("search", True), ("shut", True), ("remind", False),
    ]  # fmt: skip


def test_a_request_names_its_answers_and_an_answer_its_requests(desk: Description) -> None:
    borrow, error = message(desk, "borrow"), message(desk, "error")
    assert borrow.answers == ("borrowed", "error")
    assert borrow.correlation == "/request"
    assert error.asked_by == ("borrow", "find", "close")
    assert not error.unasked
    assert message(desk, "reminder").unasked
    assert message(desk, "close").servers == ("staff",)
    (operation,) = borrow.operations
    assert operation.security[0][0].words == (
        "OAuth 2, client credentials at `https://id.library.example/token` with scope `lend`"
    )


def test_examples_are_exact_and_made_where_there_are_none(desk: Description) -> None:
    first, second = message(desk, "borrow").examples
    assert (first.title, first.made) == ("One book for a week", False)
    assert '"book": 9007199254740993' in first.json
    assert second.title == ""
    (made,) = message(desk, "reminder").examples
    assert made.made
    assert '"did": "reminder"' in made.json


def test_directions_turn_for_a_document_of_a_client() -> None:
    path = DOCUMENTS / "pingpong_3.1.yaml"
    served, client = describe(path).channels[0], describe(path, as_client=True).channels[0]
    assert [m.name for m in served.receives] == ["ping"]
    assert "ping" in [m.name for m in client.sends]
    assert [o.receives for o in client.operations] == [not o.receives for o in served.operations]


@pytest.mark.parametrize("name", READ)
def test_every_document_is_described_with_all_of_its_messages(name: str) -> None:
    expected = EXPECTED[name]
    description = describe(SUITE / name, as_client=expected.get("as") == "client")
    assert {
        channel.address: {
            "receives": [message.name for message in channel.receives],
            "sends": [message.name for message in channel.sends],
        }
        for channel in description.channels
    } == expected["channels"]


def test_traits_give_their_texts() -> None:
    (channel,) = describe(SUITE / "traits-2.0.yaml").channels
    (operation,) = (each for each in channel.operations if each.receives)
    assert (operation.name, operation.about.tags) == ("mixerInput", ("input",))
    assert operation.about.description == "What desks send."
    assert operation.about.summary == "Changes of a channel strip."


def test_a_schema_that_is_not_read_is_shown_as_it_is() -> None:
    (channel,) = describe(SUITE / "avro-3.0.yaml").channels
    other = next(m for m in (*channel.receives, *channel.sends) if m.format)
    assert "avro" in other.format
    assert other.rows == ()
    assert '"type"' in other.source


def test_what_is_not_served_is_a_finding() -> None:
    findings = describe(SUITE / "protocols-3.1.yaml").findings
    assert {finding.rule.key for finding in findings} == {"protocol"}


def test_a_document_that_cannot_be_read_is_none() -> None:
    with pytest.raises(DocumentError, match="known versions"):
        describe(SUITE / "fault-version-3.9.yaml")
