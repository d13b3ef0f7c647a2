"""Compares the candles of a symbol with the exchange's own, and explains what differs."""

from __future__ import annotations

import time
from collections import Counter

from ingest.core.errors import NotReady
from ingest.core.moment import moment
from ingest.core.symbol import Symbols
from ingest.pipeline.reconcile import FIELDS, Cause, KlineDifference, Reconciliation

from .means import Means, listed_symbols
from .request import Memo, Report, Request


async def reconcile(request: Request, means: Means, report: Report, memo: Memo) -> bool:
    """Name each difference; whether one is more than truncation."""
    symbol, timeframe = request.symbols or "", request.timeframe or 1
    causes = Counter({Cause[name]: count for name, count in memo.counts.items()})
    began = time.monotonic()
    await listed_symbols(means.rest, Symbols((symbol,)))
    start_ms, end_ms = request.start_ms or 0, request.end_ms
    if end_ms is None:
        end_ms = await means.rest.server_time()
    work = Reconciliation(means.store, means.rest, symbol, timeframe)
    report.status("Asking the exchange for its klines ...")
    before = memo.candles, memo.quiet
    try:
        async for found in work.pages(max(start_ms, memo.until_ms), end_ms):
            for difference in found:
                causes[difference.cause] += 1
                report.line(_line(symbol, timeframe, difference))
            tally = work.tally
            memo.counts = {cause.name: count for cause, count in causes.items()}
            memo.candles, memo.quiet = before[0] + tally.candles, before[1] + tally.quiet
            memo.from_ms, memo.until_ms = memo.from_ms or tally.from_ms, tally.until_ms
            report.status(f"{memo.candles:,} candles compared ...")
            await report.keep()
    except NotReady:
        if not memo.until_ms:  # else all of it had been compared when it was cut short
            raise
    report.note(
        f"{memo.candles:,} candles from {moment(memo.from_ms)} to {moment(memo.until_ms)} were "
        f"compared in {time.monotonic() - began:.1f} s, {len(FIELDS)} fields of each: "
        + (f"{causes.total():,} differences" if causes else "no difference")
    )
    if memo.quiet:
        report.note(f"  {memo.quiet:8,}  quiet candles that one side alone has: no difference")
    for cause, count in causes.most_common():
        report.note(f"  {count:8,}  {cause.value}")
    return bool(causes.keys() - {Cause.TRUNCATION})


def _line(symbol: str, timeframe: int, difference: KlineDifference) -> str:
    why = difference.cause.value + (f" ({difference.detail})" if difference.detail else "")
    return (
        f"{symbol} {timeframe}m {moment(difference.candle_time)} "
        f"{difference.field}: ours {difference.ours or 'missing'}, "
        f"the exchange's {difference.theirs or 'missing'}: {why}"
    )
