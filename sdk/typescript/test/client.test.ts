/** The client against servers that disconnect, refuse or send wrong messages. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import {
  type Candles,
  CandlesMissing,
  Client,
  ContractBroken,
  InvalidCall,
  RestError,
  SubscriptionRefused,
  type types,
} from "../src/index.js";

const MINUTE_MS = 60_000;
const COMPLETE = {
  historical_loading: false,
  gap_recovery: false,
  data_quality: "complete",
  last_complete_timestamp: null,
};

/** One client's connection, from the server's side; messages wait until the test takes them. */
class Peer {
  readonly #messages: types.ClientMessage[] = [];
  #arrived: () => void = () => undefined;

  constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      this.#messages.push(JSON.parse(String(data)) as types.ClientMessage);
      this.#arrived();
    });
  }

  async receive(): Promise<types.ClientMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) {
        return message;
      }
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  send(...messages: object[]): void {
    messages.forEach((message) => this.socket.send(JSON.stringify(message)));
  }

  /** Accept a subscribe request and return how much history it asks for. */
  async accept(failed: object[] = []): Promise<Record<string, number | undefined>> {
    const request = await this.receive();
    assert(request.action === "subscribe");
    this.send({
      type: "subscription_result",
      request_id: request.request_id,
      successful_subscriptions: {},
      failed_subscriptions: failed,
      message: "",
    });
    return Object.fromEntries(
      request.subscriptions.flatMap(({ symbol, timeframes }) =>
        timeframes.map((item) => [`${symbol}:${item.timeframe}`, item.initial_candles]),
      ),
    );
  }
}

function candle(minute: number): object {
  const prices = { open: 1, high: 1, low: 1, close: 1 };
  const volumes = { volume: 1, taker_buy_volume: 1, taker_sell_volume: 0, trades_count: 1 };
  return { candle_time: minute * MINUTE_MS, ...prices, ...volumes };
}

function update(minute: number, symbol = "BTCUSDT"): object {
  return {
    type: "ohlcv_update",
    symbol,
    timeframe: "1m",
    data: candle(minute),
    data_status: COMPLETE,
  };
}

function history(requested: number, first: number, last: number): object {
  const count = last - first + 1;
  return {
    type: "initial_history",
    symbol: "BTCUSDT",
    timeframe: "1m",
    requested_candles: requested,
    actual_candles: count,
    data_status: COMPLETE,
    candles: Array.from({ length: count }, (_, index) => candle(first + index)),
  };
}

async function take(candles: Candles, count: number): Promise<[string, number][]> {
  const taken: [string, number][] = [];
  while (taken.length < count) {
    const { value } = await candles.next();
    assert(value);
    taken.push([value.state, value.candle.candle_time / MINUTE_MS]);
  }
  return taken;
}

let http: Server;
let sockets: WebSocketServer;
let client: Client;
let asked: string | undefined;
let answer: { status: number; headers?: Record<string, string>; body: string };

