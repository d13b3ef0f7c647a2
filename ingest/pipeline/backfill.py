"""History into the store: from the archive's files where there are, over REST where ids lack.

What counts is which ids are stored. So a run that was cut short goes on where it stopped, a file
whose ids are all here is not fetched, and what a file lacks is asked for over REST.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ingest.binance.archive import ArchiveFile, BinanceArchive, files_covering
from ingest.binance.csv_pieces import csv_pieces
from ingest.binance.now import host_ms
from ingest.binance.page import Malformed
from ingest.binance.parse import archive_row
from ingest.binance.rest import BinanceRest
from ingest.binance.weight import Priority
from ingest.core.continuity import Continuity, Gap
from ingest.core.errors import ExchangeUnavailable, MalformedTrade
from ingest.core.fixed import MAX_FIXED
from ingest.core.missing import CONFIRM_SECONDS
from ingest.core.timeframe import bucket_start
from ingest.core.trade import Trade
from ingest.storage import AsyncStore, Quarantined

from .fetch import Fetch
from .newest import newest_trade

FILES_AT_ONCE = 3
PIECES_AT_ONCE = 3
"""Pieces of files that are stored at the same time; they bound the memory, with those unzipped."""
CLOSE_DELAY_MS = 2000
MALFORMED_KEPT = 1000
"""Malformed rows of one symbol that are put aside; all are counted."""


class Place(Protocol):
    """Where trades are stored: a store of its own, or one beside live feeds."""

    def taking(self, symbol: str) -> AbstractAsyncContextManager[int]:
        """Around the storing of old trades of a symbol; gives the id from which on somebody else
        stores them."""

    async def recompute(self, symbol: str, since_ms: int, until_ms: int) -> None:
        """Write the candles of a span anew, all of whose trades were stored."""

    async def settle(self, symbol: str, closed_ms: int) -> None:
        """Recompute what is left before a time, and show what has been stored."""

    def fetching(self, symbol: str, wanted: Gap) -> list[Gap]:
        """Those of some ids that are missing and that somebody else fetches."""


class Reporter(Protocol):
    """Reports how a backfill goes."""

    def planned(self, symbol: str, trades: int) -> None:
        """So many trades of a symbol are not stored yet."""

    def stored(self, symbol: str, trades: int) -> None:
        """So many more are."""

    def fetched(self, symbol: str, size: int) -> None:
        """So many bytes of the archive's files have come."""

    def note(self, text: str) -> None:
        """A remark, such as that a file cannot be used."""


@dataclass
class Outcome:
    """The outcome for one symbol."""

    symbol: str
    wanted: Gap | None = None
    """The ids of the span, both ends included; None when the exchange has no trade in it."""
    stored: int = 0
    """Trades that this run stored."""
    files: int = 0
    malformed: int = 0
    confirmed: list[Gap] = field(default_factory=list)
    """Ids of the span that the exchange does not have."""
    unreadable: list[Gap] = field(default_factory=list)
    """Ids of the span that the exchange gives no valid trades for."""
    remaining: list[Gap] = field(default_factory=list)
    """Ids that could not be had, though the exchange may have them."""
    fetching: list[Gap] = field(default_factory=list)
    """Ids of the span that the server beside which this ran is fetching by itself."""
    beside: list[Gap] = field(default_factory=list)
    """Missing ids between the span and trades that were stored otherwise; a server fetches them."""


