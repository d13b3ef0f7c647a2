/** One connection to the stream, from the handshake to its end. */

import { CandlecastError, ConnectionLost, ContractBroken } from "./errors.js";
import type { Replies, Requests, Unasked } from "./generated/stream.js";
import type { ServerMessage } from "./generated/types.js";
import { read } from "./json.js";

const OPEN_MS = 10_000;
const REPLY_MS = 10_000;

/** The part of the WebSocket API that the client uses; browsers, Node and `ws` have it. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** The environment's own WebSocket, or that of the package `ws`. */
export async function defaultWebSocket(): Promise<WebSocketConstructor> {
  const own = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (own) {
    return own;
  }
  try {
    const name = "ws"; // a variable, so that bundlers for browsers do not look for the package
    const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
    return (module as { WebSocket: WebSocketConstructor }).WebSocket;
  } catch {
    throw new CandlecastError(
      "There is no WebSocket here: install the package `ws`, or pass one as an option",
    );
  }
}

interface Waiting {
  resolve(message: ServerMessage): void;
  reject(error: unknown): void;
  timer: ReturnType<typeof setTimeout>;
}

/** An open connection. */
export class Connection {
  /** Rejected with the reason when the connection ends, resolved when it is closed here. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocketLike;
  readonly #onMessage: (message: Unasked) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #silenceMs: number;
  #settle!: { resolve(): void; reject(error: unknown): void };
  #isOver = false;
  #requests = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;

  /**
   * Open a connection; rejected with ConnectionLost on failure.
   *
   * `onMessage` gets the messages that are not replies, in order; what it throws ends the
   * connection. After `silenceMs` without a message the client pings the server.
   */
  static async open(
    WebSocket: WebSocketConstructor,
    url: string,
    onMessage: (message: Unasked) => void,
    silenceMs: number,
  ): Promise<Connection> {
    const socket = new WebSocket(url);
    const connection = new Connection(socket, onMessage, silenceMs);
    const timer = setTimeout(
      () => connection.#fail(new ConnectionLost(`${url} does not answer`)),
      OPEN_MS,
    );
    const opened = new Promise<void>((resolve) => (socket.onopen = () => resolve()));
    try {
      await Promise.race([opened, connection.ended]);
    } finally {
      clearTimeout(timer);
    }
    connection.#restartWatch();
    return connection;
  }

  private constructor(
    socket: WebSocketLike,
    onMessage: (message: Unasked) => void,
    silenceMs: number,
  ) {
    this.#socket = socket;
    this.#onMessage = onMessage;
    this.#silenceMs = silenceMs;
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ended.catch(() => undefined); // nobody may be waiting for it yet
    socket.onmessage = (event: { data: unknown }) => this.#receive(event.data);
    socket.onclose = (event: { code: number; reason: string }) =>
      this.#fail(new ConnectionLost(`The connection ended with code ${event.code} ${event.reason}`));
    socket.onerror = () => undefined; // `onclose` follows
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Send a request and wait for its reply. */
  request<Name extends keyof Requests>(request: Requests[Name]): Promise<Replies[Name]> {
    const id = `${(this.#requests += 1)}`;
    return new Promise<ServerMessage>((resolve, reject) => {
      if (this.#isOver) {
        throw new ConnectionLost("The connection is closed");
      }
      const timer = setTimeout(
        () => this.#fail(new ConnectionLost("The server did not reply in time")),
        REPLY_MS,
      );
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ ...request, request_id: id }));
    }) as Promise<Replies[Name]>;
  }

  /** Close the connection. */
  close(): void {
    this.#over(new ConnectionLost("The connection was closed"));
    this.#settle.resolve();
  }

  #fail(error: unknown): void {
    this.#over(error);
    this.#settle.reject(error);
  }

  #over(error: unknown): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    clearTimeout(this.#watch);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    this.#socket.close(1000);
  }

  #receive(data: unknown): void {
    if (this.#isOver) {
      return;
    }
    this.#restartWatch();
    try {
      const message = this.#parsed(data);
      const waiting = this.#waiting.get(message.request_id ?? "");
      if (waiting && message.request_id !== undefined) {
        clearTimeout(waiting.timer);
        this.#waiting.delete(message.request_id);
        waiting.resolve(message as ServerMessage);
      } else {
        this.#onMessage(message as Unasked);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #parsed(data: unknown): { type: string; request_id?: string } {
    const message = typeof data === "string" ? read(data) : undefined;
    if (typeof message !== "object" || message === null || !("type" in message)) {
      throw new ContractBroken("The server sent a message without a type");
    }
    return message as { type: string; request_id?: string };
  }

  /** Restart the timer that pings a silent server. */
  #restartWatch(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.request<"ping">({ action: "ping" }).catch(() => undefined); // then it is over
    }, this.#silenceMs);
  }
}
