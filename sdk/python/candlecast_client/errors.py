"""What can go wrong.

CandlecastError
├── InvalidCall           no server could serve this call
├── ConnectionLost        the connection ended; the client makes a new one by itself
├── AccessRefused         the server does not let this client in
├── ContractBroken        the server sent what its document does not allow
├── RequestRefused        the server refused a request; asking again would not help
├── SubscriptionRefused   the server refused one symbol or timeframe
├── CandlesMissing        a gap that the server cannot fill any more
├── ReaderTooSlow         candles were not taken out of their sequence
└── RestError             a REST request failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .generated.models import Error, ErrorEnvelope, FailedTimeframe


class CandlecastError(Exception):
    """Any error of this package."""


class InvalidCall(CandlecastError, ValueError):
    """A call that no server could serve, such as a history of -1 candles."""


class ConnectionLost(CandlecastError):
    """The connection ended. Sequences of candles go on by themselves over the next one."""


class AccessRefused(CandlecastError):
    """The server does not let this client in, or there is no stream at its address."""


class ContractBroken(CandlecastError):
    """The server sent what its document does not allow: the versions do not fit together."""


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


class CandlesMissing(CandlecastError):
    """The server cannot give the candles that would join the sequence to what comes now.

    `from_time` and `to_time` (ms) are the last candle that was handed over and the first that
    could follow. Begin a new sequence where the gap does not matter.
    """

    def __init__(self, symbol: str, timeframe: int, from_time: int, to_time: int) -> None:
        super().__init__(
            f"{symbol} {timeframe}m: the server has no candles between {from_time} and {to_time}; "
            "begin a new sequence"
        )
        self.symbol = symbol
        self.timeframe = timeframe
        self.from_time = from_time
        self.to_time = to_time


class ReaderTooSlow(CandlecastError):
    """Candles were not taken out of their sequence for too long."""


class RestError(CandlecastError):
    """A REST request was answered with an error.

    `answer` is None when the reply was not one of the server's own, as from a proxy in between.
    `retry_after` is how many seconds to wait before the next try, if the server said.
    """

    def __init__(
        self, status: int, answer: ErrorEnvelope | None, retry_after: float | None
    ) -> None:
        reason = f"{answer.error_code}: {answer.error}" if answer else "no answer of Candlecast"
        super().__init__(f"HTTP {status}, {reason}")
        self.status = status
        self.answer = answer
        self.retry_after = retry_after
