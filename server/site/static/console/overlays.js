// Lines over the candles: moving averages of closes, and the volume-weighted average price.

/** @import {Candle} from './candles.js' */

/**
 * An overlay. `period` counts candles; a `vwap` of period 0 begins anew each day (UTC).
 *
 * @typedef {{kind: 'sma' | 'ema' | 'vwap', period: number}} Overlay
 */

export const MAX_PERIOD = 1000;
const DAY_MS = 86400000;

/**
 * The overlay of a text, as in "sma20", "ema50" or "vwap"; null where it is none.
 *
 * @param {string} text
 * @returns {Overlay | null}
 */
export function parse(text) {
  const found = /^(sma|ema|vwap)\s*(\d{0,4})$/.exec(text.trim().toLowerCase());
  if (!found) return null;
  const kind = /** @type {Overlay['kind']} */ (found[1]);
  const period = Number(found[2]);
  if (period > MAX_PERIOD || (period === 0 && (kind !== 'vwap' || found[2] !== ''))) return null;
  return {kind, period};
}

/** @param {Overlay} overlay */
export function key(overlay) {
  return `${overlay.kind}${overlay.period || ''}`;
}

/** @param {Overlay} overlay */
export function label(overlay) {
  return `${overlay.kind.toUpperCase()} ${overlay.period || 'day'}`;
}

/**
 * The values of an overlay, one a candle; null where it has none yet.
 *
 * @param {Overlay} overlay
 * @param {readonly Candle[]} candles
 * @returns {(number | null)[]}
 */
export function values(overlay, candles) {
  if (overlay.kind === 'sma') return sma(candles, overlay.period);
  if (overlay.kind === 'ema') return ema(candles, overlay.period);
  return overlay.period ? vwap(candles, overlay.period) : dailyVwap(candles);
}

/**
 * @param {readonly Candle[]} candles
 * @param {number} period
 */
function sma(candles, period) {
  let sum = 0;
  return candles.map((candle, index) => {
    sum += Number(candle.close) - (index < period ? 0 : Number(candles[index - period]?.close));
    return index < period - 1 ? null : sum / period;
  });
}

/**
 * Begins with the mean of the first `period` closes.
 *
 * @param {readonly Candle[]} candles
 * @param {number} period
 */
function ema(candles, period) {
  const weight = 2 / (period + 1);
  let mean = 0;
  return candles.map((candle, index) => {
    const close = Number(candle.close);
    mean += index < period ? (close - mean) / (index + 1) : (close - mean) * weight;
    return index < period - 1 ? null : mean;
  });
}

/** @param {Candle} candle */
function typical(candle) {
  return (Number(candle.high) + Number(candle.low) + Number(candle.close)) / 3;
}

/**
 * @param {readonly Candle[]} candles
 * @param {number} period
 */
function vwap(candles, period) {
  let value = 0;
  let volume = 0;
  let quiet = 0;
  return candles.map((candle, index) => {
    const left = candles[index - period];
    value += typical(candle) * Number(candle.volume) - (left ? typical(left) * Number(left.volume) : 0);
    volume += Number(candle.volume) - (left ? Number(left.volume) : 0);
    quiet = Number(candle.volume) ? 0 : quiet + 1;
    // What rounding leaves behind in the sums of a quiet time is no average.
    if (quiet >= period) value = volume = 0;
    return index < period - 1 || !volume ? null : value / volume;
  });
}

/** @param {readonly Candle[]} candles */
function dailyVwap(candles) {
  let day = -1;
  let value = 0;
  let volume = 0;
  return candles.map((candle) => {
    const begun = Math.floor(candle.candle_time / DAY_MS);
    if (begun !== day) {
      day = begun;
      value = 0;
      volume = 0;
    }
    value += typical(candle) * Number(candle.volume);
    volume += Number(candle.volume);
    return volume ? value / volume : null;
  });
}
