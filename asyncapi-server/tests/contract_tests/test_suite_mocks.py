"""The mock of each document of the suite keeps to it, on either side of the wire."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from asyncapi_server import load_document
from asyncapi_server.contract_tests import Rules
from asyncapi_server.contract_tests.campaign import run_all
from asyncapi_server.mock.server import Mock
from support.campaigns import ONE_LOOP, beside
from support.rooms import DOCUMENTS

SUITE = DOCUMENTS / "suite"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((SUITE / "expected.yaml").read_text())
SERVED = [name for name, expected in EXPECTED.items() if "channels" in expected]
RULES = Rules(connections=2, listen_seconds=0.02)
MESSAGES = 10
"""Messages of sequences; each constraint is broken by itself before."""


@ONE_LOOP
@pytest.mark.parametrize("as_client", [False, True], ids=["server", "client"])
@pytest.mark.parametrize("name", SERVED)
async def test_the_mock_keeps_to_its_document(name: str, as_client: bool) -> None:
    mock = Mock(load_document(SUITE / name, as_client=as_client))
    async with mock.listening() as url:
        reports = await beside(
            run_all, SUITE / name, url, as_client=as_client, messages=MESSAGES, rules=RULES
        )
    for address, report in reports.items():
        assert not report.violations, f"{address}: {report}"
