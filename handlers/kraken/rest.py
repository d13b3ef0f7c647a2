"""Kraken's REST requests that go with its WebSocket API, in its envelope."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate

from generated.kraken.facts import ErrorText, ServerState, SystemState
from generated.kraken.models import (
    AssetPair,
    AssetPairsAnswer,
    GrantedToken,
    ServerStatus,
    ServerTime,
    SystemStatusAnswer,
    TimeAnswer,
    TokenAnswer,
)
from generated.kraken.rest import PrivateHandlers, PublicHandlers
from handlers.kraken.pairs import KrakenPair, Pairs
from handlers.kraken.tokens import Tokens
from ingest.core.errors import NotReady
from ingest.pipeline.provider import Provider


class Public(PublicHandlers):
    """`/public`."""

    def __init__(self, provider: Provider, pairs: Pairs) -> None:
        self._provider = provider
        self._pairs = pairs

    async def get_asset_pairs(self, *, pair: str | None = None) -> AssetPairsAnswer:
        """The pairs of these names, with commas between, or all of them."""
        if not self._pairs.are_known:
            raise NotReady("The exchange has not listed the symbols yet; try again")
        pairs = self._pairs.some(pair)
        if pairs is None:
            return AssetPairsAnswer(error=[ErrorText.UNKNOWN_ASSET_PAIR])
        return AssetPairsAnswer(
            error=[], result={each.altname: _asset_pair(each) for each in pairs}
        )

    async def get_time(self) -> TimeAnswer:
        """The time of the exchange, which candles go by."""
        seconds = self._provider.clock.now_ms() // 1000
        time = ServerTime(unixtime=seconds, rfc1123=formatdate(seconds, usegmt=True))
        return TimeAnswer(error=[], result=time)

    async def get_system_status(self) -> SystemStatusAnswer:
        """Whether everything works."""
        state = ServerState(system_state(self._provider))
        now = datetime.now(UTC).replace(microsecond=0)
        return SystemStatusAnswer(error=[], result=ServerStatus(status=state, timestamp=now))


class Private(PrivateHandlers):
    """`/private`."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def get_websockets_token(self, *, api_key: str | None = None) -> TokenAnswer:
        """A token for the private server."""
        token = self._tokens.grant(api_key or "")
        if token is None:
            return TokenAnswer(error=[ErrorText.INVALID_KEY])
        granted = GrantedToken(token=token, expires=self._tokens.lifetime_s)
        return TokenAnswer(error=[], result=granted)


def system_state(provider: Provider) -> SystemState:
    """Kraken's word for how the provider does."""
    return SystemState.ONLINE if provider.view.is_storing else SystemState.MAINTENANCE


def _asset_pair(pair: KrakenPair) -> AssetPair:
    return AssetPair(
        altname=pair.altname,
        wsname=pair.wsname,
        aclass_base="currency",
        base=pair.base,
        aclass_quote="currency",
        quote=pair.quote,
        lot="unit",
        pair_decimals=pair.decimals,
        lot_decimals=8,
        lot_multiplier=1,
        status="online" if pair.is_open else "cancel_only",
    )
