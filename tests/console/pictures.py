"""`make pictures`: the pictures of the console in docs/, taken in Chromium.

The server and the simulated exchange run as in the tests.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from generated.native.facts import DataQuality
from support.browser import DESKTOP, PHONE, tab
from tests.console.tools import CHROMIUM
from tests.running import server, settings, simulator, until

DOCS = Path(__file__).parents[2] / "docs"
SYMBOLS = (
    "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT,DOGEUSDT,ADAUSDT,TRXUSDT,AVAXUSDT,LINKUSDT,DOTUSDT,"
    "LTCUSDT,BCHUSDT,NEARUSDT,UNIUSDT,ATOMUSDT,XLMUSDT,FILUSDT,APTUSDT,ARBUSDT,OPUSDT,INJUSDT"
)
ONE = "?chart=BTCUSDT:5:sma20:vwap"
FOUR = "?chart=BTCUSDT:173&chart=ETHUSDT:15:ema20&chart=SOLUSDT:60:line&chart=XRPUSDT:1:vwap"
PICTURES = (
    ("console.png", ONE, DESKTOP, False),
    ("console-dark.png", FOUR, DESKTOP, True),
    ("console-phone.png", ONE, PHONE, True),
    ("console-operator.png", f"{FOUR}#operator", DESKTOP, False),
)
SETTLED_SECONDS = 8.0
"""The operator's rates need a few polls."""


async def take() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        market = ("--symbols", SYMBOLS, "--rate", "0.3", "--seed", "3")
        async with simulator(*market) as exchange:
            chosen = settings(exchange, directory, symbols=SYMBOLS, history="26h")
            async with (
                server(chosen) as (running, url),
                tab(str(CHROMIUM), directory / "browser") as page,
            ):
                feeds = running.provider.feeds.values()
                complete = DataQuality.COMPLETE
                await until(lambda: all(feed.status.quality is complete for feed in feeds))
                for file, address, width, dark in PICTURES:
                    await page.show(f"{url}/console{address}", width, dark=dark)
                    await asyncio.sleep(SETTLED_SECONDS)
                    content = await page.picture()
                    await asyncio.to_thread((DOCS / file).write_bytes, content)


def main() -> int:
    """Take the pictures, where there is a browser."""
    if CHROMIUM is None:
        sys.stderr.write("pictures: needs chromium (Debian: apt-get install chromium)\n")
        return 2
    logging.getLogger().setLevel(logging.INFO)  # as the server has it, for its own view
    asyncio.run(take())
    return 0


if __name__ == "__main__":
    sys.exit(main())
