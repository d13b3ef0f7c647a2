"""Trades and candles in ClickHouse: embedded in the process or on a server, by one DSN."""

from .audit import Difference
from .backup import back_up
from .calls import AsyncStore
from .exports import CandleSpan, Digest, FileFormat, Span, TradeSpan
from .forms import Form, candles_of, trades_of
from .gaps import ConfirmedGap
from .manifest import Manifest
from .pages import CandlePage
from .quarantine import Quarantined
from .restore import restore
from .statistics import Statistics
from .store import Store
from .tables import Table, TableFormat
from .timeframes import View
from .torn import TornPart
from .trades import IdRange, Selection

__all__ = [
    "AsyncStore",
    "CandlePage",
    "CandleSpan",
    "ConfirmedGap",
    "Difference",
    "Digest",
    "FileFormat",
    "Form",
    "IdRange",
    "Manifest",
    "Quarantined",
    "Selection",
    "Span",
    "Statistics",
    "Store",
    "Table",
    "TableFormat",
    "TornPart",
    "TradeSpan",
    "View",
    "back_up",
    "candles_of",
    "restore",
    "trades_of",
]
