/**
 * One sequence of candles out of history, live pictures and connections that come and go.
 *
 * Pure: no I/O and no clock. Messages go in; what to hand over and what to ask for come out.
 */

import { CandlesMissing } from "./errors.js";
import type { Candle } from "./generated/types.js";

const MINUTE_MS = 60_000;
/** Candles that can be asked for at once. */
export const MAX_HISTORY = 1000;
/** Closed candles that are remembered to tell repeats from corrections: all that history repeats. */
const REMEMBERED = MAX_HISTORY + 1;

/**
 * - `running`: the candle in progress; newer pictures of it replace this one.
 * - `closed`: the candle is over. Each comes once, in order, each one timeframe after the last.
 * - `corrected`: a candle that was handed over as closed and has changed since: late or missing
 *   trades were found.
 */
export type State = "running" | "closed" | "corrected";

/** A candle as it stands. */
export interface Picture {
  readonly symbol: string;
  /** In minutes. */
  readonly timeframe: number;
  readonly candle: Candle;
  readonly state: State;
}

export class CandleSequence {
  /** While above 0, history of so many candles has been asked for, or is to be. */
  awaited: number;
  readonly #step: number;
  #first: number | undefined;
  #running: Candle | undefined;
  readonly #closed = new Map<number, string>();

  /** `timeframe` in minutes; `history` is how many candles to begin with, 0 to 1000. */
  constructor(
    readonly symbol: string,
    readonly timeframe: number,
    history: number,
  ) {
    this.awaited = history;
    this.#step = timeframe * MINUTE_MS;
  }

  /**
   * A new connection is there: how many candles of history to ask for.
   *
   * `elapsedMs` is the time since the last candle came. It is only a guess of how much was missed:
   * what the history does not reach is asked for again.
   */
  resume(elapsedMs: number): number {
    if (this.#running !== undefined) {
      const missed = Math.floor(elapsedMs / this.#step) + 2;
      this.awaited = Math.min(MAX_HISTORY, Math.max(this.awaited, missed));
    }
    return this.awaited;
  }

  /**
   * Complete history, oldest first, the running candle last.
   *
   * Afterwards `awaited` is above 0 when it did not reach far enough back. Throws CandlesMissing
   * when the server has nothing that would.
   */
  onHistory(candles: readonly Candle[], requested: number): Picture[] {
    if (this.awaited === 0 || requested < this.awaited) {
      return []; // an answer to somebody else, or to an earlier question
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
    const pictures: Picture[] = [];
    for (const candle of candles) {
      if (this.#isAhead(candle)) {
        throw this.#missing(candle.candle_time);
      }
      pictures.push(...this.#accept(candle));
    }
    return pictures;
  }

  /** A live picture. Afterwards `awaited` is above 0 when candles before it are missing. */
  onUpdate(candle: Candle): Picture[] {
    if (this.awaited > 0) {
      // The history that is on its way is newer than this, but may not reach so far back.
      const old = this.#running && candle.candle_time < this.#running.candle_time;
      return old ? this.#accept(candle) : [];
    }
    if (this.#isAhead(candle)) {
      this.awaited = this.#reach(candle.candle_time);
      return [];
    }
    return this.#accept(candle);
  }

  /** Pictures to hand over for a candle that is known, running or next. */
  #accept(candle: Candle): Picture[] {
    const running = this.#running;
    if (running === undefined || candle.candle_time > running.candle_time) {
      this.#running = candle;
      if (running === undefined) {
        this.#first = candle.candle_time;
        return [this.#picture(candle, "running")];
      }
      this.#remember(running);
      return [this.#picture(running, "closed"), this.#picture(candle, "running")];
    }
    if (candle.candle_time === running.candle_time) {
      if (fingerprint(candle) === fingerprint(running)) {
        return [];
      }
      this.#running = candle;
      return [this.#picture(candle, "running")];
    }
    if (this.#isCorrected(candle)) {
      this.#closed.set(candle.candle_time, fingerprint(candle));
      return [this.#picture(candle, "corrected")];
    }
    return [];
  }

  /** Whether a candle before the running one differs from what was handed over. */
  #isCorrected(candle: Candle): boolean {
    const handedOver = this.#first !== undefined && candle.candle_time >= this.#first;
    return handedOver && this.#closed.get(candle.candle_time) !== fingerprint(candle);
  }

  /** Whether candles between the running one and this one are missing. */
  #isAhead(candle: Candle): boolean {
    return (
      this.#running !== undefined && candle.candle_time > this.#running.candle_time + this.#step
    );
  }

  /** Candles from the running one to the newest, and one for a boundary passed meanwhile. */
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

  #picture(candle: Candle, state: State): Picture {
    return { symbol: this.symbol, timeframe: this.timeframe, candle, state };
  }
}

/** What a candle is known by. */
function fingerprint(candle: Candle): string {
  return [
    ...[candle.open, candle.high, candle.low, candle.close, candle.volume],
    ...[candle.trades_count, candle.taker_buy_volume, candle.taker_sell_volume],
  ].join(" ");
}
