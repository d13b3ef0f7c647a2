// The candles of one symbol and timeframe, in the order of their times.

/** @import {Decimal} from './exact.js' */

/**
 * A candle as the server sends it.
 *
 * @typedef {object} Candle
 * @property {number} candle_time
 * @property {Decimal} open
 * @property {Decimal} high
 * @property {Decimal} low
 * @property {Decimal} close
 * @property {Decimal} volume
 * @property {number} trades_count
 * @property {Decimal} taker_buy_volume
 * @property {Decimal} taker_sell_volume
 */

export class Candles {
  /** @type {Candle[]} */
  list = [];

  /**
   * Take a history: it replaces the candles from its beginning on, and what is before it stays
   * where the two touch.
   *
   * @param {readonly Candle[]} history
   * @param {number} step milliseconds of a candle
   */
  take(history, step) {
    const [first] = history;
    if (!first) return;
    const before = this.list.slice(0, this.place(first.candle_time));
    const last = before.at(-1);
    const touches = last !== undefined && last.candle_time + step >= first.candle_time;
    this.list = [...(touches ? before : []), ...history];
  }

  /**
   * Put older candles before those that are here.
   *
   * @param {readonly Candle[]} older
   */
  prepend(older) {
    const [first] = this.list;
    const before = first ? older.filter((each) => each.candle_time < first.candle_time) : older;
    this.list = [...before, ...this.list];
  }

  /**
   * Put one candle in its place, and give the change: `added` behind the newest, `changed` in its
   * place, `inserted` between others, or `ignored`, as it lies before the oldest.
   *
   * @param {Candle} candle
   * @returns {'added' | 'changed' | 'inserted' | 'ignored'}
   */
  put(candle) {
    const place = this.place(candle.candle_time);
    if (place === this.list.length) {
      this.list.push(candle);
      return 'added';
    }
    if (this.list[place]?.candle_time === candle.candle_time) {
      this.list[place] = candle;
      return 'changed';
    }
    if (place === 0) return 'ignored';
    this.list.splice(place, 0, candle);
    return 'inserted';
  }

  /**
   * The candle of a time; undefined without one.
   *
   * @param {number} time
   */
  at(time) {
    const found = this.list[this.place(time)];
    return found?.candle_time === time ? found : undefined;
  }

  /**
   * The index of the first candle that does not lie before a time.
   *
   * @param {number} time
   */
  place(time) {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {Candle} */ (this.list[middle]).candle_time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
