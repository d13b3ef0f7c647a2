// Downloads of the candles in sight.

import {MAX_PAGE} from './bounds.js';
import * as timeframes from './timeframe.js';

const FORMATS = /** @type {const} */ (['csv', 'parquet']);

/**
 * Split a range of candle times, both included, into ranges of one page each.
 *
 * @param {{from: number, to: number}} range in milliseconds
 * @param {number} step milliseconds of a candle
 * @param {number} limit candles of a page
 */
export function pages({from, to}, step, limit = MAX_PAGE) {
  const found = [];
  for (let start = from; start <= to; start += step * limit) {
    found.push({from: start, to: Math.min(to, start + step * (limit - 1))});
  }
  return found;
}

/**
 * The files of a range: for each format one, or one a page where it has more candles than a page.
 *
 * @param {string} symbol
 * @param {number} timeframe
 * @param {{from: number, to: number}} range
 */
export function parts(symbol, timeframe, range) {
  const ranges = pages(range, timeframes.milliseconds(timeframe));
  return FORMATS.flatMap((format) =>
    ranges.map(({from, to}, index) => {
      const day = new Date(from).toISOString().slice(0, 16).replace(':', '');
      const which = ranges.length > 1 ? ` ${index + 1} of ${ranges.length}` : '';
      return {
        text: `${format === 'csv' ? 'CSV' : 'Parquet'}${which}`,
        path: `data/candles/${encodeURIComponent(symbol)}`,
        parameters: {timeframe, start_time: from, end_time: to, limit: MAX_PAGE, format},
        name: `${symbol}-${timeframe}m-${day}.${format}`,
      };
    }),
  );
}
