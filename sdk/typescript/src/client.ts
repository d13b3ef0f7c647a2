/** The client: sequences of candles that survive reconnections, and the REST interface. */

import { BACKOFF, type Backoff, pause } from "./backoff.js";
import { Candles } from "./candles.js";
import {
  Connection,
  defaultWebSocket,
  type WebSocketConstructor,
} from "./connection.js";
import {
  ConnectionLost,
  InvalidCall,
  RequestRefused,
  SubscriptionRefused,
} from "./errors.js";
import { STREAM_ADDRESS, type Unasked } from "./generated/stream.js";
import type {
  DataStatus,
  Error as Refusal,
  FailedTimeframe,
  StreamErrorCode,
} from "./generated/types.js";
import { RestClient } from "./rest.js";
import { MAX_HISTORY } from "./sequence.js";

/** Timeframes in one request, within the limits of any server. */
const MAX_PAIRS_PER_REQUEST = 100;
/** Pause between requests, which keeps their rate within the usual limit of 20 a second. */
const REQUEST_PAUSE_MS = 60;
/** Error codes after which the client reconnects and retries. */
const TRANSIENT_ERRORS: readonly StreamErrorCode[] = [
  "TIMEOUT",
  "INTERNAL_ERROR",
  "CONNECTION_ERROR",
];

export interface ClientOptions {
  /** An API key of the server, where it asks for keys; it is never part of an address. */
  readonly key?: string;
  readonly backoff?: Partial<Backoff>;
  /** Seconds without a message after which the client pings the server. */
  readonly silenceSeconds?: number;
  /** The WebSocket to use where the environment has none. */
  readonly WebSocket?: WebSocketConstructor;
  /** Called when the connection is made (undefined) or lost (the error). */
  readonly onConnection?: (error: ConnectionLost | undefined) => void;
}

export interface CandlesOptions {
  /** How many candles to start with, including the running one: 0 to 1000. */
  readonly history?: number;
  /**
   * Called when the server reports a new data status; while data is loading or partial the
   * sequence pauses.
   */
  readonly onStatus?: (status: DataStatus) => void;
}

/** The sequences of one symbol at one timeframe, which share a subscription. */
interface Group {
  readonly symbol: string;
  readonly timeframe: number;
  readonly sequences: Set<Candles>;
}

/**
 * A client of one server.
 *
 * It connects when the first sequence of candles is requested, reconnects whenever the
 * connection is lost, and disconnects when the last sequence is closed.
 */
export class Client {
  /** The REST interface. */
  readonly rest: RestClient;
  readonly #url: string;
  readonly #backoff: Backoff;
  readonly #options: ClientOptions;
  readonly #groups = new Map<string, Group>();
  readonly #asked = new Set<string>();
  readonly #released = new Map<string, Group>();
  #running = false;
  #wake: () => void = () => undefined;

  /** `url` is of the form `http://localhost:8080`. Throws InvalidCall for any other. */
  constructor(url: string, options: ClientOptions = {}) {
    const base = String(url).replace(/\/+$/, "");
    if (!/^https?:\/\/[^/?#\s]+[^?#\s]*$/.test(base)) {
      throw new InvalidCall(`url must be of the form http://localhost:8080, not ${base}`);
    }
    if (options.key !== undefined && !/^[!-~]{1,128}$/.test(options.key)) {
      throw new InvalidCall("key must be an API key of the server, as cck_...");
    }
    this.rest = new RestClient(base, options.key);
    this.#url = base.replace(/^http/, "ws") + STREAM_ADDRESS;
    this.#backoff = { ...BACKOFF, ...options.backoff };
    this.#options = options;
  }

  /**
   * The candles of a symbol as one sequence; `timeframe` is in minutes.
   *
   * Throws InvalidCall for arguments that no server accepts.
   */
  candles(symbol: string, timeframe: number, options: CandlesOptions = {}): Candles {
    const history = options.history ?? 0;
    if (typeof symbol !== "string" || symbol === "") {
      throw new InvalidCall(`symbol must be a name such as BTCUSDT, not ${JSON.stringify(symbol)}`);
    }
    if (!Number.isSafeInteger(timeframe) || timeframe < 1) {
      throw new InvalidCall(`timeframe must be an integer from 1 up, in minutes, not ${timeframe}`);
    }
    if (!Number.isInteger(history) || history < 0 || history > MAX_HISTORY) {
      throw new InvalidCall(`history must be an integer from 0 to ${MAX_HISTORY}, not ${history}`);
    }
    const key = keyOf(symbol, timeframe);
    const sequence = new Candles(symbol, timeframe, history, options.onStatus, (closed) =>
      this.#closed(key, closed),
    );
    const group = this.#groups.get(key) ?? { symbol, timeframe, sequences: new Set() };
    group.sequences.add(sequence);
    this.#groups.set(key, group);
    this.#released.delete(key);
    this.#ask(key);
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
    return sequence;
  }

  /** Close every sequence, and so the connection. */
  close(): void {
    for (const sequence of this.#all()) {
      sequence.close();
    }
  }

  #all(): Candles[] {
    return [...this.#groups.values()].flatMap((group) => [...group.sequences]);
  }

  #ask(key: string): void {
    this.#asked.add(key);
    this.#wake();
  }

