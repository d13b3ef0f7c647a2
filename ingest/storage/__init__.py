"""Trades and candles in ClickHouse: embedded in the process or on a server, by one DSN."""

from .audit import Difference
from .calls import AsyncStore
from .forms import Form, candles_of, trades_of
from .gaps import ConfirmedGap
from .pages import CandlePage, TableFormat
from .quarantine import Quarantined
from .statistics import Statistics
from .store import Store
from .timeframes import View
from .torn import TornPart
from .trades import IdRange, Selection

__all__ = [
    "AsyncStore",
    "CandlePage",
    "ConfirmedGap",
    "Difference",
    "Form",
    "IdRange",
    "Quarantined",
    "Selection",
    "Statistics",
    "Store",
    "TableFormat",
    "TornPart",
    "View",
    "candles_of",
    "trades_of",
]
