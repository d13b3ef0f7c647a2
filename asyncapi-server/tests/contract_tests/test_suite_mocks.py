"""The mock of each document of the suite keeps to it, on either side of the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml

from asyncapi_server import load_document
from asyncapi_server.contract_tests import Report, Rules
from asyncapi_server.contract_tests.campaign import run_all
from asyncapi_server.mock.server import Mock
from support.rooms import DOCUMENTS

SUITE = DOCUMENTS / "suite"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((SUITE / "expected.yaml").read_text())
SERVED = [name for name, expected in EXPECTED.items() if "channels" in expected]
RULES = Rules(connections=2, listen_seconds=0.02)
MESSAGES = 10
"""Messages of sequences; each constraint is broken by itself before."""


@pytest.mark.parametrize("as_client", [False, True], ids=["server", "client"])
@pytest.mark.parametrize("name", SERVED)
def test_the_mock_keeps_to_its_document(name: str, as_client: bool) -> None:
    async def work() -> dict[str, Report]:
        mock = Mock(load_document(SUITE / name, as_client=as_client))
        async with mock.listening() as url:
            return await asyncio.to_thread(
                run_all, SUITE / name, url, as_client=as_client, messages=MESSAGES, rules=RULES
            )

    reports = asyncio.run(work())
    for address, report in reports.items():
        assert not report.violations, f"{address}: {report}"
