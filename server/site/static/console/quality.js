// The state of a chart's data in words.

import * as format from './format.js';

/** @import {Connection, Quality} from './stream.js' */

/**
 * The progress of loading, as `/tickers` and the ticker messages have it.
 *
 * @typedef {object} Loading
 * @property {number} loaded trades
 * @property {number} total
 * @property {number} trades_per_second
 * @property {number | null} seconds_left
 */

/**
 * What is known of a symbol from `/tickers/{symbol}`.
 *
 * @typedef {object} Ticker
 * @property {string} symbol
 * @property {string} exchange_status
 * @property {boolean} connected
 * @property {{data_quality: Quality}} data_status
 * @property {{from_id: number, to_id: number, missing: number, reason: string}[]} open_gaps
 * @property {number} trades_stored
 * @property {Loading | null} [loading]
 */

/**
 * @typedef {object} Said
 * @property {string} word one word, for a badge
 * @property {string} detail a sentence, or ""
 */

/**
 * The state of the data of one chart.
 *
 * @param {Quality | null} quality null until the server has said it
 * @param {Ticker | null} ticker
 * @returns {Said}
 */
export function describe(quality, ticker) {
  if (quality === null) return {word: 'waiting', detail: 'Waiting for the first candles.'};
  if (quality === 'complete') return {word: 'complete', detail: market(ticker)};
  if (quality === 'loading') return {word: 'loading', detail: loading(ticker?.loading ?? null)};
  if (quality === 'partial') return {word: 'partial', detail: gaps(ticker)};
  return {word: 'unknown', detail: doubt(ticker)};
}

/**
 * @param {Connection} connection
 * @param {number} now in milliseconds
 * @returns {Said}
 */
export function lost(connection, now) {
  const wait = connection.open || connection.retryAt === null ? 0 : connection.retryAt - now;
  const next = wait > 0 ? `Next attempt in ${Math.ceil(wait / 1000)} s.` : 'Connecting.';
  return {word: 'connection lost', detail: next};
}

/**
 * The progress of loading in one line.
 *
 * @param {Loading | null} progress
 */
export function loading(progress) {
  if (!progress || !progress.total) return 'Waiting to be loaded.';
  const {loaded, total, trades_per_second: rate, seconds_left: left} = progress;
  const parts = [
    `${percent(progress)} %`,
    `${format.count(loaded)} of ${format.count(total)} trades`,
    ...(Number(rate) > 0 ? [`${format.count(Math.round(Number(rate)))}/s`] : []),
    ...(left === null ? [] : [`${format.duration(Number(left))} left`]),
  ];
  return parts.join(', ');
}

/** @param {Loading} progress */
export function percent({loaded, total}) {
  return total ? Math.min(100, Math.floor((100 * loaded) / total)) : 0;
}

/** @param {Ticker | null} ticker */
function market(ticker) {
  const status = ticker?.exchange_status ?? 'TRADING';
  return status === 'TRADING' || status === 'UNKNOWN' ? '' : `Market: ${status}.`;
}

/** @param {Ticker | null} ticker */
function gaps(ticker) {
  if (!ticker?.open_gaps.length) return 'Missing trades are being fetched.';
  const missing = ticker.open_gaps.reduce((sum, gap) => sum + gap.missing, 0);
  const count = ticker.open_gaps.length;
  const reason = ticker.open_gaps[0]?.reason ?? '';
  return `${format.count(missing)} trades missing in ${count} ${count === 1 ? 'gap' : 'gaps'}: ${reason}`;
}

/** @param {Ticker | null} ticker */
function doubt(ticker) {
  if (!ticker) return 'Nothing can be said of the newest trades.';
  if (ticker.exchange_status === 'NOT_LISTED') return 'The exchange does not list this symbol.';
  if (!ticker.connected) return 'The live feed of the exchange is not connected.';
  return `Connected; the newest trades are being verified. Market: ${ticker.exchange_status}.`;
}
