"""The mock answers from the examples of any document, and sends nothing that is not in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from asyncapi_server import ContractError, Rule, check, load_document
from asyncapi_server.mock.server import Mock
from support.article import PRINTED, mended
from support.mocking import mocked
from support.rooms import DOCUMENTS, ask, receive

ROOT = Path(__file__).parents[2]
STREAM = ROOT / "specs" / "stream.asyncapi.yaml"
KRAKEN = ROOT / "specs" / "kraken" / "public.asyncapi.yaml"
SUBSCRIBE_DOGE = {
    "action": "subscribe",
    "subscriptions": [{"symbol": "DOGEUSDT", "timeframes": [{"timeframe": 7}]}],
}


async def test_a_2_6_document_with_correlation_is_served() -> None:
    async with mocked(DOCUMENTS / "pingpong_2.6.yaml") as session, session.connect() as ws:
        assert await ask(ws, {"event": "ping", "id": 7}) == {"event": "pong", "id": 7}
        assert await ask(ws, {"event": "ping"}) == {"event": "pong"}
        error = {"event": "error", "text": "no such message"}
        assert await ask(ws, {"event": "pang"}) == error


async def test_a_message_to_the_wrong_server_is_refused_without_a_written_error() -> None:
    market = DOCUMENTS / "market_2.6.yaml"
    async with mocked(market, server="public") as session, session.connect() as ws:
        assert await ask(ws, {"event": "subscribe", "name": "trades"}) == {"event": "status"}
        refused = await ask(ws, {"event": "subscribe", "name": "orders"})
        assert refused["event"] == "status"
        assert "ws-auth.market.test" in refused["errorMessage"]


async def test_the_articles_document_is_served_when_its_lines_are_mended(tmp_path: Path) -> None:
    document = mended(tmp_path)
    assert check(document) == []
    async with mocked(document) as session, session.connect() as ws:
        assert (await ask(ws, {"event": "ping"}))["event"] == "pong"
        book = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "book"}}
        refused = {
            "errorMessage": "Subscription depth not supported",
            "event": "subscriptionStatus",
            "pair": "XBT/USD",
            "status": "error",
            "subscription": {"depth": 42, "name": "book"},
        }
        assert await ask(ws, book) == refused
        candles = {
            "event": "unsubscribe",
            "pair": ["XBT/EUR"],
            "subscription": {"name": "ohlc", "interval": 5},
        }
        assert (await ask(ws, candles))["channelName"] == "ohlc-5"
        assert (await ask(ws, {"event": "subscribe", "pair": "XBT/USD"})) == refused
        await session.post("systemStatus")
        assert (await receive(ws))["status"] == "online"


def test_of_requests_with_one_payload_the_first_is_answered() -> None:
    document = load_document(PRINTED)
    assert [finding.rule for finding in document.findings] == [Rule.TWIN]
    assert Mock(document).paths == ("/",)


async def test_a_channel_without_any_error_is_silent_about_faults(tmp_path: Path) -> None:
    document = yaml.safe_load((DOCUMENTS / "pingpong_2.6.yaml").read_text("utf-8"))
    messages = document["components"]["messages"]
    del messages["error"]
    messages["ping"]["x-response"] = {"$ref": "#/components/messages/pong"}
    document["channels"]["/"]["subscribe"]["message"] = {"$ref": "#/components/messages/pong"}
    path = tmp_path / "mute.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    async with mocked(path) as session, session.connect() as ws:
        await ws.send_str("junk")
        assert await ask(ws, {"event": "ping", "id": 1}) == {"event": "pong", "id": 1}


def test_a_message_that_is_not_sent_cannot_be_asked_for() -> None:
    with pytest.raises(ContractError, match="known: pong, error"):
        Mock(load_document(DOCUMENTS / "pingpong_3.1.yaml")).send("ping")
