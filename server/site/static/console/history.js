// Candles that are older than those on a chart, page by page.

import {MAX_INITIAL_CANDLES} from './bounds.js';
import {RestError, request} from './rest.js';

/** @import {Candle} from './candles.js' */

const AGAIN_MS = 3000;

export class History {
  #ends = new AbortController();
  #isLoading = false;
  #notBefore = 0;
  /** Whether there is nothing older. */
  hasBegun = false;

  /**
   * @param {string} symbol
   * @param {number} timeframe
   */
  constructor(symbol, timeframe) {
    this.symbol = symbol;
    this.timeframe = timeframe;
  }

  /**
   * The page of candles before a time; null where none is to be had now.
   *
   * @param {number} time
   * @returns {Promise<Candle[] | null>}
   */
  async before(time) {
    if (this.#isLoading || this.hasBegun || performance.now() < this.#notBefore) return null;
    this.#isLoading = true;
    try {
      const reply = await request(
        `data/candles/${encodeURIComponent(this.symbol)}`,
        {timeframe: this.timeframe, end_time: time - 1, limit: MAX_INITIAL_CANDLES},
        {signal: this.#ends.signal},
      );
      if (reply.data_status.data_quality !== 'complete') return this.#later(AGAIN_MS);
      this.hasBegun = reply.data.length < MAX_INITIAL_CANDLES;
      return reply.data;
    } catch (error) {
      if (this.#ends.signal.aborted) return null;
      if (!(error instanceof RestError)) throw error;
      return this.#later(Math.max(AGAIN_MS, error.retryAfter * 1000));
    } finally {
      this.#isLoading = false;
    }
  }

  /** End the request that is under way. */
  end() {
    this.#ends.abort();
  }

  /** @param {number} milliseconds */
  #later(milliseconds) {
    this.#notBefore = performance.now() + milliseconds;
    return null;
  }
}
