"""Frames from the store: where they begin, and what is corrected in them."""

from __future__ import annotations

from collections.abc import Collection

from ingest.core.cursor import MAX_CATCH_UP_CANDLES
from ingest.core.live import Frame
from ingest.core.timeframe import bucket_start

from .feed import Feed
from .retry import Retry


class Frames:
    """Reads frames from one store. The watermark must not move meanwhile."""

    def __init__(self, retry: Retry) -> None:
        self._candles = retry.store.candles
        self._retry = retry

    async def rebase(
        self, feed: Feed, frames: Collection[Frame], whole_from_ms: int | None = None
    ) -> None:
        """Give frames of a symbol the candles of the store up to the watermark.

        Candles are whole from a time on, another one than before where it is given.
        """
        if whole_from_ms is None:
            whole_from_ms = feed.live.whole_from_ms
        watermark, timeframes = feed.live.watermark, [frame.timeframe for frame in frames]
        bases = await self._retry(
            self._candles.bases, feed.symbol, timeframes, watermark, whole_from_ms
        )
        feed.live.whole_from_ms = whole_from_ms
        for frame in frames:
            frame.rebase(watermark, *bases[frame.timeframe])

    async def correct(self, feed: Feed, late_from: int) -> None:
        """Rebase every frame of a symbol, and give its consumers what has changed since
        `late_from` (ms).

        Those that wait for their first history have nothing of before.
        """
        frames = list(feed.live.frames.values())
        since_of = {
            frame: frame.due_from(bucket_start(late_from, frame.timeframe)) for frame in frames
        }
        await self.rebase(feed, frames)
        for frame, since in since_of.items():
            bucket = bucket_start(feed.live.watermark, frame.timeframe)
            count = min((bucket - since) // frame.width, MAX_CATCH_UP_CANDLES)
            if not frame.has_past:
                count = 0
            corrected = await self._retry(
                self._candles.read,
                feed.symbol,
                frame.timeframe,
                bucket,
                count,
                feed.live.whole_from_ms,
            )
            frame.correct(corrected)
