"""Trades and candles in ClickHouse: embedded in the process or on a server, by one DSN."""

from .audit import Difference
from .calls import AsyncStore
from .forms import Form, candles_of, trades_of
from .gaps import ConfirmedGap
from .pages import CandlePage
from .quarantine import Quarantined
from .statistics import Statistics
from .store import Store
from .tables import Table, TableFormat
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
    "Table",
    "TableFormat",
    "TornPart",
    "View",
    "candles_of",
    "trades_of",
]