  #closed(key: string, sequence: Candles): void {
    const group = this.#groups.get(key);
    group?.sequences.delete(sequence);
    if (group?.sequences.size === 0) {
      this.#groups.delete(key);
      this.#asked.delete(key);
      this.#released.set(key, group);
      this.#wake();
    }
  }

  /** Keep a connection while there are sequences. */
  async #run(): Promise<void> {
    for (let attempt = 0; this.#groups.size > 0; attempt += 1) {
      const since = performance.now();
      try {
        await this.#connect();
        attempt = -1;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) {
          for (const sequence of this.#all()) {
            sequence.fail(error);
          }
          continue;
        }
        attempt = performance.now() - since >= this.#backoff.steady * 1000 ? 0 : attempt;
        this.#options.onConnection?.(error);
        await this.#sleep(pause(this.#backoff, attempt) * 1000);
      }
    }
    this.#running = false;
  }

  /** Run one connection until there are no sequences left. */
  async #connect(): Promise<void> {
    const WebSocket = this.#options.WebSocket ?? (await defaultWebSocket());
    const silenceMs = (this.#options.silenceSeconds ?? 40) * 1000;
    const onMessage = (message: Unasked): void => this.#receive(message);
    const connection = await Connection.open(WebSocket, this.#url, onMessage, silenceMs);
    try {
      if (this.#options.key !== undefined) {
        await this.#authenticate(connection, this.#options.key);
      }
      this.#options.onConnection?.(undefined);
      this.#released.clear(); // a new connection has no subscriptions: make all of them
      for (const [key, group] of this.#groups) {
        group.sequences.forEach((sequence) => sequence.resume());
        this.#asked.add(key);
      }
      await Promise.race([connection.ended, this.#serve(connection)]);
    } finally {
      connection.close();
    }
  }

  /** Present the key by the first message: browsers cannot send a header with a WebSocket. */
  async #authenticate(connection: Connection, key: string): Promise<void> {
    const result = await connection.request<"authenticate">({
      action: "authenticate",
      api_key: key,
    });
    if (result.type === "error") {
      throw new RequestRefused(result);
    }
  }

  #receive(message: Unasked): void {
    switch (message.type) {
      case "initial_history":
        this.#dispatch(message, (sequence) => sequence.onHistory(message));
        break;
      case "ohlcv_update":
        this.#dispatch(message, (sequence) => sequence.onUpdate(message));
        break;
      case "error":
        throw new ConnectionLost(`${message.error_code}: ${message.message}`);
      default: // a heartbeat needs no handling; later versions may send other types
    }
  }

  #dispatch(message: { symbol: string; timeframe: string }, handle: (to: Candles) => void): void {
    const key = `${message.symbol}:${message.timeframe}`;
    for (const sequence of [...(this.#groups.get(key)?.sequences ?? [])]) {
      const awaited = sequence.awaited;
      try {
        handle(sequence);
      } catch (error) {
        sequence.fail(error); // including what `onStatus` throws
      }
      if (sequence.awaited > awaited) {
        this.#ask(key);
      }
    }
  }

  /** Send the queued requests until there are no sequences left. */
  async #serve(connection: Connection): Promise<void> {
    while (!connection.isOver && (this.#groups.size > 0 || this.#released.size > 0)) {
      if (this.#asked.size > 0) {
        await this.#subscribe(connection);
      } else if (this.#released.size > 0) {
        await this.#unsubscribe(connection);
      } else {
        await Promise.race([new Promise<void>((wake) => (this.#wake = wake)), connection.ended]);
        continue;
      }
      await sleep(REQUEST_PAUSE_MS);
    }
  }

  async #subscribe(connection: Connection): Promise<void> {
    const wanted = [...this.#asked]
      .slice(0, MAX_PAIRS_PER_REQUEST)
      .flatMap((key) => this.#groups.get(key) ?? []);
    const parts = bySymbol(wanted).map(([symbol, groups]) => ({
      symbol,
      timeframes: groups.map(({ timeframe, sequences }) => ({
        timeframe,
        initial_candles: Math.max(...[...sequences].map((sequence) => sequence.awaited)),
      })),
    }));
    wanted.forEach(({ symbol, timeframe }) => this.#asked.delete(keyOf(symbol, timeframe)));
    const result = await connection.request<"subscribe">({
      action: "subscribe",
      subscriptions: parts,
    });
    if (result.type === "error") {
      this.#refused(result, wanted);
      return;
    }
    result.failed_subscriptions.forEach((failure) => this.#failed(failure));
  }

  /** Fail the timeframe that the refusal of a request names, or all when it names none. */
  #refused(error: Refusal, wanted: readonly Group[]): void {
    if (TRANSIENT_ERRORS.includes(error.error_code)) {
      throw new ConnectionLost(`${error.error_code}: ${error.message}`);
    }
    const { symbol, timeframe } = error.details as { symbol?: unknown; timeframe?: unknown };
    const named = wanted.filter((group) => group.symbol === symbol && group.timeframe === timeframe);
    const culprits = named.length > 0 ? named : wanted;
    for (const group of wanted) {
      const key = keyOf(group.symbol, group.timeframe);
      if (culprits.includes(group)) {
        this.#fail(group, new RequestRefused(error));
      } else if (this.#groups.has(key)) {
        this.#ask(key);
      }
    }
  }

  #failed(failure: FailedTimeframe): void {
    if (failure.error_code === "UNAVAILABLE") {
      throw new ConnectionLost(failure.message);
    }
    for (const group of [...this.#groups.values()]) {
      const timeframe = failure.timeframe ?? group.timeframe;
      if (group.symbol === failure.symbol && group.timeframe === timeframe) {
        this.#fail(group, new SubscriptionRefused(failure));
      }
    }
  }

  #fail(group: Group, error: Error): void {
    for (const sequence of [...group.sequences]) {
      sequence.fail(error);
    }
    this.#released.delete(keyOf(group.symbol, group.timeframe)); // it was never subscribed
  }

  async #unsubscribe(connection: Connection): Promise<void> {
    const groups = [...this.#released.values()].slice(0, MAX_PAIRS_PER_REQUEST);
    groups.forEach(({ symbol, timeframe }) => this.#released.delete(keyOf(symbol, timeframe)));
    const result = await connection.request<"unsubscribe">({
      action: "unsubscribe",
      unsubscriptions: bySymbol(groups).map(([symbol, members]) => ({
        symbol,
        timeframes: members.map(({ timeframe }) => timeframe),
      })),
    });
    if (result.type === "error") {
      throw new ConnectionLost(`${result.error_code}: ${result.message}`);
    }
  }

  /** Wait, but only while there are sequences. */
  async #sleep(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (this.#groups.size > 0 && performance.now() < until) {
      await sleep(Math.min(100, until - performance.now()));
    }
  }
}

function keyOf(symbol: string, timeframe: number): string {
  return `${symbol}:${timeframe}m`;
}

function bySymbol(groups: readonly Group[]): [string, Group[]][] {
  const symbols = new Map<string, Group[]>();
  for (const group of groups) {
    symbols.set(group.symbol, [...(symbols.get(group.symbol) ?? []), group]);
  }
  return [...symbols];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
