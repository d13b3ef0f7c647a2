"""The document of Binance's streams against the running server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asyncapi_server.contract_tests import Marker, Rules

if TYPE_CHECKING:
    from asyncapi_server.contract_tests.plugin import ContractTest

pytest_plugins = ["asyncapi_server.contract_tests.plugin"]

DOCUMENT = Path(__file__).parents[2] / "specs" / "binance" / "stream.asyncapi.yaml"
RULES = Rules(errors=frozenset({"error"}), never=(Marker("/msg", "failed in the server"),))


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/ws", "/ws"),
        ("/ws/{stream}", "/ws/btcusdt@kline_173m"),
        ("/stream", "/stream?streams=btcusdt@aggTrade"),
    ],
)
def test_the_server_keeps_to_the_document(
    contract_test: ContractTest, base_url: str, address: str, path: str
) -> None:
    url = base_url.replace("http", "ws", 1) + path
    report = contract_test(DOCUMENT, url, address=address, rules=RULES, server="local")
    kinds = {kind for kind, _ in report.tally.sent}
    assert kinds == {"valid", "near miss", "garbage"}
    assert report.tally.answers["valid", "getProperty", "error"]
