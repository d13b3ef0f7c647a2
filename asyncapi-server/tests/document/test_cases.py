"""Minimal documents, each with the fault of real ones, are judged right, served and mocked."""

from __future__ import annotations

import pytest

from asyncapi_server import load_document
from asyncapi_server.__main__ import main
from asyncapi_server.contract_tests import Rules
from asyncapi_server.contract_tests.campaign import run_all
from asyncapi_server.mock.samples import SampleBook, Samples
from asyncapi_server.mock.server import Mock
from support.campaigns import ONE_LOOP, beside
from support.rooms import CASES

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases of {CASES} are not here")

VALID = {
    "02-valid-but-plain.yaml", "03-reply-only.yaml", "04-optional-type.yaml",
    "05-correlation-header.yaml", "07-ref-through-ref.yaml", "08-parameter-ref-2x.yaml",
    "09-no-payload.yaml", "10-openapi-format.yaml", "11-two-channels-one-address.yaml",
    "16-mock-starts-slowly.yaml", "17-payload-refers-to-itself.yaml",
    "18-contract-tests-unsatisfiable.yaml", "19-reply-without-error-message.yaml",
    "20-refusal-of-another-request.yaml", "24-bom.json", "25-client-document.yaml",
    "28-schema-examples.yaml",
}  # fmt: skip
SERVED_IN_PART = {"06-dynamic-reply-address.yaml": "'rep' has no address"}
FAULTY = {
    "01-old-version.yaml": "asyncapi is '1.2.0'; known versions: 2.0.0",
    "01b-version-3.0.yaml": "asyncapi is '3.0'; known versions: 2.0.0",
    "12-operation-message-not-of-channel.yaml": "'ping' is not a message of the channel 'c'",
    "13-other-file/main.yaml": "parts.yaml:2 #/chan: error: Additional properties",
    "15-address-parameters.yaml": "the address 'a/{x}' has no {y}",
    "22-endless-file.yaml": "'/dev/zero'",
    "23-server-without-host.yaml": '"host" is a required property',
    "26-dangling-channel-for-reference.yaml": "'#/components/channels/no' leads nowhere",
}
UNMADE = {"18-contract-tests-unsatisfiable.yaml"}
"""Documents with a message of which no value is found."""


def test_every_case_is_here() -> None:
    files = {path.relative_to(CASES).as_posix() for path in CASES.rglob("*.*") if path.is_file()}
    files = {file for file in files if file.endswith((".yaml", ".json"))}
    files.add("22-endless-file.yaml")  # maybe a link to what is no file
    assert files - {"13-other-file/parts.yaml"} == {*VALID, *SERVED_IN_PART, *FAULTY}


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_valid_one_has_no_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CASES / name)]) == 0
    assert capsys.readouterr().out.startswith("valid")


@pytest.mark.parametrize(("name", "says"), [*SERVED_IN_PART.items(), *FAULTY.items()])
def test_a_fault_is_named(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CASES / name)]) == (2 if name in SERVED_IN_PART else 1)
    output = capsys.readouterr().out
    assert says in output
    assert "Traceback" not in output


@ONE_LOOP
@pytest.mark.parametrize("as_client", [False, True], ids=["server", "client"])
@pytest.mark.parametrize("name", sorted({*VALID, *SERVED_IN_PART}))
async def test_the_mock_keeps_to_it(name: str, as_client: bool) -> None:
    rules = Rules(connections=2, listen_seconds=0.02)
    async with Mock(load_document(CASES / name, as_client=as_client)).listening() as url:
        reports = await beside(
            run_all, CASES / name, url, as_client=as_client, messages=10, rules=rules
        )
    for report in reports.values():
        assert not report.violations, str(report)
        assert not report.unmade or name in UNMADE


@ONE_LOOP
async def test_what_makes_no_value_is_named_and_the_rest_is_tested() -> None:
    path = CASES / "18-contract-tests-unsatisfiable.yaml"
    async with Mock(load_document(path)).listening() as url:
        reports = await beside(run_all, path, url, messages=10)
    assert any(report.unmade for report in reports.values())
    assert all(report.tally.messages for report in reports.values())


def test_a_document_of_a_client_sends_and_receives_the_other_way() -> None:
    path = CASES / "25-client-document.yaml"
    (server,) = load_document(path).channels.values()
    (client,) = load_document(path, as_client=True).channels.values()
    assert [m.name for m in client.receives] == [m.name for m in server.sends] != []


def test_examples_of_schemas_are_used() -> None:
    (channel,) = load_document(CASES / "28-schema-examples.yaml").channels.values()
    (sample,) = Samples(channel, SampleBook()).of("tick")
    assert sample.payload == {"symbol": "BTCUSD", "price": "1.5"}
