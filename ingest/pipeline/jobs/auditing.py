"""Compares what is stored with the trades, some symbols at a time, and repairs what it can.

Beside live feeds whatever differs is looked at a second time, while nothing is on its way to the
store: a minute that was just being settled differs no longer.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from ingest.core.errors import SettingError
from ingest.core.moment import moment
from ingest.storage import Difference
from ingest.storage.audit import SYMBOLS_AT_ONCE, Keys, by_day

from .means import Means
from .request import Memo, Report, Request

T = TypeVar("T")

IDS = "ids"
ON_THEIR_WAY_SECONDS = 2.0
"""An id that is missing for longer did not only come out of order."""


async def audit(request: Request, means: Means, report: Report, memo: Memo) -> bool:
    """Name each difference; whether any is left unrepaired."""
    work, repair = _Work(means), request.repair
    chosen = request.symbols.split(",") if request.symbols else None
    if chosen is not None:
        stored = await means.store.trades.high_water()
        if unknown := [symbol for symbol in chosen if symbol not in stored]:
            raise SettingError(
                f"The store has no symbol {', '.join(unknown)}; it has "
                f"{', '.join(sorted(stored)) or 'none'}: correct --symbols"
            )
    began = time.monotonic()
    report.status("Comparing ids and candles with the trades ...")
    found = Counter(memo.counts)
    symbols = await work.symbols() if chosen is None else sorted(chosen)
    todo = [symbol for symbol in symbols if symbol not in memo.done]
    async for differences, done in work.run(todo, repair=repair, is_begun=bool(memo.done)):
        for difference in differences:
            found[difference.what] += 1
            report.line(_line(difference))
        memo.done += done
        if done:
            memo.counts = dict(found)
            await report.keep()
    seconds = time.monotonic() - began
    trades = (await means.store.statistics()).trades
    left = found
    if found and repair:
        again = work.run(symbols, repair=False)
        left = Counter([each.what async for differences, _ in again for each in differences])
    listed = ", ".join(f"{count:,} of {what}" for what, count in sorted(found.items()))
    report.note(
        f"{trades:,} trades and their candles were audited in {seconds:.1f} s: "
        + (f"differences: {listed}" if found else "no difference")
    )
    if found and repair:
        total, kept = found.total(), left.total()
        report.note(f"{total - kept:,} were mended, {kept:,} are left")
    return left.total() > 0


def _line(difference: Difference) -> str:
    where = difference.where
    if isinstance(where, int) and difference.what != IDS:
        where = f"{moment(where)} ({where})"
    return f"{difference.symbol} {difference.what} {where}: {difference.text}"


_Found = tuple[Sequence[Difference], Sequence[str]]
"""Differences, and the symbols that are done with them."""


class _Work:
    """An audit in steps, each of them a statement or a few."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._run = means.store.store.run
        self._audit = means.store.store.audit

    async def symbols(self) -> Sequence[str]:
        """The symbols of which anything is stored, in order."""
        return await self._run(self._audit.symbols)

    async def run(
        self, symbols: Sequence[str], *, repair: bool, is_begun: bool = False
    ) -> AsyncIterator[_Found]:
        """The differences of these symbols; an audit that has begun has looked at the parts."""
        if not is_begun:
            parts = await self._listed(partial(self._audit.parts, repair=repair))
            yield parts, ()
            if parts and not repair:
                return  # there is no reading what they hold
        for at in range(0, len(symbols), SYMBOLS_AT_ONCE):
            some = symbols[at : at + SYMBOLS_AT_ONCE]
            yield await self._ids(some), ()
            yield await self._listed(partial(self._audit.times, some, repair=repair)), ()
            wrong: set[str] = set()
            async for differences in self._minutes(some, repair=repair):
                wrong |= {each.symbol for each in differences}
                yield differences, ()
            for symbol in some:
                of_trades = symbol in wrong and not repair
                async for differences in self._candles(symbol, of_trades, repair=repair):
                    yield differences, ()
            yield (), some

    async def _listed(self, step: Callable[[], Iterator[T]]) -> list[T]:
        return await self._run(lambda: list(step()))

    async def _ids(self, symbols: Sequence[str]) -> list[Difference]:
        found = await self._listed(partial(self._audit.ids, symbols))
        if not found or self._means.beside is None:
            return found
        await asyncio.sleep(ON_THEIR_WAY_SECONDS)
        before = {(each.symbol, each.where) for each in found}
        async with self._means.steady():
            again = await self._listed(partial(self._audit.ids, symbols))
        return [each for each in again if (each.symbol, each.where) in before]

    def _minutes(self, symbols: Sequence[str], *, repair: bool) -> AsyncIterator[list[Difference]]:
        return self._looked_at(self._audit.wrong_minutes(symbols), of_trades=True, repair=repair)

    def _candles(
        self, symbol: str, of_trades: bool, *, repair: bool
    ) -> AsyncIterator[list[Difference]]:
        keys = self._audit.wrong_candles(symbol, of_trades=of_trades)
        return self._looked_at(keys, of_trades=of_trades, repair=repair)

    async def _looked_at(
        self, found: Iterator[Keys], *, of_trades: bool, repair: bool
    ) -> AsyncIterator[list[Difference]]:
        """How candles differ of which a first look says that they do; mends them too."""
        while (keys := await self._run(next, found, None)) is not None:
            async with self._means.steady():
                if self._means.beside is not None:
                    keys = await self._run(self._audit.settled, keys)
                named = partial(self._audit.named, keys, of_trades=of_trades)
                differences = await self._listed(named)
            if repair and differences:
                for part in by_day(keys):
                    await self._mend(part)
            yield differences

    async def _mend(self, keys: Keys) -> None:
        await self._run(self._audit.mend, keys)
        if self._means.beside is not None:
            for (symbol, _), times in keys.items():
                self._means.beside.publish_from(symbol, min(times))