beforeEach(async () => {
  http = createServer((request, response) => {
    asked = request.url;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  sockets = new WebSocketServer({ server: http, path: "/ws/stream" });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  client = new Client(`http://127.0.0.1:${port}`, { backoff: { first: 0.01, most: 0.02 } });
});

afterEach(() => {
  client.close();
  sockets.clients.forEach((socket) => socket.terminate());
  sockets.close();
  http.closeAllConnections();
  http.close();
});

async function peer(): Promise<Peer> {
  const [socket] = (await once(sockets, "connection")) as [WebSocket];
  return new Peer(socket);
}

test("a lost connection is made again and what was missed is asked for", async () => {
  const candles = client.candles("BTCUSDT", 1, { history: 2 });
  let server = await peer();
  assert.deepEqual(await server.accept(), { "BTCUSDT:1": 2 });
  server.send(history(2, 10, 11));
  assert.deepEqual(await take(candles, 3), [
    ["running", 10],
    ["closed", 10],
    ["running", 11],
  ]);
  server.socket.close(1001);
  server = await peer();
  assert.deepEqual(await server.accept(), { "BTCUSDT:1": 2 });
  server.send(history(2, 29, 30));
  assert.deepEqual(await server.accept(), { "BTCUSDT:1": 21 });
  server.send(history(21, 10, 30));
  assert.deepEqual(await take(candles, 2), [
    ["closed", 11],
    ["closed", 12],
  ]);
});

test("a gap that the server cannot fill is an error", async () => {
  const candles = client.candles("BTCUSDT", 1);
  let server = await peer();
  await server.accept();
  server.send(update(10));
  await take(candles, 1);
  server.socket.close(1001);
  server = await peer();
  await server.accept();
  server.send(history(2, 20, 20));
  await assert.rejects(candles.next(), CandlesMissing);
});

test("messages and fields of later versions are passed over", async () => {
  const candles = client.candles("BTCUSDT", 1);
  const server = await peer();
  await server.accept();
  server.send({ type: "novelty" }, { ...update(5), mood: "fine" });
  assert.deepEqual(await take(candles, 1), [["running", 5]]);
});

for (const text of ["{", "[]", "null", '"x"']) {
  test(`a broken contract is raised to the reader: ${text}`, async () => {
    const candles = client.candles("BTCUSDT", 1);
    const server = await peer();
    await server.accept();
    server.socket.send(text);
    await assert.rejects(candles.next(), ContractBroken);
  });
}

test("a symbol that is not followed ends only its own sequence", async () => {
  const [wrong, right] = [client.candles("DOGEUSDT", 1), client.candles("BTCUSDT", 1)];
  const server = await peer();
  await server.accept([{ symbol: "DOGEUSDT", error_code: "SYMBOL_NOT_ACTIVE", message: "no" }]);
  server.send(update(3));
  await assert.rejects(wrong.next(), SubscriptionRefused);
  assert.deepEqual(await take(right, 1), [["running", 3]]);
});

test("a transient error is retried", async () => {
  const candles = client.candles("BTCUSDT", 1);
  const first = await peer();
  const { request_id } = await first.receive();
  const error = { type: "error", error_code: "INTERNAL_ERROR", message: "oh", details: {} };
  first.send({ ...error, request_id });
  const second = await peer();
  await second.accept();
  second.send(update(3));
  assert.deepEqual(await take(candles, 1), [["running", 3]]);
});

test("leaving the loop unsubscribes, and without sequences the client disconnects", async () => {
  const reading = (async () => {
    for await (const update of client.candles("BTCUSDT", 1)) {
      return update.candle.close;
    }
    return undefined;
  })();
  const server = await peer();
  await server.accept();
  server.send(update(3));
  assert.equal(await reading, "1");
  const request = await server.receive();
  assert(request.action === "unsubscribe");
  assert.deepEqual(request.unsubscriptions, [{ symbol: "BTCUSDT", timeframes: [1] }]);
  const closed = once(server.socket, "close");
  server.send({
    type: "unsubscription_result",
    request_id: request.request_id,
    successful_unsubscriptions: { BTCUSDT: [1] },
    failed_unsubscriptions: [],
    message: "",
  });
  await closed;
});

test("what no server takes is refused at once", async () => {
  for (const url of ["", "localhost:8080", "ftp://localhost", "http://", "http://a b"]) {
    assert.throws(() => new Client(url), InvalidCall);
  }
  assert.throws(() => client.candles("", 1), InvalidCall);
  assert.throws(() => client.candles("BTCUSDT", 0), InvalidCall);
  assert.throws(() => client.candles("BTCUSDT", 1, { history: 1001 }), InvalidCall);
  for (const symbol of ["", ".", "..", "\ud800", undefined as unknown as string]) {
    await assert.rejects(client.rest.getTicker(symbol), InvalidCall);
  }
});

test("REST takes and gives ids beyond 2^53", async () => {
  answer = { status: 200, body: '{"success":true,"data":[{"aggregate_id":9007199254740993}]}' };
  const page = await client.rest.getTrades("BTCUSDT", { from_id: 9007199254740993n });
  assert.equal(page.data[0]?.aggregate_id, 9007199254740993n);
  assert.equal(asked, "/api/v1/data/trades/BTCUSDT?from_id=9007199254740993");
});

test("REST keeps every digit and reports errors", async () => {
  const trade = '{"aggregate_id":1,"price":12345678901.12345678,"quantity":0.00000001}';
  answer = { status: 200, body: `{"success":true,"data":[${trade}]}` };
  const page = await client.rest.getTrades("BTCUSDT", { limit: 1 });
  assert.equal(page.data[0]?.price, "12345678901.12345678");
  answer = { status: 503, headers: { "Retry-After": "7" }, body: "<html>" };
  await assert.rejects(
    client.rest.listTickers(),
    (error) => error instanceof RestError && error.status === 503 && error.retryAfter === 7,
  );
});
