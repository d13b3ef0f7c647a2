// Prints the candles of a symbol as they close: node example.mjs [URL] [SYMBOL] [MINUTES]
import { Client } from "candlecast-client";

const [url = "http://localhost:8080", symbol = "BTCUSDT", minutes = "1"] = process.argv.slice(2);
const client = new Client(url);
const { data } = await client.rest.listTickers();
console.log("followed:", data.map((ticker) => ticker.symbol).join(", "));
for await (const { state, candle } of client.candles(symbol, Number(minutes), { history: 10 })) {
  if (state !== "running") {
    const start = new Date(candle.candle_time).toISOString();
    const { open, high, low, close, volume } = candle;
    console.log(`${start}  open ${open}  high ${high}  low ${low}  close ${close}  volume ${volume}  ${state}`);
  }
}
