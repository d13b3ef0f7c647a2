"""The one tree of errors.

CandlecastError
├── MalformedTrade         a message of the exchange that is not a valid trade
├── UnknownSymbol          a symbol that is not followed here
├── SymbolLimit            as many symbols are followed as may be
├── UnknownJob             a job that there is not, or no longer
├── JobLimit               as many jobs wait as may
├── JobOver                a job that is over cannot be cancelled
├── NoSuchFile             a file that there is not, or not yet
├── NotReady               the answer exists but not yet: ask again
├── StoreUnavailable       the database does not answer
├── StoreInUse             another process has the embedded database open
├── BackupError            a backup that cannot be made or used
├── ExchangeError          the exchange refused or failed
│   ├── ExchangeUnavailable   no usable answer: network, 5xx, firewall
│   ├── NotListed             the exchange does not have a symbol
│   ├── RateLimited           429 or 418: wait until `retry_at`
│   └── RequestRefused        an error body with the exchange's code
└── SettingError           a setting that cannot be used
"""

from __future__ import annotations


class CandlecastError(Exception):
    """Base of every error that the product raises; the text says what to do."""


class MalformedTrade(CandlecastError):
    """A message of the exchange that is not a valid trade; it is counted and kept aside."""


class UnknownSymbol(CandlecastError):
    """A symbol that is not followed here."""

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"Symbol {symbol} is not active here; GET /api/v1/tickers/ lists those that are"
        )
        self.symbol = symbol


class SymbolLimit(CandlecastError):
    """As many symbols are followed as may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} symbols are followed, the most there may be: end one, or raise"
            " CANDLECAST_MAX_SYMBOLS"
        )


class UnknownJob(CandlecastError):
    """A job that there is not, or no longer."""

    def __init__(self, job_id: int) -> None:
        super().__init__(
            f"There is no job {job_id}; GET /api/v1/admin/jobs lists those that there are"
        )


class JobLimit(CandlecastError):
    """As many jobs wait as may."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} jobs wait, the most there may be: ask again when one has ended, or cancel one"
        )


class JobOver(CandlecastError):
    """A job that is over cannot be cancelled."""

    def __init__(self, job_id: int, state: str) -> None:
        super().__init__(f"Job {job_id} is {state}: there is nothing left to cancel")


class NoSuchFile(CandlecastError):
    """A file that there is not, or not yet; the text says why."""


class NotReady(CandlecastError):
    """The answer exists but not yet: the same request succeeds later."""


class StoreUnavailable(CandlecastError):
    """The database does not answer; the request may be tried again."""


class StoreInUse(CandlecastError):
    """Another process has the embedded database open."""


class BackupError(CandlecastError):
    """A backup that cannot be made, or is not whole."""


class ExchangeError(CandlecastError):
    """The exchange refused or failed."""


class ExchangeUnavailable(ExchangeError):
    """No usable answer came: network, time-out, firewall or a fault of the exchange."""


class NotListed(ExchangeError):
    """The exchange does not have a symbol."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"The exchange has no symbol {symbol}: check its name")
        self.symbol = symbol


class RateLimited(ExchangeError):
    """The exchange answered 429 or 418; no request may be sent before `retry_at`."""

    def __init__(self, message: str, retry_at: float) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        """Seconds on the monotonic clock."""


class RequestRefused(ExchangeError):
    """The exchange answered with an error body."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class SettingError(CandlecastError):
    """A setting that cannot be used; the text names it and what it takes."""
