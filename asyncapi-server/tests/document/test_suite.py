"""Documents with every feature of the standard that touches WebSocket go through all commands."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from asyncapi_server import Contract, Severity, check, load_document
from asyncapi_server.mock.server import Mock
from support.rooms import DOCUMENTS

SUITE = DOCUMENTS / "suite"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((SUITE / "expected.yaml").read_text())
SERVED = [name for name, expected in EXPECTED.items() if "channels" in expected]


def test_each_document_of_the_suite_is_expected() -> None:
    files = {path.relative_to(SUITE) for path in SUITE.rglob("*") if path.is_file()}
    alone = {path.as_posix() for path in files if len(path.parts) == 1}
    folders = {path.parts[0] for path in files if len(path.parts) > 1}
    assert alone - {"expected.yaml"} == {name for name in EXPECTED if "/" not in name}
    assert folders == {name.partition("/")[0] for name in EXPECTED if "/" in name}
    assert len(EXPECTED) > 180


@pytest.mark.parametrize("name", EXPECTED)
def test_the_check_says_what_is_so(name: str) -> None:
    expected = EXPECTED[name]
    findings = check(SUITE / name, as_client=expected.get("as") == "client")
    counting = [finding for finding in findings if finding.severity is not Severity.ADVICE]
    assert sorted({finding.rule.key for finding in counting}) == expected.get("rules", [])
    severities = {finding.severity for finding in counting}
    status = 1 if Severity.ERROR in severities else 2 if severities else 0
    assert status == expected["check"]
    assert all(finding.place.line or finding.place.file.endswith(".json") for finding in findings)


@pytest.mark.parametrize("name", SERVED)
def test_what_can_be_served_is_read(name: str) -> None:
    expected = EXPECTED[name]
    document = load_document(SUITE / name, as_client=expected.get("as") == "client")
    read = {
        address: {
            "receives": [message.name for message in channel.receives],
            "sends": [message.name for message in channel.sends],
        }
        for address, channel in document.channels.items()
    }
    assert read == expected["channels"]
    contract = Contract.from_document(document)
    assert Contract.from_json(contract.to_json()) == contract


@pytest.mark.parametrize("name", SERVED)
def test_the_mock_opens_and_has_samples(name: str) -> None:
    document = load_document(SUITE / name, as_client=EXPECTED[name].get("as") == "client")
    mock = Mock(document)
    assert len(mock.paths) == len(document.channels)
    for message in mock.names:
        assert mock.send(message) == 0
