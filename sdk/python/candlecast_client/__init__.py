"""A typed client of a Candlecast server.

async with Client("http://localhost:8080") as client:
    async with client.candles("BTCUSDT", 15, history=100) as candles:
        async for update in candles:
            print(update.state, update.candle.close)
"""

from .backoff import Backoff
from .candles import Candles
from .client import Client
from .errors import (
    AccessRefused,
    CandlecastError,
    CandlesMissing,
    ConnectionLost,
    ContractBroken,
    InvalidCall,
    NotComplete,
    ReaderTooSlow,
    RequestRefused,
    RestError,
    SubscriptionRefused,
)
from .generated import models
from .pages import Page, pages
from .rest import RestClient
from .sequence import CandleUpdate, State

__all__ = [
    "AccessRefused",
    "Backoff",
    "CandleUpdate",
    "CandlecastError",
    "Candles",
    "CandlesMissing",
    "Client",
    "ConnectionLost",
    "ContractBroken",
    "InvalidCall",
    "NotComplete",
    "Page",
    "ReaderTooSlow",
    "RequestRefused",
    "RestClient",
    "RestError",
    "State",
    "SubscriptionRefused",
    "models",
    "pages",
]
