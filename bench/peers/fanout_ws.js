// Fan-out by Node.js ws: encoded once, each client's socket corked during a tick.
"use strict";

const readline = require("node:readline");
const { WebSocketServer } = require("ws");
const { ohlcv, TOPICS } = require("./market.js");

const topics = TOPICS.slice(0, Number(process.argv[2]));
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
const subscribers = new Map(topics.map((topic) => [topic, []]));

server.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const { symbol, timeframes } of JSON.parse(data).subscriptions) {
      for (const { timeframe } of timeframes) subscribers.get(`${symbol}:${timeframe}`).push(socket);
    }
    socket.send(JSON.stringify({ type: "subscription_result" }));
  });
});

function publish(tick) {
  for (const client of server.clients) client._socket.cork();
  for (const topic of topics) {
    const update = Buffer.from(JSON.stringify(ohlcv(topic, tick)));
    for (const client of subscribers.get(topic)) client.send(update, { binary: false });
  }
  for (const client of server.clients) client._socket.uncork();
}

server.on("listening", () => {
  console.log(`ready ${server.address().port}`);
  readline.createInterface({ input: process.stdin })
    .on("line", (line) => publish(Number(line.split(" ")[1])))
    .on("close", () => process.exit(0));
});
