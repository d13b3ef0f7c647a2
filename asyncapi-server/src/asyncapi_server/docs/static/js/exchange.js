// Requests and their replies: by the id that both carry, else by what may answer.

import { at, lookup, read, tokens } from './json.js';

const MAX_WAITING = 500;
const MAX_ANSWERED = 500;

/** The requests of one connection. */
export class Exchanges {
  #waiting = [];
  #answered = [];

  /** Note a request: its record in the log, its message, and its text and value. */
  sent(record, message, text, value) {
    if (message.replies.length) {
      const id = correlation(message, text, value);
      this.#waiting.push({ record, replies: new Set(message.replies), id });
      this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
    }
  }

  /** The names of the messages that may answer what waits. */
  get awaited() {
    return new Set(this.#waiting.flatMap(({ replies }) => [...replies]));
  }

  /** The record of the request that a message answers; null when it answers none. */
  received(message, text, value) {
    const id = correlation(message, text, value);
    const isReply = ({ replies }) => replies.has(message.name);
    const isSame = (request) => id !== null && request.id === id && isReply(request);
    let request = this.#waiting.find(isSame);
    if (!request && id !== null) {
      // A request may have several replies.
      request = this.#answered.findLast(isSame);
    }
    request ??= this.#waiting.find((each) => isReply(each) && (id === null || each.id === null));
    if (!request) {
      return null;
    }
    if (this.#waiting.includes(request)) {
      this.#waiting.splice(this.#waiting.indexOf(request), 1);
      this.#answered.push(request);
      this.#answered.splice(0, this.#answered.length - MAX_ANSWERED);
    }
    return request.record;
  }

  /** Forget what waits: the connection has ended. */
  clear() {
    this.#waiting = [];
    this.#answered = [];
  }
}

/** The text of the correlation id of a message, as it was written; null without one. */
function correlation(message, text, value) {
  if (!message.correlation) {
    return null;
  }
  const found = lookup(value, tokens(message.correlation));
  if (found === undefined || found === null) {
    return null;
  }
  if (typeof found !== 'number' || Number.isSafeInteger(found)) {
    return JSON.stringify(found);
  }
  const node = at(read(text), message.correlation);
  return text.slice(node.start, node.end);
}
