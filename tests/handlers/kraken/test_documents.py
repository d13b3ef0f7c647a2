"""Kraken's documents are sound, and what Kraken itself has sent fits them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncapi_server import check
from handlers.kraken.api import PRIVATE, PUBLIC
from scripts.apis import SPECS
from scripts.rest_check import check_rest
from tests.handlers.kraken.support import JUDGES, KRAKEN_RECORDINGS

needs_recordings = pytest.mark.skipif(
    not KRAKEN_RECORDINGS.exists(), reason="the recordings of Kraken are not on this machine"
)

EVENTS = {"heartbeat", "systemStatus", "subscriptionStatus"}


@pytest.mark.parametrize("server", [PUBLIC, PRIVATE])
def test_the_websocket_documents_have_no_fault(server: str) -> None:
    assert check(SPECS / "kraken" / f"{server}.asyncapi.yaml") == []


def test_the_rest_document_has_no_fault() -> None:
    assert check_rest(SPECS / "kraken" / "rest.openapi.yaml") == []


def recorded_messages() -> Iterator[Any]:
    """Everything that Kraken's WebSocket version 1 was recorded to send."""
    for file in ("ws-trade.txt", "ws-ticker.txt"):
        for line in (KRAKEN_RECORDINGS / file).read_text("utf-8").splitlines():
            received, _, text = line.partition(": ")
            if text and "<-" not in received:
                yield json.loads(text)
    for file in ("messages.jsonl", "subscribe-session-2023-11-12.jsonl"):
        for line in (KRAKEN_RECORDINGS / file).read_text("utf-8").splitlines():
            message = json.loads(line)
            # Messages of the futures exchange and of REST have neither form.
            if isinstance(message, list) or message.get("event") in EVENTS:
                yield message


@needs_recordings
def test_every_recorded_message_is_a_documented_one() -> None:
    judge, seen = JUDGES[PUBLIC], set()
    for message in recorded_messages():
        names = judge.names(message)
        if isinstance(message, list) and message[-2].startswith("book-"):
            assert names == [], "order books are not served, and not described"
            continue
        assert len(names) == 1, message
        seen.update(names)
    assert seen == {
        *("heartbeat", "systemStatus", "subscriptionStatus"),
        *("trade", "ohlc", "ticker", "spread"),
    }


def test_the_documents_share_their_messages() -> None:
    texts = {
        name: Path(SPECS / "kraken" / f"{name}.asyncapi.yaml").read_text("utf-8") for name in JUDGES
    }
    for text in texts.values():
        assert "payload:" not in text
        assert "$ref: messages.yaml#/subscriptionStatus" in text
