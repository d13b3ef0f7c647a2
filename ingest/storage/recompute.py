# ruff: noqa: S608  # statements are put together from constants of this package alone
"""Recomputes candles from the stored trades: minutes whole, then the buckets around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from ..core.timeframe import MINUTE_MS, bucket_start, first_bucket, width_ms
from . import fold
from .connection import Connection

MINUTES = 1
"""The timeframe whose candles the minutes are themselves."""

TERMS_AT_ONCE = 200
"""Alternatives in the condition of one statement."""

SPANS_OF_A_SYMBOL = 4
"""Different spans of one symbol that are recomputed apart; more are drawn together."""


Span = tuple[int, int]
"""A span of time in whole minutes, in milliseconds: (from, until), the end is not part of it."""

Touched = Mapping[str, Iterable[Span]]
"""Spans by symbol."""

Terms = Sequence[tuple[Span, Sequence[str]]]
"""Spans with the symbols that they are of."""

Frame = tuple[int, int, int]
"""Buckets of a width in milliseconds that lie from a start to an end."""

Frames = Mapping[str, Sequence[Frame]]
"""Frames by symbol."""


def write_minutes(connection: Connection, terms: Terms) -> None:
    """Write the minutes in these spans anew from the trades."""
    condition, parameters = _condition("timestamp", terms)
    connection.command(
        "INSERT INTO minutes "
        f"SELECT symbol, intDiv(timestamp, {MINUTE_MS}) * {MINUTE_MS} AS candle_time,"
        f"{fold.OF_TRADES} FROM trades FINAL "
        f"WHERE first_trade_id >= 0 AND ({condition}) GROUP BY symbol, candle_time",
        parameters,
    )


def write_buckets(connection: Connection, terms: Terms, frames: Frames) -> None:
    """Write anew the buckets of these frames, of the symbols in the terms, from the minutes.

    The terms are `terms_of` the extents of the frames.
    """
    condition, parameters = _condition("candle_time", terms)
    rows = [
        (symbol, *frame) for _, symbols in terms for symbol in symbols for frame in frames[symbol]
    ]
    for number, name in enumerate(("symbols", "widths", "starts", "ends")):
        parameters[name] = [row[number] for row in rows]
    connection.command(_WRITE_BUCKETS.replace("/* extents */", condition), parameters)


def closing(touched: Touched, closed: Mapping[str, int]) -> dict[str, int]:
    """The times until which all buckets that have ended are written after these spans are.

    `closed` has the times, by symbol, until which they are now.
    """
    return {
        symbol: max([closed[symbol], *(until for _, until in spans)])
        for symbol, spans in touched.items()
    }


def frames_of(
    touched: Touched,
    closed: Mapping[str, int],
    moved: Mapping[str, int],
    kept: Mapping[str, int],
    timeframes: Callable[[str], Iterable[int]],
) -> Frames:
    """The buckets of the timeframes of each symbol that the spans touch or close.

    The times until which all ended buckets are written move on from `closed` to `moved`. No bucket
    is in a frame that begins before the time in `kept`, for its minutes are not all here. A bucket
    is written when it has ended, and again whenever it is touched later: so the cost of a minute
    does not grow with the width of the buckets that it lies in.
    """
    frames: dict[str, list[Frame]] = {}
    for symbol, now in moved.items():
        spans = join([*touched[symbol], (closed[symbol], now)])
        found = (
            _frame(timeframe, since, until, now, kept[symbol])
            for timeframe in timeframes(symbol)
            for since, until in spans
        )
        if some := [frame for frame in found if frame is not None]:
            frames[symbol] = some
    return frames


def extents(frames: Frames) -> dict[str, list[Span]]:
    """The span of each symbol that holds all of its frames."""
    return {
        symbol: [(min(start for _, start, _ in parts), max(end for _, _, end in parts))]
        for symbol, parts in frames.items()
    }


def _frame(timeframe: int, since: int, until: int, now: int, kept: int) -> Frame | None:
    """The buckets that a span touches, that begin after `kept` and that have ended by `now`."""
    width = width_ms(timeframe)
    start = max(bucket_start(since, timeframe), first_bucket(kept, timeframe))
    end = min(-(-until // width), now // width) * width
    return (width, start, end) if start < end else None


_WRITE_BUCKETS = f"""
INSERT INTO candles
SELECT symbol, intDiv(bucket.1, {MINUTE_MS}) AS timeframe, bucket.2 AS candle_time,
    {fold.OF_MINUTES}
FROM (
    SELECT minutes.*, arrayJoin(arrayDistinct(arrayMap(
        f -> (f.1, intDiv(candle_time, f.1) * f.1),
        arrayFilter(f -> candle_time >= f.2 AND candle_time < f.3, frames)))) AS bucket
    FROM (SELECT * FROM minutes FINAL WHERE /* extents */) AS minutes
    INNER JOIN (
        SELECT row.1 AS symbol, groupArray((row.2, row.3, row.4)) AS frames
        FROM (SELECT arrayJoin(arrayZip({{symbols:Array(String)}}, {{widths:Array(Int64)}},
            {{starts:Array(Int64)}}, {{ends:Array(Int64)}})) AS row)
        GROUP BY symbol
    ) AS used ON used.symbol = minutes.symbol
) AS m
GROUP BY symbol, timeframe, candle_time
"""
"""Each minute goes to every bucket that it belongs to, once."""


def _condition(column: str, terms: Terms) -> tuple[str, dict[str, object]]:
    """An SQL condition that holds in any of the spans, with its parameters."""
    alternatives = []
    parameters: dict[str, object] = {}
    for n, ((since, until), symbols) in enumerate(terms):
        alternatives.append(
            f"(symbol IN {{s{n}:Array(String)}} "
            f"AND {column} >= {{a{n}:Int64}} AND {column} < {{b{n}:Int64}})"
        )
        parameters |= {f"s{n}": symbols, f"a{n}": since, f"b{n}": until}
    return " OR ".join(alternatives), parameters


def terms_of(spans: Mapping[str, Sequence[Span]]) -> Iterator[Terms]:
    """The terms of one statement after another: symbols that share a span together, so many spans
    at once; a symbol's are kept together."""
    chunk: dict[Span, list[str]] = defaultdict(list)
    for symbol, parts in spans.items():
        if len(chunk) + len(parts) > TERMS_AT_ONCE and chunk:
            yield list(chunk.items())
            chunk = defaultdict(list)
        for span in parts:
            chunk[span].append(symbol)
    if chunk:
        yield list(chunk.items())


def join(spans: Iterable[Span]) -> list[Span]:
    """At most SPANS_OF_A_SYMBOL spans that hold all of these, in order.

    Where there are more, those with the least time between them become one: to recompute a minute
    that needs it not changes nothing.
    """
    united: list[Span] = []
    for since, until in sorted(spans):
        if since % MINUTE_MS or until % MINUTE_MS:
            raise ValueError(f"{since} to {until} is not in whole minutes")
        if since >= until:
            continue
        if united and since <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], until))
        else:
            united.append((since, until))
    by_distance = sorted(range(1, len(united)), key=lambda at: united[at][0] - united[at - 1][1])
    cuts = [0, *sorted(by_distance[1 - SPANS_OF_A_SYMBOL :]), len(united)]
    return [(united[a][0], united[b - 1][1]) for a, b in pairwise(cuts) if a < b]