class Backfill:
    """Fills spans of time with the trades of symbols."""

    def __init__(
        self,
        store: AsyncStore,
        rest: BinanceRest,
        archive: BinanceArchive | None,
        progress: Reporter,
        confirm_seconds: float = CONFIRM_SECONDS,
        place: Place | None = None,
    ) -> None:
        """Without an archive everything comes over REST; ids count as absent when the exchange
        has passed over them for `confirm_seconds`. Without a place nobody else writes to the
        store."""
        self._place = place or Alone(store)
        self._confirm_seconds = confirm_seconds
        self._store = store
        self._rest = rest
        self._archive = archive
        self._progress = progress
        self._kept_aside = 0
        self._pieces = asyncio.Semaphore(PIECES_AT_ONCE)

    async def run(self, symbol: str, from_ms: int, until_ms: int) -> Outcome:
        """Store all trades with times in [from, until) and recompute the candles they touch.

        The archive's files are stored whole. Raises ExchangeError or StoreUnavailable; what was
        stored by then stays, and another run goes on from there.
        """
        now_ms = await self._rest.server_time()
        files = files_covering(symbol, from_ms, until_ms, now_ms) if self._archive else []
        if files:
            from_ms, until_ms = files[0].start_ms, max(until_ms, files[-1].end_ms)
        outcome = Outcome(symbol, await self._ids(symbol, from_ms, until_ms))
        if outcome.wanted is None:
            return outcome
        async with self._place.taking(symbol) as end_id:
            own = Gap(outcome.wanted.from_id, min(outcome.wanted.to_id, end_id - 1))
            missing = [item.gap for item in (await self._continuity(symbol, own)).missing]
            lacked = _total(missing)
            self._progress.planned(symbol, lacked)
            if missing and self._archive:
                await self._from_files(self._archive, files, own, outcome)
            if missing:
                await self._over_rest(own, outcome)
        await self._place.settle(symbol, bucket_start(now_ms - CLOSE_DELAY_MS, 1))
        continuity = await self._continuity(symbol, own)
        outcome.confirmed, outcome.remaining = continuity.confirmed, continuity.gaps
        outcome.fetching = self._place.fetching(symbol, outcome.wanted)
        outcome.beside = await self._beside(outcome.wanted, symbol)
        outcome.stored = lacked - _total(outcome.remaining) - _total(outcome.confirmed)
        return outcome

    async def _ids(self, symbol: str, from_ms: int, until_ms: int) -> Gap | None:
        """The ids that the exchange has in a span of time."""
        first = await self._id_at(symbol, from_ms)
        end = await self._id_at(symbol, until_ms)
        if end is None:
            newest = await newest_trade(self._rest, symbol, -1, Priority.HISTORY)
            end = newest.aggregate_id + 1 if newest is not None else None
        return (
            Gap(first, end - 1) if first is not None and end is not None and first < end else None
        )

    async def _id_at(self, symbol: str, time_ms: int) -> int | None:
        """The first id at or after a time; None when there is none."""
        first = await self._rest.first_at(symbol, time_ms, priority=Priority.HISTORY)
        return first.aggregate_id if first is not None else None

    async def _continuity(self, symbol: str, wanted: Gap) -> Continuity:
        """The ids that this run is for; none where somebody else stores all of them."""
        holes = await self._store.trades.missing(symbol, *wanted) if wanted.missing > 0 else []
        continuity = Continuity(wanted.from_id, wanted.to_id, holes)
        for known in (await self._store.gaps.confirmed()).get(symbol, ()):
            continuity.confirm(known.gap)
        return continuity

    async def _beside(self, wanted: Gap, symbol: str) -> list[Gap]:
        held = await self._store.trades.id_range(symbol)
        edges = {wanted.from_id - 1, wanted.to_id + 1}
        return [hole for hole in held.holes if edges & {*hole}] if held is not None else []

    # From the archive ----------------------------------------------------------------------------

    async def _from_files(
        self, archive: BinanceArchive, files: list[ArchiveFile], own: Gap, outcome: Outcome
    ) -> None:
        """Store these files, several at the same time; what cannot be had is left out."""
        places = asyncio.Semaphore(FILES_AT_ONCE)

        async def one(file: ArchiveFile) -> None:
            async with places:
                try:
                    await self._from_file(archive, file, own, outcome)
                except ExchangeUnavailable as error:
                    self._progress.note(f"{error}. Its trades come over REST.")

        async with asyncio.TaskGroup() as group:
            for file in files:
                group.create_task(one(file))

    async def _from_file(
        self, archive: BinanceArchive, file: ArchiveFile, own: Gap, outcome: Outcome
    ) -> None:
        """Store what a file has of this run's ids, and with them all else that it has."""
        ids = await self._ids(file.symbol, file.start_ms, file.end_ms)
        if ids is None or ids.from_id > own.to_id:
            return
        wanted = Gap(ids.from_id, min(ids.to_id, own.to_id))
        lacking = await self._store.trades.missing(file.symbol, *wanted)
        if not lacking:
            return
        if file.is_month and ids.to_id > own.to_id:
            for day in file.days():
                await self._from_file(archive, day, own, outcome)
            return
        path = await archive.fetch(file, lambda size: self._progress.fetched(file.symbol, size))
        if path is None:
            for day in file.days() if file.is_month else ():
                await self._from_file(archive, day, own, outcome)
            return
        try:
            await self.store_file(path, file, _total(lacking) / ids.missing, outcome)
        except ExchangeUnavailable:
            path.unlink()
            raise
        await self._place.recompute(file.symbol, file.start_ms, file.end_ms)
        outcome.files += 1
        path.unlink()

    async def store_file(
        self, path: Path, file: ArchiveFile, new_share: float, outcome: Outcome
    ) -> None:
        """Store a file in pieces, some at the same time, while the next one is unzipped."""
        fault: ExchangeUnavailable | None = None

        async def store(piece: bytes) -> None:
            try:
                await self._store_piece(piece, file, outcome)
            finally:
                self._pieces.release()
            self._progress.stored(file.symbol, round(piece.count(b"\n") * new_share))

        with closing(csv_pieces(path)) as pieces:
            async with asyncio.TaskGroup() as group:
                try:
                    while (piece := await _unzipped(pieces)) is not None:
                        await self._pieces.acquire()
                        group.create_task(store(piece))
                except ExchangeUnavailable as error:
                    fault = error  # what came before it is stored
        if fault is not None:
            raise fault

    async def _store_piece(self, piece: bytes, file: ArchiveFile, outcome: Outcome) -> None:
        """Let the engine parse and store a piece; where it finds a fault, look at each line."""
        store = self._store
        try:
            await store.trades.insert_lines(file.symbol, piece, file.start_ms, file.end_ms)
        except MalformedTrade:
            trades, malformed = await asyncio.to_thread(_sorted, piece, file)
            await store.trades.insert({file.symbol: trades})
            await self._put_aside(malformed, outcome)

    async def _put_aside(self, malformed: list[Quarantined], outcome: Outcome) -> None:
        outcome.malformed += len(malformed)
        kept = malformed[: max(0, MALFORMED_KEPT - self._kept_aside)]
        self._kept_aside += len(kept)
        await self._store.quarantine.keep(kept)

    # Over REST -----------------------------------------------------------------------------------

    async def _over_rest(self, own: Gap, outcome: Outcome) -> None:
        """Ask for missing ids; those that the exchange keeps passing over are confirmed."""

        async def take(trades: list[Trade]) -> None:
            await self._store.trades.insert({outcome.symbol: trades})
            self._progress.stored(outcome.symbol, len(trades))

        async def put_aside(rows: Sequence[Malformed]) -> None:
            now_ms = host_ms()
            kept = [Quarantined(now_ms, outcome.symbol, row.raw, str(row.error)) for row in rows]
            await self._put_aside(kept, outcome)

        continuity = await self._continuity(outcome.symbol, own)
        fetch = Fetch(
            outcome.symbol,
            self._rest,
            continuity,
            self._confirm_seconds,
            take=take,
            put_aside=put_aside,
            note=self._progress.note,
        )
        try:
            await fetch.run()
        finally:
            for found in fetch.confirmed:
                await self._store.gaps.confirm(outcome.symbol, *found.gap, found.tries + 1)
        outcome.unreadable = continuity.unreadable


