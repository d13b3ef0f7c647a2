"""A fact stands in `specs/` alone: renamed there, the code follows or does not pass its checks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.specs.copies import Copy

NATIVE = (
    "openapi.yaml",
    "stream.asyncapi.yaml",
    *(
        f"schemas/{name}.yaml"
        for name in (
            "admin",
            "candle",
            "data_status",
            "envelope",
            "monitoring",
            "quantity",
            "symbol",
            "table",
            "ticker",
            "timeframe",
            "trade",
        )
    ),
)
KRAKEN = tuple(
    f"kraken/{name}.yaml"
    for name in ("messages", "schemas", "public.asyncapi", "private.asyncapi", "rest.openapi")
)


class Renamed(NamedTuple):
    """A name of the documents, all uses of it, and where its check has to fail."""

    kind: str
    files: tuple[str, ...]
    old: str
    new: str
    place: str
    """The module that uses the name."""


BREAKING = (
    Renamed("error code", NATIVE, "NOT_ACCEPTABLE", "NOT_SUITABLE", "server/rest/problems.py"),
    Renamed(
        "stream's error code", NATIVE, "UNKNOWN_ACTION", "NO_ACTION", "handlers/native/errors.py"
    ),
    Renamed(
        "failure code", NATIVE, "SUBSCRIPTION_LIMIT", "TOO_MANY", "handlers/native/requests.py"
    ),
    Renamed("data quality", NATIVE, "partial", "incomplete", "ingest/core/status.py"),
    Renamed("kind of gap", NATIVE, "unreadable", "garbled", "ingest/core/missing.py"),
    Renamed("field of a candle", NATIVE, "taker_sell_volume", "sold", "handlers/native/forms.py"),
    Renamed(
        "field of a status", NATIVE, "gap_recovery", "recovering", "handlers/native/messages.py"
    ),
    Renamed(
        "field of a page", NATIVE, "next_cursor", "next_page", "handlers/native/rest/trades.py"
    ),
    Renamed("field of a reply", NATIVE, "uptime_seconds", "up", "handlers/native/rest/admin.py"),
    Renamed("field of a request", NATIVE, "unsubscriptions", "ends", "handlers/native/requests.py"),
    Renamed("sent message", NATIVE, "heartbeat", "beat", "handlers/native/api.py"),
    Renamed("request", NATIVE, "unsubscribe", "leave", "handlers/native/api.py"),
    Renamed("operation", NATIVE, "get_system_info", "get_info", "handlers/native/api.py"),
    Renamed("parameter", NATIVE, "from_id", "first_id", "handlers/native/rest/trades.py"),
    Renamed("Kraken's feed", KRAKEN, "spread", "quotes", "handlers/kraken/spreads.py"),
    Renamed("Kraken's field", KRAKEN, "vwap", "mean", "handlers/kraken/messages.py"),
    Renamed("Kraken's error", KRAKEN, "TOO_FAST", "SLOW_DOWN", "handlers/kraken/errors.py"),
    Renamed("Kraken's reply", KRAKEN, "lot_multiplier", "lots", "handlers/kraken/rest.py"),
    Renamed("Kraken's header", KRAKEN, "API-Key", "API-Secret", "handlers/kraken/rest.py"),
)

FOLLOWING = (
    ("schemas/timeframe.yaml", "maximum: 525600", "maximum: 500"),
    ("schemas/timeframe.yaml", "maximum: 1000", "maximum: 70"),
    ("schemas/symbol.yaml", "{2,20}", "{2,9}"),
    ("kraken/schemas.yaml", "enum: [1, 5, 15,", "enum: [1, 7, 15,"),
    ("kraken/schemas.yaml", "- ohlc-5\n", "- ohlc-7\n"),
    ("kraken/schemas.yaml", "DOGE: XDG", "DOGE: DGE"),
    ("kraken/schemas.yaml", '"Unsupported event"', '"No such event"'),
    (
        "kraken/schemas.yaml",
        "maxItems: 1000\n  items:\n    $ref: '#/OneTrade'",
        "maxItems: 3\n  items:\n    $ref: '#/OneTrade'",
    ),
    ("kraken/public.asyncapi.yaml", "pathname: /kraken\n", "pathname: /k\n"),
    ("kraken/rest.openapi.yaml", "localhost:8080/kraken/0", "localhost:8080/k/0"),
)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_renamed_fact_is_an_error_of_types_where_it_is_used(copy: Copy) -> None:
    for renamed in BREAKING:
        word = re.compile(rf"(?<![\w-]){re.escape(renamed.old)}(?![\w-])")
        for file in renamed.files:
            path = copy.folder / "specs" / file
            path.write_text(word.sub(renamed.new, path.read_text()))
    copy.generate()
    found = copy.type_errors()
    missed = [
        renamed.kind
        for renamed in BREAKING
        if not any(
            line.startswith(renamed.place)
            and (names(line, renamed.old) or names(line, renamed.new))
            for line in found
        )
    ]
    assert missed == [], found


def names(line: str, name: str) -> bool:
    """Whether an error is about a name, in any of its spellings."""
    return re.sub(r"\W|_", "", name).lower() in re.sub(r"\W|_", "", line).lower()


SCRIPT = """
import json
from handlers.kraken.api import PATHS
from handlers.kraken.channels import Channel
from handlers.kraken.errors import error_reply
from handlers.kraken.pairs import Pairs
from handlers.kraken.trades import TRADES_MAX_ITEMS
from handlers.native.errors import error_reply as native_error
from generated.kraken.facts import MarketFeed
from ingest.binance.answers import SymbolInfo
from ingest.core.symbol import is_symbol
from server.rest.app import RestApi, load_document
from server.commands.watch import pair
from asyncapi_server import Detail, Fault, FaultKind
from pathlib import Path

