"""Loads a span of history into the store, symbol by symbol."""

from __future__ import annotations

import contextlib
import time

from generated.native.facts import JobSource
from ingest.core.continuity import Gap
from ingest.core.errors import SettingError
from ingest.core.moment import moment
from ingest.core.symbol import Symbols
from ingest.pipeline.backfill import Backfill, Outcome

from .means import Means, listed_symbols
from .request import Memo, Report, Request

GAPS_SHOWN = 20
MISSING = "missing"


async def backfill(request: Request, means: Means, report: Report, memo: Memo) -> bool:
    """Backfill all symbols; whether trades are still missing after it."""
    chosen = Symbols.parse(request.symbols) if request.symbols else means.symbols
    symbols = await listed_symbols(means.rest, chosen)
    now_ms, start_ms = await means.rest.server_time(), request.start_ms or 0
    _check_kept(means, symbols, start_ms, now_ms)
    async with contextlib.AsyncExitStack() as stack:
        archive = None
        if request.source is not JobSource.REST:
            archive = await stack.enter_async_context(means.archive())
        if not memo.until_ms:  # when it is taken up again the span is the same
            memo.until_ms = request.end_ms if request.end_ms is not None else now_ms + 1
        for symbol in symbols:
            if symbol in memo.done:
                continue
            began = time.monotonic()
            outcome = await Backfill(
                means.store, means.rest, archive, report, means.confirm_seconds, means.beside
            ).run(symbol, start_ms, memo.until_ms)
            report.ended(symbol, outcome.stored)
            _report(report, outcome, time.monotonic() - began)
            missing = len(outcome.remaining) + len(outcome.fetching)
            memo.counts[MISSING] = memo.counts.get(MISSING, 0) + missing
            memo.done.append(symbol)
            await report.keep()
    return memo.counts.get(MISSING, 0) > 0


def _check_kept(means: Means, symbols: tuple[str, ...], start_ms: int, now_ms: int) -> None:
    """Refuse to fetch trades that would expire before their candles are computed."""
    for symbol in symbols:
        since = means.keep_trades.since_ms(symbol, now_ms)
        if start_ms < since:
            raise SettingError(
                f"Trades of {symbol} are kept from {moment(since)} on: begin there, or let "
                "CANDLECAST_KEEP_TRADES keep more (candles outlive it when it is lowered later)"
            )


def _report(report: Report, outcome: Outcome, seconds: float) -> None:
    symbol, wanted = outcome.symbol, outcome.wanted
    if wanted is None:
        report.note(f"{symbol}: the exchange has no trades in this span")
        return
    rate = f", {outcome.stored / seconds:,.0f}/s" if outcome.stored else ""
    report.note(
        f"{symbol}: {outcome.stored:,} trades stored in {seconds:.1f} s{rate}; "
        f"ids {wanted.from_id}-{wanted.to_id}, {outcome.files} files of the archive"
    )
    if outcome.malformed:
        report.note(f"{symbol}: {outcome.malformed:,} malformed rows were counted and put aside")
    _gaps(report, symbol, outcome.confirmed, "the exchange does not have")
    _gaps(report, symbol, outcome.unreadable, "the exchange gives no valid trades for")
    _gaps(report, symbol, outcome.remaining, "MISSING, run this again to try once more:")
    _gaps(report, symbol, outcome.fetching, "MISSING, the server fetches by itself:")
    _gaps(report, symbol, outcome.beside, "between this and other stored trades lie")


def _gaps(report: Report, symbol: str, gaps: list[Gap], words: str) -> None:
    for gap in gaps[:GAPS_SHOWN]:
        report.note(f"{symbol}: {words} ids {gap.from_id}-{gap.to_id} ({gap.missing:,})")
    if len(gaps) > GAPS_SHOWN:
        report.note(f"{symbol}: {words} {len(gaps) - GAPS_SHOWN} further gaps")
