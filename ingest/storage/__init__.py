"""Trades and candles in ClickHouse: embedded in the process or on a server, by one DSN."""

from .audit import Difference
from .calls import AsyncStore
from .gaps import ConfirmedGap
from .pages import CandlePage, TableFormat
from .quarantine import Quarantined
from .statistics import Statistics
from .store import Store
from .timeframes import View
from .torn import TornPart
from .trades import IdRange, Selection, TradePage

__all__ = [
    "AsyncStore",
    "CandlePage",
    "ConfirmedGap",
    "Difference",
    "IdRange",
    "Quarantined",
    "Selection",
    "Statistics",
    "Store",
    "TableFormat",
    "TornPart",
    "TradePage",
    "View",
]
