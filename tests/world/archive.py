"""The exchange's archive: zipped lines of the trades of whole days and months, and their faults."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.world.faults import Faults
from tests.world.market import Market, decimal

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""
NOT_FOUND: Final[Answer] = (404, {}, b"")
HEADER: Final = b"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,maker,best"
CUT, MICROSECONDS, HEADED, LACKING, SPOILT, NO_ZIP, OTHER, GONE = range(8)
"""What a file may be beside right: a fault's amount decides."""
FORMS: Final = 8


class Archive:
    """Files of the markets, as they stand when they are asked for."""

    def __init__(
        self, markets: Mapping[str, Market], faults: Faults, now_ms: Callable[[], int]
    ) -> None:
        self._markets = markets
        self._faults = faults
        self._now_ms = now_ms

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """The answer to a request for a file, a part of it, or its checksum."""
        if self._faults.of("5xx"):
            return 503, {}, b""
        name = path.rpartition("/")[2].removesuffix(".CHECKSUM")
        symbol, _, period = name.removesuffix(".zip").split("-", 2)
        fault = self._faults.of("archive", symbol)
        form = None if fault is None else int(fault.amount * (FORMS - 0.01))
        start_ms, end_ms = _period(period)
        if form == GONE or end_ms > self._now_ms():
            return NOT_FOUND
        body = self._file(name, self._lines(symbol, start_ms, end_ms, form))
        if form == NO_ZIP:
            body = b"<html>" + body
        if path.endswith(".CHECKSUM"):
            checksum = hashlib.sha256(body).hexdigest()
            return 200, {}, f"{checksum}  {name}\n".encode()
        if form == CUT:
            body = body[: len(body) // 2]
        elif form == OTHER:
            body = body[:-1] + bytes([body[-1] ^ 1])
        asked = headers.get("Range")
        if asked is None:
            return 200, {}, body
        begin = int(asked.removeprefix("bytes=").removesuffix("-"))
        return (206, {}, body[begin:]) if begin < len(body) else (416, {}, b"")

    def _lines(self, symbol: str, start_ms: int, end_ms: int, form: int | None) -> Iterator[bytes]:
        if form == HEADED:
            yield HEADER
        for trade in self._markets[symbol].existing():
            if not start_ms <= trade.timestamp < end_ms:
                continue
            number, micro = trade.aggregate_id, "000" if form == MICROSECONDS else ""
            if form == LACKING and number % 5 == 0:
                continue
            if form == SPOILT and number % 7 == 0:
                yield f"{number},1e3,?,{start_ms}".encode()
                continue
            price, quantity = decimal(trade.price), decimal(trade.quantity)
            if trade.is_tombstone:
                price = quantity = "0"
            yield (
                f"{number},{price},{quantity},{trade.first_trade_id},{trade.last_trade_id},"
                f"{trade.timestamp}{micro},{trade.is_buyer_maker},True"
            ).encode()

    def _file(self, name: str, lines: Iterator[bytes]) -> bytes:
        content = io.BytesIO()
        entry = zipfile.ZipInfo(name.replace(".zip", ".csv"))
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, b"".join(line + b"\n" for line in lines))
        return content.getvalue()


def _period(text: str) -> Sequence[int]:
    """The start and the end in ms of a day or month such as 2023-11-30 or 2023-11."""
    year, month, *day = map(int, text.split("-"))
    start = datetime(year, month, day[0] if day else 1, tzinfo=UTC)
    end = start + timedelta(days=1) if day else (start + timedelta(days=32)).replace(day=1)
    return [int(moment.timestamp()) * 1000 for moment in (start, end)]
