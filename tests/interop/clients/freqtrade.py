"""freqtrade: lists, downloads, a backtest and a dry run, each by its command line."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.interop.support import ours, place
from tests.interop.support.report import Report
from tests.interop.support.rows import MINUTE_MS, Rows, fields, minutes, row

PAIRS: Final = {"BTC/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"}
TIMEFRAME: Final = "173m" if place.IS_SERVER else "4h"
WIDTH: Final = minutes(TIMEFRAME)
STEP_MS: Final = WIDTH * MINUTE_MS
FOLDER: Final = Path("user_data")
OPTIONS: Final = ("--config", "config.json", "--userdir", str(FOLDER))
FORMAT: Final = ("--data-format-ohlcv", "json")
DRY_RUN_SECONDS: Final = 60.0
PRICES: Final = ("open", "high", "low", "close", "volume")
RECORDER: Final = """
import json
from pathlib import Path
from strategy import EveryCandle

class Recorder(EveryCandle):
    def populate_indicators(self, dataframe, metadata):
        name = metadata["pair"].replace("/", "_")
        text = dataframe.to_json(orient="records", double_precision=15)
        Path(f"seen-{name}.json").write_text(text)
        return dataframe
"""
"""Writes down the candles that the strategy gets."""


def freqtrade(*arguments: str) -> str:
    """Run a command to its end, and return what it printed."""
    print("freqtrade", *arguments, flush=True)
    words = [sys.executable, "-m", "freqtrade", *arguments]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}"
    return done.stdout


def opened(label: int) -> int:
    """The open time of the candle of a label.

    freqtrade moves candles to a grid that begins at midnight of the first one's day, so that the
    label of a candle may be less than its length before its open time.
    """
    return -(-label // STEP_MS) * STEP_MS


def download(report: Report) -> None:
    """Compare the downloaded candles; the last whole one is the newest."""
    since = datetime.now(UTC) - timedelta(days=20)
    freqtrade("download-data", *OPTIONS, "-t", TIMEFRAME, f"--timerange={since:%Y%m%d}-", *FORMAT)
    for pair, symbol in PAIRS.items():
        file = FOLDER / "data" / "binance" / f"{pair.replace('/', '_')}-{TIMEFRAME}.json"
        rows = {each[0]: row(*each[1:]) for each in json.loads(file.read_text("utf-8"))}
        report.candles("download-data", symbol, WIDTH, rows)


def backtest(report: Report) -> None:
    """Compare the prices at which the backtest opens trades with the candles' open prices."""
    strategy = ("--strategy-path", ".", "--strategy", "EveryCandle")
    freqtrade("backtesting", *OPTIONS, *strategy, *FORMAT, "--fee", "0.001", "--export", "trades")
    results = FOLDER / "backtest_results"
    name = json.loads((results / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(results / name) as archive:
        found = json.loads(archive.read(name.replace(".zip", ".json")))
    for pair, symbol in PAIRS.items():
        trades = [
            each for each in found["strategy"]["EveryCandle"]["trades"] if each["pair"] == pair
        ]
        rates = {opened(each["open_timestamp"]): row(each["open_rate"]) for each in trades}
        every = ours.candles(symbol, WIDTH, rates, 1)
        report.same("prices by backtesting", rates, {at: every[at] for at in rates})


def dry_run(report: Report) -> None:
    """Compare the candles that a strategy gets in a dry run, which has to open trades."""
    Path("recorder.py").write_text(RECORDER, "utf-8")
    database = "dry-run.sqlite"
    words = ("trade", *OPTIONS, "--strategy-path", ".", "--strategy", "Recorder")
    process = subprocess.Popen(
        [sys.executable, "-m", "freqtrade", *words, "--db-url", f"sqlite:///{database}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + DRY_RUN_SECONDS
    while time.monotonic() < deadline and len(opened_in(database)) < len(PAIRS):
        time.sleep(1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    trades = opened_in(database)
    assert len(trades) == len(PAIRS), f"{trades}\n{output[-3000:]}"
    for pair, symbol in PAIRS.items():
        seen: list[dict[str, Any]] = json.loads(
            Path(f"seen-{pair.replace('/', '_')}.json").read_text("utf-8")
        )
        rows: Rows = {opened(each["date"]): fields(PRICES, each) for each in seen}
        report.candles("dry run", symbol, WIDTH, rows)


def opened_in(database: str) -> list[tuple[str, float]]:
    """The trades that a dry run has opened so far."""
    if not os.path.exists(database):
        return []
    with sqlite3.connect(database) as connection:
        try:
            return connection.execute("SELECT pair, open_rate FROM trades").fetchall()
        except sqlite3.OperationalError:  # the table is not there yet
            return []


def main() -> None:
    """Run each command and compare what it read."""
    report = Report("freqtrade")
    FOLDER.mkdir()
    for name in ("config.json", "strategy.py"):
        text = place.sample_text(f"freqtrade/{name}").replace("173m", TIMEFRAME)
        Path(name).write_text(text, "utf-8")
    for command in ("list-markets", "list-pairs"):
        listed = freqtrade(command, *OPTIONS, "--print-list")
        assert all(pair in listed for pair in PAIRS), listed
    download(report)
    backtest(report)
    dry_run(report)
    report.print()


if __name__ == "__main__":
    main()
