"""Where the data of a feed comes from: what the subscriptions ask of it."""

from __future__ import annotations

from typing import Protocol

from handlers.kraken.channels import Channel


class Source(Protocol):
    """One feed of all symbols. It publishes to the hub by itself while channels are open."""

    def open(self, channel: Channel) -> None:
        """Somebody wants the channel now."""

    def close(self, channel: Channel) -> None:
        """Nobody wants the channel any more."""

    async def first(self, channel: Channel) -> bytes | None:
        """The message that a new subscriber begins with; raises CandlecastError.

        None when there is nothing to begin with. What comes later must go to the hub only after
        this has returned, without a pause in between.
        """
