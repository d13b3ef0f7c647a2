/** JSON with exact numbers, which binary floating point would round. */

import { ContractBroken } from "./errors.js";
import { DECIMAL_FIELDS, INTEGER_FIELDS } from "./generated/exact.js";

// A quoted name before a colon is a member's name: within a string its quotes would be escaped.
const DECIMALS = new RegExp(
  String.raw`(?<!\\)"(${DECIMAL_FIELDS.join("|")})"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
  "g",
);
// A whole number of up to 15 digits is exact; longer ones are checked one by one.
const LONG_INTEGERS = new RegExp(
  String.raw`(?<!\\)"(${INTEGER_FIELDS.join("|")})"\s*:\s*(-?\d{16,})(?![\d.eE])`,
  "g",
);
const INTEGERS = new Set(INTEGER_FIELDS);

/**
 * Parse JSON, with the document's decimals as strings.
 *
 * Whole numbers that a number would round become bigints.
 */
export function read(text: string): unknown {
  try {
    let isLong = false;
    const quoted = text
      .replace(DECIMALS, '"$1":"$2"')
      .replace(LONG_INTEGERS, (member, name: string, digits: string) => {
        if (Number.isSafeInteger(Number(digits))) {
          return member;
        }
        isLong = true;
        return `"${name}":"${digits}"`;
      });
    return isLong ? JSON.parse(quoted, integer) : JSON.parse(quoted);
  } catch (error) {
    throw new ContractBroken(`The server sent invalid JSON: ${String(error)}`);
  }
}

/** Revive a member: a text in the place of a whole number is one that was too long. */
function integer(name: string, value: unknown): unknown {
  return typeof value === "string" && INTEGERS.has(name) ? BigInt(value) : value;
}
