"""Kraken's documents against the running server; test_stream.py says how to send more messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asyncapi_server.contract_tests import Marker, Rules

if TYPE_CHECKING:
    from asyncapi_server.contract_tests.plugin import ContractTest

pytest_plugins = ["asyncapi_server.contract_tests.plugin"]

DOCUMENTS = Path(__file__).parents[2] / "specs" / "kraken"
RULES = Rules(
    errors=frozenset({"error", "pingStatus", "subscriptionStatus"}),
    several=frozenset({"subscribe", "unsubscribe"}),  # one status for each pair
    never=(Marker("/errorMessage", "EService:Unavailable"),),
    reply_seconds=20.0,
)


@pytest.mark.parametrize(
    ("document", "path", "server"),
    [
        ("public.asyncapi.yaml", "/kraken", "publicLocal"),
        ("private.asyncapi.yaml", "/kraken-auth", "privateLocal"),
    ],
)
def test_the_server_keeps_to_the_document(
    contract_test: ContractTest, base_url: str, document: str, path: str, server: str
) -> None:
    url = base_url.replace("http", "ws", 1) + path
    report = contract_test(DOCUMENTS / document, url, rules=RULES, server=server)
    kinds = {kind for kind, _ in report.tally.sent}
    assert kinds == {"valid", "valid elsewhere", "near miss", "garbage"}
    assert report.tally.answers["valid", "ping", "pong"]
    assert report.tally.unasked["systemStatus"]
