// JSON whose decimals stay as they came.

/**
 * A decimal of the server: its text, or the number itself where an integer is exact as a double.
 * `Number` gives what is drawn, `String` what is shown.
 *
 * @typedef {string | number} Decimal
 */

const STRING_OR_LOSSY_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+\.\d+|-?\d{16,}/g;

/**
 * Parse JSON; numbers with a fraction, or with more digits than a double holds, become strings.
 *
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  return JSON.parse(
    text.replace(STRING_OR_LOSSY_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`)),
  );
}
