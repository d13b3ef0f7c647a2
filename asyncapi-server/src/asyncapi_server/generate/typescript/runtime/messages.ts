/** Descriptions of the messages that pass, by which a connection tells what they are. */

import type { Refused } from "./errors.js";
import type { Path, Shape } from "./values.js";

/** Forms of correlation ids: a count, as it is, as text or with zeros; or a random one. */
export type Ids = "number" | "text" | "padded" | "uuid";

/** A message that the server sends. */
export interface Incoming {
  readonly name: string;
  readonly shape: Shape;
  /** The values that it may have at some places, where they are present. */
  readonly constants: readonly (readonly [Path, readonly unknown[]])[];
  readonly correlation?: Path;
  /** What is thrown for it, when it reports an error. */
  readonly refusal?: new (reply: never) => Refused<unknown>;
}

/** A message that the client sends. */
export interface Outgoing {
  readonly name: string;
  readonly replies: readonly string[];
  /** Those of the replies that are thrown. */
  readonly refusals: readonly string[];
  readonly correlation?: Path;
  /** The form of its correlation ids; without it none can be made up. */
  readonly ids?: Ids;
}

/** A message by its name in the document. */
export interface Message {
  readonly name: string;
  readonly message: unknown;
}

/** A correlation id. */
export function newId(ids: Ids, count: number): unknown {
  switch (ids) {
    case "number":
      return count;
    case "uuid":
      return uuid();
    case "padded":
      return String(count).padStart(16, "0");
    case "text":
      return String(count);
  }
}

/** A random UUID; browsers have one of their own in secure contexts only. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = "89ab"[Number.parseInt(text.charAt(16), 16) % 4];
  const parts = [text.slice(0, 8), text.slice(8, 12), `4${text.slice(13, 16)}`];
  return [...parts, `${variant}${text.slice(17, 20)}`, text.slice(20)].join("-");
}