request = {"subscriptions": [{"symbol": "BTCUSDT", "timeframes": [{"timeframe": 501}]}]}
path = "/subscriptions/0/timeframes/0/timeframe"
fault = Fault(
    FaultKind.INVALID_MESSAGE, "", (Detail(path, "", "/maximum"),), request=request
)
doge = SymbolInfo("DOGEUSDT", "TRADING", "DOGE", "USDT", 5)
kraken = load_document(Path("generated/kraken.openapi.json"))
print(json.dumps({
    "timeframe": native_error(fault)["details"]["maximum"],
    "watch": pair("BTCUSDT:500").timeframe,
    "symbols": [is_symbol("A" * 9), is_symbol("A" * 10)],
    "interval": [Channel(MarketFeed.OHLC, "X", 7).name, Channel(MarketFeed.OHLC, "X", 7).offset],
    "pair": Pairs(("DOGEUSDT",), {"DOGEUSDT": doge}).of("DOGEUSDT").wsname,
    "error": error_reply(Fault(FaultKind.UNKNOWN_MESSAGE, "", request={"event": "x"}))[
        "errorMessage"
    ],
    "trades": TRADES_MAX_ITEMS,
    "path": PATHS["public"],
    "base": RestApi(kraken, {}, lambda problem: (200, b"")).base_paths,
}))
"""


def test_the_code_follows_bounds_values_and_texts(copy: Copy) -> None:
    for file, old, new in FOLLOWING:
        path = copy.folder / "specs" / file
        text = path.read_text()
        assert old in text, (file, old)
        path.write_text(text.replace(old, new))
    copy.generate()
    done = copy.run("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    says: dict[str, Any] = json.loads(done.stdout)
    assert says == {
        "timeframe": 500,
        "watch": 500,
        "symbols": [True, False],
        "interval": ["ohlc-7", 8],
        "pair": "DGE/USDT",
        "error": "No such event",
        "trades": 3,
        "path": "/k",
        "base": ["/k/0", "/0"],
    }


def test_a_field_of_rows_that_the_store_does_not_have_stops_the_start(copy: Copy) -> None:
    for file, old in (("trade", "is_buyer_maker"), ("candle", "taker_buy_volume")):
        path = copy.folder / "specs" / "schemas" / f"{file}.yaml"
        fresh = path.read_text()
        path.write_text(fresh.replace(old, "renamed"))
        copy.generate()
        done = copy.run("-c", "import ingest.storage")
        assert "KeyError: 'renamed'" in done.stderr
        path.write_text(fresh)
