"""Recorded trades, read without any code of the product."""

from __future__ import annotations

import csv
import gzip
import io
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.core.trade import Trade

RECORDINGS = Path(__file__).parent.parent.parent / "shared" / "data" / "binance"
XRPETH = RECORDINGS / "XRPETH-aggTrades-2019-10-11_13.csv.gz"
BTCUSDT = RECORDINGS / "BTCUSDT-aggTrades-2020-01-02T1510.csv"
BTCUSDT_KLINES = RECORDINGS / "BTCUSDT-1m-2020-01-02.zip"

needs_recordings = pytest.mark.skipif(
    not XRPETH.exists(), reason="the recordings of the exchange are not on this machine"
)


def recorded_trades(path: Path) -> list[Trade]:
    """The trades of a recording in the archive's column order."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    with io.StringIO(text.decode()) as file:
        return [
            Trade(
                int(row[0]),
                int(Decimal(row[1]) * 10**8),
                int(Decimal(row[2]) * 10**8),
                int(row[3]),
                int(row[4]),
                int(row[5]),
                row[6].lower() == "true",
            )
            for row in csv.reader(file)
        ]
