/** One connection of a client, which matches replies with their requests. */

import { type ClientError, ConnectionLost, ReaderTooSlow, TimedOut } from "./errors.js";
import { type Incoming, type Message, newId, type Outgoing } from "./messages.js";
import { exact, fits, lookup, plain, read, type Shapes, withMember, write } from "./values.js";

/** Messages that are kept until they are iterated over. */
const MAX_UNREAD = 10_000;
const NORMAL_CLOSURE = 1000;
interface Waiting {
  readonly request: Outgoing;
  readonly id: unknown;
  settle(incoming: Incoming, message: unknown): void;
  fail(error: Error): void;
}

/** An open connection. Messages that answer no request wait to be iterated over. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #incoming: readonly Incoming[];
  readonly #shapes: Shapes;
  readonly #replyMs: number;
  #count = 0;
  #waiting: Waiting[] = [];
  #unread: Message[] = [];
  #hasReader = false;
  #end: ClientError | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket, incoming: readonly Incoming[], shapes: Shapes, replyMs: number) {
    this.#socket = socket;
    this.#incoming = incoming;
    this.#shapes = shapes;
    this.#replyMs = replyMs;
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", (event) => {
      this.#finish(new ConnectionLost(event.code, event.reason));
    });
  }

  /** Send a message and wait for its reply. Throws TimedOut, ConnectionLost and refusals. */
  request(request: Outgoing, value: unknown): Promise<unknown> {
    const [payload, id] = this.#correlated(request, value);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        request,
        id,
        settle: (incoming, message) => {
          clearTimeout(timer);
          const isRefusal =
            request.refusals.includes(incoming.name) || !request.replies.includes(incoming.name);
          if (incoming.refusal !== undefined && isRefusal) {
            reject(new incoming.refusal(message as never));
          } else {
            resolve(message);
          }
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        reject(new TimedOut(`no reply to ${request.name} in ${this.#replyMs} ms`));
      }, this.#replyMs);
      this.#waiting.push(waiting);
      try {
        this.#send(payload);
      } catch (error) {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        waiting.fail(error as Error);
      }
    });
  }

  /** Send a message that nothing answers. Throws ConnectionLost. */
  send(request: Outgoing, value: unknown): void {
    this.#send(this.#correlated(request, value)[0]);
  }

  /**
   * The messages that answer no request, until the connection is closed.
   *
   * Throws ConnectionLost when that is not done in order, and ReaderTooSlow.
   */
  async *messages(): AsyncGenerator<Message> {
    this.#hasReader = true;
    for (;;) {
      for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) {
        yield next;
      }
      if (this.#end instanceof ConnectionLost && this.#end.code === NORMAL_CLOSURE) {
        return;
      }
      if (this.#end !== undefined) {
        throw this.#end;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Close the connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState === this.#socket.CLOSED) {
        resolve();
        return;
      }
      this.#socket.addEventListener("close", () => resolve());
      this.#socket.close(NORMAL_CLOSURE);
    });
  }

  #correlated(request: Outgoing, payload: unknown): [unknown, unknown] {
    if (request.correlation === undefined) {
      return [payload, undefined];
    }
    const given = lookup(payload, request.correlation);
    if (given !== undefined || request.ids === undefined) {
      return [payload, given];
    }
    let id: unknown;
    do {
      this.#count += 1;
      id = newId(request.ids, this.#count);
    } while (this.#waiting.some((waiting) => waiting.id === id));
    return [withMember(payload, request.correlation, id), id];
  }

  #send(payload: unknown): void {
    if (this.#end !== undefined) {
      throw this.#end;
    }
    if (this.#socket.readyState !== this.#socket.OPEN) {
      throw new ConnectionLost(1006, "");
    }
    this.#socket.send(write(payload));
  }

  #receive(data: unknown): void {
    const payload = typeof data === "string" ? read(data) : undefined;
    const candidates = payload === undefined ? [] : this.#candidates(payload);
    for (const incoming of candidates) {
      const waiting = this.#answered(incoming, payload);
      if (waiting !== undefined) {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        waiting.settle(incoming, exact(incoming.shape, payload, this.#shapes));
        return;
      }
    }
    const [first] = candidates;
    if (first === undefined) {
      console.warn("a message is none of the document", data);
      return;
    }
    if (this.#unread.length === MAX_UNREAD) {
      if (this.#hasReader) {
        this.#finish(new ReaderTooSlow(`${MAX_UNREAD} messages are unread`));
        this.#socket.close();
        return;
      }
      this.#unread.shift();
    }
    this.#unread.push({ name: first.name, message: exact(first.shape, payload, this.#shapes) });
    this.#wake();
  }

  /** The messages that a payload may be, as the document lists them. */
  #candidates(payload: unknown): Incoming[] {
    return this.#incoming.filter(
      ({ shape, constants }) =>
        constants.every(([path, values]) => {
          const found = lookup(payload, path);
          return found === undefined || values.includes(found);
        }) && fits(shape, payload, this.#shapes),
    );
  }

  /** The request that a message answers: by its correlation id, else the first that it may. */
  #answered(incoming: Incoming, payload: unknown): Waiting | undefined {
    const path = incoming.correlation;
    const found = path === undefined ? undefined : plain(lookup(payload, path));
    return this.#waiting.find(({ request, id }) => {
      const mayAnswer = request.replies.includes(incoming.name);
      return found === undefined || found === null || id === undefined
        ? mayAnswer
        : found === id && (mayAnswer || incoming.refusal !== undefined);
    });
  }

  #finish(end: ClientError): void {
    this.#end ??= end;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.fail(this.#end);
    }
    this.#wake();
  }
}
