"""The stream's document against the running server.

`pytest -p asyncapi_server.contract_tests.plugin tests/contract --contract-messages 100000` sends
more than the few hundred messages of a default run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from asyncapi_server.contract_tests import Marker, Rules

if TYPE_CHECKING:
    from asyncapi_server.contract_tests.plugin import ContractTest

pytest_plugins = ["asyncapi_server.contract_tests.plugin"]

ROOT = Path(__file__).parents[2]
STREAM = ROOT / "specs" / "stream.asyncapi.yaml"
RULES = Rules(
    never=tuple(Marker("/error_code", code) for code in ("INTERNAL_ERROR", "TIMEOUT")),
    only_to_invalid=tuple(
        Marker("/error_code", code)
        for code in ("INVALID_JSON", "UNKNOWN_ACTION", "INVALID_SUBSCRIPTION")
    ),
    reply_seconds=20.0,
)


def test_the_server_keeps_to_the_document(contract_test: ContractTest, base_url: str) -> None:
    url = base_url.replace("http", "ws", 1) + "/ws/stream"
    report = contract_test(STREAM, url, rules=RULES)
    asked = {message for kind, message in report.tally.sent if kind == "valid"}
    tickers = {"subscribe_tickers", "unsubscribe_tickers"}
    assert asked == {"subscribe", "unsubscribe", "ping", "authenticate", *tickers}
    kept = json.loads((ROOT / "generated" / "native" / "stream_contract.json").read_bytes())
    sent = {message["name"] for message in kept["channels"]["/ws/stream"]["sends"]}
    received = {reply for _, _, reply in report.tally.answers} | set(report.tally.unasked)
    assert received >= sent - {"heartbeat", "ticker_update"}  # too rare to wait for
