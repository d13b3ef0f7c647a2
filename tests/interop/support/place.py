"""Where a client's program runs: what it speaks to, and the samples of the docs."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

AGAINST: Final = os.environ.get("INTEROP_AGAINST", "server")
"""What the client speaks to: the `simulator`, or the `server` that follows it."""
HOST: Final = os.environ.get("INTEROP_HOST", "")
"""Where that is, as in `127.0.0.1:40123`."""
OURS: Final = os.environ.get("INTEROP_OURS", "")
"""Where the server is, whose own API has the values to compare with."""
TLS_HOST: Final = os.environ.get("INTEROP_TLS_HOST", "")
"""A proxy before `HOST` that takes TLS."""
NODE: Final = os.environ.get("INTEROP_NODE", "")
"""The folder of the clients from npm."""
STREAM_SECONDS: Final = float(os.environ.get("INTEROP_STREAM_SECONDS", "75"))
"""How long to follow a stream: longer than a minute, so that a candle ends meanwhile."""

IS_SERVER: Final = AGAINST == "server"
SYMBOL: Final = "BTCUSDT"
SYMBOLS: Final = (SYMBOL, "ETHUSDT")
OWN: Final = ("173m",) if IS_SERVER else ()
"""An interval that the exchange does not have."""
INTERVALS: Final = ("1m", "4h", "1d", *OWN)
"""To ask for over REST."""
STREAMED: Final = ("1m", *(OWN or ("15m",)))
STREAMS: Final = ("aggTrade", *(f"kline_{interval}" for interval in STREAMED))
"""The streams of each symbol, by the second part of their names."""

_SAMPLES = Path(__file__).parents[1] / "samples"
_ADDRESSES = {"localhost:8080": HOST, "localhost:8443": TLS_HOST}
"""Those of the samples, and what is there in the tests."""


def sample_text(name: str) -> str:
    """A sample of the docs with the addresses of the tests."""
    text = (_SAMPLES / name).read_text("utf-8")
    for address, here in _ADDRESSES.items():
        text = text.replace(address, here)
    return text


def sample(name: str) -> Any:
    """The names that a sample of the docs defines once it has run."""
    names: dict[str, Any] = {"__name__": name}
    exec(compile(sample_text(name), name, "exec"), names)
    return SimpleNamespace(**names)
