"""The errors of this package.

CandlecastError
├── InvalidCall           no server accepts this call
├── ConnectionLost        the connection ended; the client reconnects by itself
├── AccessRefused         the server refuses this client
├── ContractBroken        the server violated its document
├── RequestRefused        the server refused a request; a retry would not help
├── SubscriptionRefused   the server refused one symbol or timeframe
├── CandlesMissing        a gap that the server can no longer fill
├── NotComplete           the server has no candles to show now
├── ReaderTooSlow         too many updates of a sequence are unread
└── RestError             a REST request failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .generated.models import Error, ErrorEnvelope, FailedTimeframe


class CandlecastError(Exception):
    """Any error of this package."""


class InvalidCall(CandlecastError, ValueError):
    """A call that no server accepts, such as a history of -1 candles."""


class ConnectionLost(CandlecastError):
    """The connection ended. Sequences of candles continue over the next one."""


class AccessRefused(CandlecastError):
    """The server refuses this client, or has no stream at this address."""


class ContractBroken(CandlecastError):
    """The server violated its document: client and server versions do not match."""


class RequestRefused(CandlecastError):
    """The server refused a request; `refusal` is its answer."""

    def __init__(self, refusal: Error) -> None:
        super().__init__(f"{refusal.error_code}: {refusal.message}")
        self.refusal = refusal


class SubscriptionRefused(CandlecastError):
    """The server refused one symbol or timeframe; `reason.error_code` says why."""

    def __init__(self, reason: FailedTimeframe) -> None:
        super().__init__(f"{reason.error_code}: {reason.message}")
        self.reason = reason


class NotComplete(CandlecastError):
    """The server shows no candles now, for trades are missing that it fetches: ask again."""


class CandlesMissing(CandlecastError):
    """The server no longer has the candles between the sequence and the current ones.

    `from_time` and `to_time` (ms) are the last candle that was delivered and the first that
    could follow. Start a new sequence if the gap does not matter.
    """

    def __init__(self, symbol: str, timeframe: int, from_time: int, to_time: int) -> None:
        super().__init__(
            f"{symbol} {timeframe}m: the server has no candles between {from_time} and {to_time}; "
            "start a new sequence"
        )
        self.symbol = symbol
        self.timeframe = timeframe
        self.from_time = from_time
        self.to_time = to_time


class ReaderTooSlow(CandlecastError):
    """Too many updates of a sequence are unread."""


class RestError(CandlecastError):
    """A REST request was answered with an error.

    `answer` is None when the reply is not one of the server's own, as from a proxy in between.
    `retry_after` is how many seconds to wait before a retry, if the server sent it.
    """

    def __init__(
        self, status: int, answer: ErrorEnvelope | None, retry_after: float | None
    ) -> None:
        reason = f"{answer.error_code}: {answer.error}" if answer else "no answer of Candlecast"
        super().__init__(f"HTTP {status}, {reason}")
        self.status = status
        self.answer = answer
        self.retry_after = retry_after
