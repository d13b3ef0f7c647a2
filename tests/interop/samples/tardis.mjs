process.env.WSS_URL_BINANCE = "ws://localhost:8080/stream?timeUnit=microsecond";
const { stream } = (await import("tardis-dev")).default;

const messages = stream({
  exchange: "binance",
  filters: [{ channel: "aggTrade", symbols: ["btcusdt", "ethusdt"] }],
});
for await (const { message } of messages) {
  console.log(JSON.stringify(message));
}
