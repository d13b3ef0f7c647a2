// The followed symbols with their prices, as the stream has them.

/** @import {Decimal} from './exact.js' */
/** @import {Loading} from './quality.js' */
/** @import {Quality} from './stream.js' */

/**
 * @typedef {object} Row
 * @property {string} symbol
 * @property {Decimal | null} price
 * @property {Decimal | null} open
 * @property {Decimal | null} high
 * @property {Decimal | null} low
 * @property {Decimal | null} volume
 * @property {Decimal | null} quote_volume
 * @property {number | null} since
 * @property {number | null} last_trade_time
 * @property {string} exchange_status
 * @property {Quality} data_quality
 * @property {Loading | null} loading
 */

/** @typedef {'symbol' | 'price' | 'change' | 'volume'} Order */

/** @type {Record<Order, (row: Row) => number>} */
const RANKS = {
  symbol: () => 0,
  price: ({price}) => Number(price ?? -1),
  change: ({price, open}) => (price === null || !Number(open) ? -Infinity : Number(price) / Number(open)),
  volume: ({quote_volume: volume}) => Number(volume ?? -1),
};

/**
 * Put rows in order: symbols by name, figures from the highest.
 *
 * @param {Iterable<Row>} rows
 * @param {Order} order
 */
export function sorted(rows, order) {
  const rank = RANKS[order];
  return [...rows].sort((one, two) => rank(two) - rank(one) || (one.symbol < two.symbol ? -1 : 1));
}

/**
 * The rows whose symbol has a text in it, those that begin with it first.
 *
 * @param {readonly Row[]} rows
 * @param {string} text
 */
export function matching(rows, text) {
  const sought = text.trim().toUpperCase();
  if (!sought) return [...rows];
  const begin = rows.filter(({symbol}) => symbol.startsWith(sought));
  return [...begin, ...rows.filter(({symbol}) => symbol.indexOf(sought) > 0)];
}
