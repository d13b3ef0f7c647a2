"""`make frames`: how smooth the console is while most of 300 prices change each second.

Prints the time to the first chart, and of 20 seconds the longest frames and the tasks of the page's
main thread that took more than 50 ms. The figures are those of the machine and whatever else it
does.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession

from simulator.assets import names
from support.browser import DESKTOP, Tab, tab
from tests.console.tools import CHROMIUM
from tests.running import ROOT, free_port, simulator

SYMBOLS = 300
SECONDS = 20
START_SECONDS = 120.0
PAGES = {
    "one chart": "?chart=BTCUSDT:1",
    "four charts": "?chart=BTCUSDT:1&chart=ETHUSDT:5&chart=SOLUSDT:173&chart=XRPUSDT:60",
}
FIRST_CHART = """(async () => {
  const isShown = () =>
    document.querySelector('canvas') && document.body.innerText.includes('complete');
  while (!isShown()) await new Promise(requestAnimationFrame);
  return Math.round(performance.now());
})()"""
SMOOTH = f"""(async () => {{
  const tasks = [], gaps = [];
  const note = (list) => tasks.push(...list.getEntries().map(({{duration}}) => duration));
  const watch = new PerformanceObserver(note);
  watch.observe({{type: 'longtask', buffered: false}});
  let before = performance.now();
  const end = before + {SECONDS * 1000};
  while (before < end) {{
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - before);
    before = now;
  }}
  watch.disconnect();
  gaps.sort((one, two) => two - one);
  const longest = gaps.slice(0, 3).map(Math.round);
  return {{frames: gaps.length, longest, tasks: tasks.map(Math.round)}};
}})()"""


@asynccontextmanager
async def serving(exchange: str, directory: Path) -> AsyncIterator[str]:
    """A server in a process of its own, once all of its symbols are complete."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    given = {
        "FEED": "binance", "REST_URL": exchange, "STREAM_URL": exchange.replace("http", "ws", 1),
        "SYMBOLS": "*", "HISTORY": "5m", "PORT": str(port), "STORE": f"chdb:///{directory}/db",
        "REQUESTS_PER_MINUTE": "100000", "REQUEST_BURST": "100000",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cli", "serve"),
        cwd=ROOT,
        env={**os.environ, **{f"CANDLECAST_{name}": text for name, text in given.items()}},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_SECONDS), ClientSession() as session:
            while not await _is_ready(session, url):  # noqa: ASYNC110  # a process of its own
                await asyncio.sleep(0.5)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _is_ready(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/api/v1/monitoring/ready") as reply:
            if reply.status != 200:
                return False
        async with session.get(f"{url}/api/v1/tickers/") as reply:
            return len((await reply.json())["data"]) == SYMBOLS
    except ClientError:
        return False


async def measure() -> None:
    """Print the figures of each page."""
    market = ("--symbols", ",".join(names(SYMBOLS)), "--rate", "1.5", "--weight-limit", "1000000")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with (
            simulator(*market) as exchange,
            serving(exchange, directory) as url,
            tab(str(CHROMIUM), directory / "browser") as page,
        ):
            for title, address in PAGES.items():
                await page.show(f"{url}/console{address}", DESKTOP)
                first = await page.value(FIRST_CHART)
                await asyncio.sleep(3.0)
                print(f"{title}: first chart after {first} ms; {await _smooth(page)}")


async def _smooth(page: Tab) -> str:
    found = await page.value(SMOOTH)
    return (
        f"{found['frames']} frames in {SECONDS} s, the longest {found['longest']} ms,"
        f" tasks above 50 ms: {found['tasks'] or 'none'}"
    )


def main() -> int:
    """Measure, where there is a browser."""
    if CHROMIUM is None:
        sys.stderr.write("frames: needs chromium (Debian: apt-get install chromium)\n")
        return 2
    asyncio.run(measure())
    return 0


if __name__ == "__main__":
    sys.exit(main())
