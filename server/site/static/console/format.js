// Values as texts.

/** @import {Decimal} from './exact.js' */

const STEPS = /** @type {const} */ ([[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']]);
const BINARY_STEPS = /** @type {const} */ ([[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]);
const WHOLE = new Intl.NumberFormat('en');

/**
 * The number of decimal places of a decimal.
 *
 * @param {Decimal} decimal
 */
export function places(decimal) {
  const text = String(decimal);
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/**
 * A decimal as it came, filled up with zeros to a number of places.
 *
 * @param {Decimal} decimal
 * @param {number} count
 */
export function fixed(decimal, count) {
  const lacking = count - places(decimal);
  if (lacking <= 0) return String(decimal);
  return `${decimal}${lacking === count ? '.' : ''}${'0'.repeat(lacking)}`;
}

/**
 * A number in at most six characters, as in "1.23M".
 *
 * @param {number} value
 */
export function compact(value) {
  // What would be rounded up to the next unit is written in it.
  const [size, unit] = STEPS.find(([each]) => Math.abs(value) >= each * 0.9995) ?? [1, ''];
  const scaled = value / size;
  const digits = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
  return `${size === 1 && Number.isInteger(value) ? value : scaled.toFixed(digits)}${unit}`;
}

/** @param {number} value */
export function count(value) {
  return WHOLE.format(value);
}

/** @param {number} value */
export function bytes(value) {
  const [size, unit] = BINARY_STEPS.find(([each]) => value >= each) ?? [1, 'B'];
  const scaled = value / size;
  return `${size === 1 ? value : scaled.toFixed(scaled < 99.95 ? 1 : 0)} ${unit}`;
}

/**
 * The change from one price to another in percent, with its sign; "" where there is none.
 *
 * @param {Decimal | null} from
 * @param {Decimal | null} to
 */
export function change(from, to) {
  if (from === null || to === null || Number(from) === 0) return '';
  const percent = (Number(to) / Number(from) - 1) * 100;
  const text = Math.abs(percent).toFixed(2);
  const sign = text === '0.00' ? '' : percent > 0 ? '+' : '\u2212';
  return `${sign}${text}%`;
}

/**
 * A time in UTC, as in "2026-11-25 13:45".
 *
 * @param {number} milliseconds
 */
export function time(milliseconds) {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}

/**
 * A time of day in UTC, with seconds.
 *
 * @param {number} milliseconds
 */
export function clock(milliseconds) {
  return new Date(milliseconds).toISOString().slice(11, 19);
}

/**
 * A duration in its two largest units, as in "2 h 5 min".
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const parts = /** @type {const} */ ([
    [Math.floor(whole / 86400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ]);
  const first = parts.findIndex(([value]) => value > 0);
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}
