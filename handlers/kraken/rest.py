"""Kraken's REST requests that go with its WebSocket API, in its envelope."""

from __future__ import annotations

import time
from email.utils import formatdate

from handlers.kraken.errors import INVALID_ARGUMENTS, UNAVAILABLE, Json
from handlers.kraken.pairs import Pair, Pairs
from handlers.kraken.tokens import Tokens
from ingest.core.errors import NotReady
from ingest.pipeline.provider import Provider

UNKNOWN_PAIR = "EQuery:Unknown asset pair"
INVALID_KEY = "EAPI:Invalid key"
LOT_DECIMALS = 8
MAX_NAMES_CHARACTERS = 20_000


class Rest:
    """Each operation of the document `specs/kraken/rest.openapi.yaml` by its id."""

    def __init__(self, provider: Provider, pairs: Pairs, tokens: Tokens) -> None:
        self._provider = provider
        self._pairs = pairs
        self._tokens = tokens

    def get_asset_pairs(self, names: str | None) -> Json:
        """The pairs of these names, with commas between, or all of them."""
        if not self._pairs.are_known:
            return error(UNAVAILABLE)
        pairs = self._pairs.all()
        if names is None:
            return result({pair.altname: _asset_pair(pair) for pair in pairs})
        if len(names) > MAX_NAMES_CHARACTERS:
            return error(INVALID_ARGUMENTS)
        by_name = {name: pair for pair in pairs for name in (pair.altname, pair.wsname)}
        wanted = [by_name.get(name) for name in names.split(",")]
        if None in wanted:
            return error(UNKNOWN_PAIR)
        return result({pair.altname: _asset_pair(pair) for pair in wanted if pair is not None})

    def get_time(self) -> Json:
        """The time of the exchange, which candles go by."""
        try:
            seconds = self._provider.clock.now_ms() // 1000
        except NotReady:
            return error(UNAVAILABLE)
        return result({"unixtime": seconds, "rfc1123": formatdate(seconds, usegmt=True)})

    def get_system_status(self) -> Json:
        """Whether everything works."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return result({"status": system_status(self._provider), "timestamp": now})

    def get_websockets_token(self, api_key: str) -> Json:
        """A token for the private server."""
        token = self._tokens.grant(api_key)
        if token is None:
            return error(INVALID_KEY)
        return result({"token": token, "expires": self._tokens.lifetime_s})


def system_status(provider: Provider) -> str:
    """Kraken's word for how the provider does."""
    return "online" if provider.view.is_storing else "maintenance"


def result(value: object) -> Json:
    """An answer in Kraken's envelope."""
    return {"error": [], "result": value}


def error(text: str) -> Json:
    """An error in Kraken's envelope; its status is 200 as well."""
    return {"error": [text]}


def _asset_pair(pair: Pair) -> Json:
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": pair.base,
        "aclass_quote": "currency",
        "quote": pair.quote,
        "lot": "unit",
        "pair_decimals": pair.decimals,
        "lot_decimals": LOT_DECIMALS,
        "lot_multiplier": 1,
        "status": "online" if pair.is_open else "cancel_only",
    }
