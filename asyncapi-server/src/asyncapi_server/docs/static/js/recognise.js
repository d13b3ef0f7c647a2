// The message of a document that a value is.

import { lookup, tokens } from './json.js';
import { Schema } from './schema.js';

/** The messages of one direction of a channel. */
export class Recogniser {
  #messages;

  /** `messages` are those of the page's data. */
  constructor(messages) {
    this.#messages = messages.map((message) => ({
      message,
      schema: new Schema(message.schema),
      constants: message.constants.map((each) => ({ ...each, path: tokens(each.pointer) })),
    }));
  }

  /** The schema of a message. */
  schema(name) {
    return this.#messages.find((each) => each.message.name === name)?.schema;
  }

  /**
   * The message that a value is, with the faults that its schema finds; null when it is of none.
   * Of several whose schemas admit it, one of `preferred` names comes first.
   */
  recognise(value, preferred = new Set()) {
    const left = this.#messages.filter(({ constants }) => constants.every((c) => met(value, c)));
    const order = preferred.size
      ? [...left.filter(({ message }) => preferred.has(message.name)), ...left]
      : left;
    const valid = order.find(({ schema }) => schema.isValid(value));
    if (valid) {
      return { message: valid.message, faults: [] };
    }
    const meant = this.#meant(value, left);
    return meant ? { message: meant.message, faults: meant.schema.faults(value) } : null;
  }

  /** The message that a value was meant to be, which is valid for none. */
  #meant(value, left) {
    if (this.#messages.length === 1) {
      return this.#messages[0];
    }
    const isNamed = ({ constants: [first] }) =>
      first?.required && lookup(value, first.path) !== undefined && met(value, first);
    return left.find(isNamed) ?? this.#messages.find(isNamed);
  }
}

function met(value, { path, values, required }) {
  const found = lookup(value, path);
  return found === undefined ? !required : values.includes(found);
}
