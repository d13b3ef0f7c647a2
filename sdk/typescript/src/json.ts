/** JSON with its numbers as they are written: binary floating point would round them. */

import { ContractBroken } from "./errors.js";
import { DECIMAL_FIELDS, INTEGER_FIELDS } from "./generated/exact.js";

// A name in quotes before a colon is a member's name, since within a string the quotes are escaped.
const DECIMALS = new RegExp(
  String.raw`(?<!\\)"(${DECIMAL_FIELDS.join("|")})"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
  "g",
);
// A whole number of up to 15 digits is exact; longer ones are looked at one by one.
const LONG_INTEGERS = new RegExp(
  String.raw`(?<!\\)"(${INTEGER_FIELDS.join("|")})"\s*:\s*(-?\d{16,})(?![\d.eE])`,
  "g",
);
const INTEGERS = new Set(INTEGER_FIELDS);

/**
 * What a JSON text stands for, with the document's decimals as strings.
 *
 * Whole numbers that a number would round are bigints.
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
    throw new ContractBroken(`The server sent what is not JSON: ${String(error)}`);
  }
}

/** A member that is a whole number; as a text it is one that was too long. */
function integer(name: string, value: unknown): unknown {
  return typeof value === "string" && INTEGERS.has(name) ? BigInt(value) : value;
}
