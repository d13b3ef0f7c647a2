/** The sequence of candles that a user reads. */

import { ReaderTooSlow } from "./errors.js";
import type { DataStatus, InitialHistory, OhlcvUpdate } from "./generated/types.js";
import { CandleSequence, type CandleUpdate } from "./sequence.js";

/** Limit of unread updates; a running candle counts once. */
const MAX_UNREAD = 10_000;

interface Reader {
  resolve(result: IteratorResult<CandleUpdate, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Updates of the candles of one symbol and timeframe: history, then the stream.
 *
 * Iterate over it with `for await`. Leaving that loop, or `close`, unsubscribes.
 */
export class Candles implements AsyncIterableIterator<CandleUpdate, undefined> {
  /** How complete the data is, as the server last reported; undefined before the first report. */
  status: DataStatus | undefined;
  readonly #sequence: CandleSequence;
  readonly #onStatus: ((status: DataStatus) => void) | undefined;
  readonly #onClose: (candles: Candles) => void;
  readonly #unread: CandleUpdate[] = [];
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

  /** The number of candles of history to request; 0 when none are needed. */
  get awaited(): number {
    return this.#sequence.awaited;
  }

  /** Handle a new connection; returns how many candles of history to request. */
  resume(): number {
    return this.#sequence.resume(performance.now() - this.#lastCandle);
  }

  /** Process a history message. */
  onHistory(message: InitialHistory): void {
    this.#setStatus(message.data_status);
    if (message.data_status.data_quality === "complete") {
      this.#enqueue(this.#sequence.onHistory(message.candles, message.requested_candles));
    }
  }

  /** Process a live update. */
  onUpdate(message: OhlcvUpdate): void {
    this.#setStatus(message.data_status);
    if (message.data !== null) {
      this.#enqueue(this.#sequence.onUpdate(message.data));
    }
  }

  /** End with an error, which the reader gets after the unread updates. */
  fail(error: unknown): void {
    if (!this.#closed) {
      this.#error = error;
      this.close();
    }
  }

  /** Unsubscribe. Unread updates can still be read. */
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

  next(): Promise<IteratorResult<CandleUpdate, undefined>> {
    return new Promise((resolve, reject) => {
      const update = this.#unread.shift();
      if (update !== undefined) {
        resolve({ value: update, done: false });
      } else if (this.#closed) {
        this.#end({ resolve, reject });
      } else {
        this.#readers.push({ resolve, reject });
      }
    });
  }

  /** Called when a `for await` is left. */
  return(): Promise<IteratorResult<CandleUpdate, undefined>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #setStatus(status: DataStatus): void {
    if (JSON.stringify(status) !== JSON.stringify(this.status)) {
      this.status = status;
      this.#onStatus?.(status);
    }
  }

  #enqueue(updates: readonly CandleUpdate[]): void {
    this.#lastCandle = performance.now();
    for (const update of updates) {
      const reader = this.#readers.shift();
      if (reader) {
        reader.resolve({ value: update, done: false });
        continue;
      }
      const last = this.#unread.at(-1);
      if (last && replaces(update, last)) {
        this.#unread.pop();
      }
      this.#unread.push(update);
    }
    if (this.#unread.length > MAX_UNREAD) {
      this.fail(new ReaderTooSlow(`${MAX_UNREAD} updates of ${this.symbol} are unread`));
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

/** Whether a reader that has not seen the old update can skip it. */
function replaces(next: CandleUpdate, old: CandleUpdate): boolean {
  const same = next.candle.candle_time === old.candle.candle_time;
  return same && old.state === "running" && next.state !== "corrected";
}
