// Asks a server for a trade and a candle with a key, and prints how each went.
// usage: node keyed.mjs URL KEY
import { Client } from "../../sdk/typescript/dist/candlecast-client.js";

const [url, key] = process.argv.slice(2);
const client = new Client(url, { key });
const outcome = async (work) => {
  try {
    return await work();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
const rest = await outcome(async () => (await client.rest.listTickers()).success);
const stream = await outcome(async () => {
  for await (const { state } of client.candles("BTCUSDT", 1, { history: 2 })) {
    return state;
  }
});
client.close();
console.log(JSON.stringify({ rest, stream }));
process.exit(0);
