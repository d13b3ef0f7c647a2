// Timeframes as people type and read them.

import {MAX_TIMEFRAME} from './bounds.js';

const MINUTE_MS = 60000;
/** @type {Readonly<Record<string, number>>} */
const MINUTES = {m: 1, h: 60, d: 1440, w: 10080};
const UNITS = /** @type {const} */ (['w', 'd', 'h']);

/**
 * The minutes of a typed timeframe, as in "173", "173m", "4h" or "1d"; null where it is none.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function parse(text) {
  const found = /^(\d{1,6})\s*([mhdw]?)$/.exec(text.trim().toLowerCase());
  if (!found) return null;
  const minutes = Number(found[1]) * (MINUTES[found[2] || 'm'] ?? 1);
  return minutes >= 1 && minutes <= MAX_TIMEFRAME ? minutes : null;
}

/**
 * The shortest label of a timeframe: "4h" of 240, "173m" of 173.
 *
 * @param {number} minutes
 */
export function label(minutes) {
  const unit = UNITS.find((each) => minutes % (MINUTES[each] ?? 1) === 0);
  return unit ? `${minutes / (MINUTES[unit] ?? 1)}${unit}` : `${minutes}m`;
}

/** @param {number} minutes */
export function milliseconds(minutes) {
  return minutes * MINUTE_MS;
}
