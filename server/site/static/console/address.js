// The state of the page in its address: /console?chart=BTCUSDT:173:sma20&chart=ETHUSDT:60:line#operator

import * as overlays from './overlays.js';
import * as timeframe from './timeframe.js';

/** @import {Overlay} from './overlays.js' */

/**
 * One chart of the page.
 *
 * @typedef {object} Chart
 * @property {string} symbol
 * @property {number} timeframe in minutes
 * @property {'candles' | 'line'} style
 * @property {Overlay[]} overlays
 */

/**
 * @typedef {object} State
 * @property {Chart[]} charts
 * @property {boolean} operator whether the operator's view is shown
 */

export const MAX_CHARTS = 4;
const OPERATOR = '#operator';

/**
 * The state of an address; what cannot be read is left out.
 *
 * @param {URL | Location} address
 * @returns {State}
 */
export function parse(address) {
  const texts = new URLSearchParams(address.search).getAll('chart').slice(0, MAX_CHARTS);
  return {
    charts: texts.map(chart).filter((each) => each !== null),
    operator: address.hash === OPERATOR,
  };
}

/**
 * The part of an address that says the state.
 *
 * @param {State} state
 */
export function format(state) {
  const charts = state.charts.map(({symbol, timeframe: minutes, style, overlays: over}) =>
    [
      encodeURIComponent(symbol),
      minutes,
      ...(style === 'line' ? ['line'] : []),
      ...over.map(overlays.key),
    ].join(':'),
  );
  const query = charts.map((text) => `chart=${text}`).join('&');
  return `?${query}${state.operator ? OPERATOR : ''}`;
}

/**
 * @param {string} text
 * @returns {Chart | null}
 */
function chart(text) {
  const [symbol = '', minutes = '', ...words] = text.split(':');
  const parsed = timeframe.parse(minutes);
  if (!symbol || parsed === null) return null;
  /** @type {Map<string, Overlay>} */
  const over = new Map();
  for (const word of words) {
    const overlay = overlays.parse(word);
    if (overlay) over.set(overlays.key(overlay), overlay);
  }
  const style = words.includes('line') ? 'line' : 'candles';
  return {symbol: symbol.toUpperCase(), timeframe: parsed, style, overlays: [...over.values()]};
}
