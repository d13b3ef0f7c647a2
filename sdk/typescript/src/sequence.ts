/**
 * One sequence of candles from history and live updates, across reconnections.
 *
 * Pure: no I/O and no clock. Messages go in; updates and the history to request come out.
 */

import { CandlesMissing } from "./errors.js";
import type { Candle } from "./generated/types.js";

const MINUTE_MS = 60_000;
/** Candles in one history at most. */
export const MAX_HISTORY = 1000;
/** Closed candles remembered to distinguish corrections from what a history repeats. */
const REMEMBERED = MAX_HISTORY + 1;

/**
 * - `running`: the candle in progress; a newer update replaces this one.
 * - `closed`: the candle has ended. Each comes once, in order, one timeframe after the last.
 * - `corrected`: a candle that was delivered as closed has changed, because late or missing
 *   trades were found.
 */
export type State = "running" | "closed" | "corrected";

/** The state of a candle. */
export interface CandleUpdate {
  readonly symbol: string;
  /** In minutes. */
  readonly timeframe: number;
  readonly candle: Candle;
  readonly state: State;
}

export class CandleSequence {
  /** While above 0, a history of that many candles is requested or to be requested. */
  awaited: number;
  readonly #step: number;
  #first: number | undefined;
  #running: Candle | undefined;
  readonly #closed = new Map<number, string>();

  /** `timeframe` is in minutes; `history` is how many candles to start with, 0 to 1000. */
  constructor(
    readonly symbol: string,
    readonly timeframe: number,
    history: number,
  ) {
    this.awaited = history;
    this.#step = timeframe * MINUTE_MS;
  }

  /**
   * Handle a new connection; returns how many candles of history to request.
   *
   * `elapsedMs` is the time since the last candle came. It only estimates how much was missed:
   * if the history does not reach far enough back, a longer one is requested.
   */
  resume(elapsedMs: number): number {
    if (this.#running !== undefined) {
      const missed = Math.floor(elapsedMs / this.#step) + 2;
      this.awaited = Math.min(MAX_HISTORY, Math.max(this.awaited, missed));
    }
    return this.awaited;
  }

  /**
   * Process a complete history, oldest first, the running candle last.
   *
   * Afterwards `awaited` is above 0 when it does not reach far enough back. Throws CandlesMissing
   * when the server has none that does.
   */
  onHistory(candles: readonly Candle[], requested: number): CandleUpdate[] {
    if (this.awaited === 0 || requested < this.awaited) {
      return []; // a reply to another subscriber or to an earlier request
    }
    const [first, last] = [candles[0], candles.at(-1)];
    if (first && last && this.#running && first.candle_time > this.#running.candle_time) {
      if (candles.length < requested || requested >= MAX_HISTORY) {
        throw this.#missing(first.candle_time);
      }
      this.awaited = this.#reach(last.candle_time);
      return [];
    }
    this.awaited = 0;
    const updates: CandleUpdate[] = [];
    for (const candle of candles) {
      if (this.#isAhead(candle)) {
        throw this.#missing(candle.candle_time);
      }
      updates.push(...this.#accept(candle));
    }
    return updates;
  }

  /** Process a live update; then `awaited` is above 0 when candles before it are missing. */
  onUpdate(candle: Candle): CandleUpdate[] {
    if (this.awaited > 0) {
      // The pending history is newer than this update, but may not reach as far back.
      const old = this.#running && candle.candle_time < this.#running.candle_time;
      return old ? this.#accept(candle) : [];
    }
    if (this.#isAhead(candle)) {
      this.awaited = this.#reach(candle.candle_time);
      return [];
    }
    return this.#accept(candle);
  }

  /** The updates to deliver for a candle that is known, running or next. */
  #accept(candle: Candle): CandleUpdate[] {
    const running = this.#running;
    if (running === undefined || candle.candle_time > running.candle_time) {
      this.#running = candle;
      if (running === undefined) {
        this.#first = candle.candle_time;
        return [this.#update(candle, "running")];
      }
      this.#remember(running);
      return [this.#update(running, "closed"), this.#update(candle, "running")];
    }
    if (candle.candle_time === running.candle_time) {
      if (fingerprint(candle) === fingerprint(running)) {
        return [];
      }
      this.#running = candle;
      return [this.#update(candle, "running")];
    }
    if (this.#isCorrected(candle)) {
      this.#closed.set(candle.candle_time, fingerprint(candle));
      return [this.#update(candle, "corrected")];
    }
    return [];
  }

  /** Whether a candle before the running one differs from what was delivered. */
  #isCorrected(candle: Candle): boolean {
    const delivered = this.#first !== undefined && candle.candle_time >= this.#first;
    return delivered && this.#closed.get(candle.candle_time) !== fingerprint(candle);
  }

  /** Whether candles between the running one and this one are missing. */
  #isAhead(candle: Candle): boolean {
    return (
      this.#running !== undefined && candle.candle_time > this.#running.candle_time + this.#step
    );
  }

  /** Candles from the running one to the newest, and one that may begin meanwhile. */
  #reach(newest: number): number {
    const oldest = this.#running?.candle_time ?? newest;
    return Math.min(MAX_HISTORY, (newest - oldest) / this.#step + 2);
  }

  #remember(candle: Candle): void {
    this.#closed.set(candle.candle_time, fingerprint(candle));
    if (this.#closed.size > REMEMBERED) {
      this.#closed.delete(Math.min(...this.#closed.keys()));
    }
  }

  #missing(toTime: number): CandlesMissing {
    const fromTime = this.#running?.candle_time ?? toTime;
    return new CandlesMissing(this.symbol, this.timeframe, fromTime, toTime);
  }

  #update(candle: Candle, state: State): CandleUpdate {
    return { symbol: this.symbol, timeframe: this.timeframe, candle, state };
  }
}

/** A text that stands for a candle's values. */
function fingerprint(candle: Candle): string {
  return [
    ...[candle.open, candle.high, candle.low, candle.close, candle.volume],
    ...[candle.trades_count, candle.taker_buy_volume, candle.taker_sell_volume],
  ].join(" ");
}
