/** JSON with its decimals as they are written: binary floating point would round them. */

import { ContractBroken } from "./errors.js";
import { DECIMAL_FIELDS } from "./generated/decimals.js";

// A name in quotes before a colon is a member's name, since within a string the quotes are escaped.
const DECIMALS = new RegExp(
  String.raw`(?<!\\)"(${DECIMAL_FIELDS.join("|")})"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
  "g",
);

/** What a JSON text stands for, with the document's decimals as strings. */
export function read(text: string): unknown {
  try {
    return JSON.parse(text.replace(DECIMALS, '"$1":"$2"'));
  } catch (error) {
    throw new ContractBroken(`The server sent what is not JSON: ${String(error)}`);
  }
}
