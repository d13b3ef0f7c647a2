"""Prints the candles of a symbol as they close: `python example.py [URL] [SYMBOL] [MINUTES]`."""

import asyncio
import sys
from datetime import UTC, datetime

from candlecast_client import Client


async def main(url: str, symbol: str, minutes: int) -> None:
    async with Client(url) as client:
        tickers = await client.rest.list_tickers()
        print("followed:", ", ".join(ticker.symbol for ticker in tickers.data), flush=True)
        async with client.candles(symbol, minutes, history=10) as candles:
            async for update in candles:
                if update.state == "running":
                    continue
                candle = update.candle
                start = datetime.fromtimestamp(candle.candle_time / 1000, UTC)
                print(
                    f"{start:%Y-%m-%d %H:%M}  open {candle.open}  high {candle.high}  "
                    f"low {candle.low}  close {candle.close}  volume {candle.volume}  "
                    f"{update.state}",
                    flush=True,
                )


if __name__ == "__main__":
    defaults = ["http://localhost:8080", "BTCUSDT", "1"]
    url, symbol, minutes = (*sys.argv[1:], *defaults[len(sys.argv) - 1 :])
    asyncio.run(main(url, symbol, int(minutes)))
