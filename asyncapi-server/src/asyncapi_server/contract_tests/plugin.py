"""A pytest plugin: `pytest_plugins = ["asyncapi_server.contract_tests.plugin"]` in a test module.

    def test_the_stream_keeps_to_its_document(contract_test, server):
        contract_test("stream.asyncapi.yaml", server.url)

Loaded with `-p asyncapi_server.contract_tests.plugin` it adds the options `--contract-messages` and
`--contract-seed`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from asyncapi_server.contract_tests.campaign import Report, run
from asyncapi_server.contract_tests.rules import Rules

MESSAGES = 300
"""Messages that a test sends by default."""


class ContractTest(Protocol):
    """Fails the test when the server at `url` breaks the document; see `campaign.run`."""

    def __call__(
        self,
        document: Path | str,
        url: str,
        *,
        address: str | None = None,
        rules: Rules | None = None,
        server: str | None = None,
    ) -> Report: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asyncapi_server", "contract tests of AsyncAPI documents")
    group.addoption(
        "--contract-messages",
        type=int,
        default=MESSAGES,
        help="messages that each contract test sends (default: %(default)s)",
    )
    group.addoption(
        "--contract-seed", type=int, default=0, help="another seed sends other messages"
    )


@pytest.fixture
def contract_test(pytestconfig: pytest.Config) -> ContractTest:
    """Tests a running server against an AsyncAPI document."""
    messages = int(pytestconfig.getoption("--contract-messages", default=MESSAGES))
    random_seed = int(pytestconfig.getoption("--contract-seed", default=0))

    def test(
        document: Path | str,
        url: str,
        *,
        address: str | None = None,
        rules: Rules | None = None,
        server: str | None = None,
    ) -> Report:
        report = run(
            document,
            url,
            address=address,
            messages=messages,
            random_seed=random_seed,
            rules=rules,
            server=server,
        )
        if report.violations:
            pytest.fail(str(report), pytrace=False)
        return report

    return test