class Alone:
    """A store that nobody else writes to."""

    def __init__(self, store: AsyncStore) -> None:
        self._candles = store.candles

    @asynccontextmanager
    async def taking(self, _symbol: str) -> AsyncIterator[int]:
        """All ids are for whoever asks."""
        yield MAX_FIXED

    async def recompute(self, symbol: str, since_ms: int, until_ms: int) -> None:
        """Write the candles of a span anew."""
        await self._candles.recompute({symbol: [(since_ms, until_ms)]})

    async def settle(self, symbol: str, closed_ms: int) -> None:
        """Recompute what was stored and is over."""
        await self._candles.recompute(await self._candles.unsettled({symbol: closed_ms}))

    def fetching(self, _symbol: str, _wanted: Gap) -> list[Gap]:
        """Nobody else fetches anything."""
        return []


async def _unzipped(pieces: Iterator[bytes]) -> bytes | None:
    """The next piece; the thread ends before this does, for nobody else may go on with them."""
    work = asyncio.create_task(asyncio.to_thread(next, pieces, None))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _sorted(piece: bytes, file: ArchiveFile) -> tuple[list[Trade], list[Quarantined]]:
    """The valid trades of a piece that lie in the file's period, and all other lines."""
    trades, malformed = [], []
    now_ms = host_ms()
    for line in piece.splitlines():
        try:
            trade = archive_row(line)
            if trade is None:
                continue
            if not file.start_ms <= trade.timestamp < file.end_ms:
                raise MalformedTrade(f"its time {trade.timestamp} is not in the file's period")
            trades.append(trade)
        except MalformedTrade as error:
            malformed.append(Quarantined(now_ms, file.symbol, line, f"{file.name}: {error}"))
    return trades, malformed


def _total(gaps: Iterable[Gap]) -> int:
    return sum(gap.missing for gap in gaps)
