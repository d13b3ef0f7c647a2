/** The sequence of candles that a user reads. */

import { ReaderTooSlow } from "./errors.js";
import type { DataStatus, InitialHistory, OhlcvUpdate } from "./generated/types.js";
import { CandleSequence, type Picture } from "./sequence.js";

/** Pictures that may wait to be read; a running candle counts once. */
const MAX_UNREAD = 10_000;

interface Reader {
  resolve(result: IteratorResult<Picture, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Pictures of the candles of one symbol at one timeframe, history and stream as one.
 *
 * Read it with `for await`. Leaving that loop, or `close`, unsubscribes.
 */
export class Candles implements AsyncIterableIterator<Picture, undefined> {
  /** How far the data can be relied upon, as the server last said; undefined before it did. */
  status: DataStatus | undefined;
  readonly #sequence: CandleSequence;
  readonly #onStatus: ((status: DataStatus) => void) | undefined;
  readonly #onClose: (candles: Candles) => void;
  readonly #unread: Picture[] = [];
  readonly #readers: Reader[] = [];
  #error: unknown;
  #closed = false;
  #lastCandle = performance.now();

  /** Made by `Client.candles`. */
  constructor(
    readonly symbol: string,
    readonly timeframe: number,
    history: number,
    onStatus: ((status: DataStatus) => void) | undefined,
    onClose: (candles: Candles) => void,
  ) {
    this.#sequence = new CandleSequence(symbol, timeframe, history);
    this.#onStatus = onStatus;
    this.#onClose = onClose;
  }

  /** How many candles of history are to be asked for; 0 when there is no need. */
  get awaited(): number {
    return this.#sequence.awaited;
  }

  /** A new connection is there: how many candles of history to ask for. */
  resume(): number {
    return this.#sequence.resume(performance.now() - this.#lastCandle);
  }

  /** Take in history. */
  onHistory(message: InitialHistory): void {
    this.#hear(message.data_status);
    if (message.data_status.data_quality === "complete") {
      this.#offer(this.#sequence.onHistory(message.candles, message.requested_candles));
    }
  }

  /** Take in a live picture. */
  onUpdate(message: OhlcvUpdate): void {
    this.#hear(message.data_status);
    if (message.data !== null) {
      this.#offer(this.#sequence.onUpdate(message.data));
    }
  }

  /** End with an error, which the reader gets after what is unread. */
  fail(error: unknown): void {
    if (!this.#closed) {
      this.#error = error;
      this.close();
    }
  }

  /** Unsubscribe. What is unread can still be read. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    for (const reader of this.#readers.splice(0)) {
      this.#end(reader);
    }
    this.#onClose(this);
  }

  next(): Promise<IteratorResult<Picture, undefined>> {
    return new Promise((resolve, reject) => {
      const picture = this.#unread.shift();
      if (picture !== undefined) {
        resolve({ value: picture, done: false });
      } else if (this.#closed) {
        this.#end({ resolve, reject });
      } else {
        this.#readers.push({ resolve, reject });
      }
    });
  }

  /** Called when a `for await` is left. */
  return(): Promise<IteratorResult<Picture, undefined>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #hear(status: DataStatus): void {
    if (JSON.stringify(status) !== JSON.stringify(this.status)) {
      this.status = status;
      this.#onStatus?.(status);
    }
  }

  #offer(pictures: readonly Picture[]): void {
    this.#lastCandle = performance.now();
    for (const picture of pictures) {
      const reader = this.#readers.shift();
      if (reader) {
        reader.resolve({ value: picture, done: false });
        continue;
      }
      const last = this.#unread.at(-1);
      if (last && replaces(picture, last)) {
        this.#unread.pop();
      }
      this.#unread.push(picture);
    }
    if (this.#unread.length > MAX_UNREAD) {
      this.fail(new ReaderTooSlow(`${MAX_UNREAD} pictures of ${this.symbol} are unread`));
    }
  }

  #end(reader: Reader): void {
    if (this.#error === undefined) {
      reader.resolve({ value: undefined, done: true });
    } else {
      reader.reject(this.#error);
    }
  }
}

/** Whether a reader that has not seen the old picture need not see it any more. */
function replaces(next: Picture, old: Picture): boolean {
  const same = next.candle.candle_time === old.candle.candle_time;
  return same && old.state === "running" && next.state !== "corrected";
}
