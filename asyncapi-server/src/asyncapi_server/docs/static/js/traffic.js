// What arrives, taken in at once and worked off in short turns, so that a fast feed leaves the page
// usable.

import { Exchanges } from './exchange.js';
import { Recogniser } from './recognise.js';

const MAX_QUEUE = 5_000;
const MAX_QUEUE_CHARS = 20_000_000;
const MAX_CHECKED_CHARS = 500_000;
const MAX_HEX_BYTES = 64;

/** The messages of one channel, as records for the log. */
export class Traffic {
  #queue = [];
  #chars = 0;
  #exchanges = new Exchanges();
  #received;
  #sent;
  /** Messages that came faster than they could be read. */
  dropped = 0;

  constructor(channel) {
    this.#received = new Recogniser(channel.receives);
    this.#sent = new Recogniser(channel.sends);
  }

  /** The schema of a message that is sent to the server. */
  schema(name) {
    return this.#received.schema(name);
  }

  /** Take in what arrived; the oldest that waits is left out where there is too much. */
  arrived(data) {
    const text = typeof data === 'string' ? data : null;
    const item = { data, text, at: Date.now(), clock: performance.now() };
    this.#queue.push(item);
    this.#chars += text?.length ?? data.byteLength;
    while (this.#queue.length > MAX_QUEUE || this.#chars > MAX_QUEUE_CHARS) {
      const { text: left, data: lost } = this.#queue.shift();
      this.#chars -= left?.length ?? lost.byteLength;
      this.dropped += 1;
    }
  }

  /** Put a record that is made already behind what has arrived. */
  place(record) {
    this.#queue.push({ record, text: '' });
  }

  /** Whether something waits. */
  get hasWork() {
    return this.#queue.length > 0;
  }

  /** The records of what waits: as many as can be made in some milliseconds, and `most`. */
  *work(milliseconds, most) {
    const end = performance.now() + milliseconds;
    let done = 0;
    for (const item of this.#queue) {
      done += 1;
      this.#chars -= item.text?.length ?? item.data.byteLength;
      yield item.record ?? this.#record(item);
      if (performance.now() > end || done === most) {
        break;
      }
    }
    this.#queue.splice(0, done);
  }

  /** The record of a message that is sent; `name` is the one that it was made from. */
  sending(text, name) {
    const record = { direction: 'sent', at: Date.now(), clock: performance.now(), text, name: '' };
    const value = this.#read(record);
    if (value !== undefined) {
      const found = this.#recognised(record, this.#received, value, new Set([name]));
      if (found) {
        this.#exchanges.sent(record, found, text, value);
      }
    }
    return record;
  }

  /** Forget what waits for an answer: the connection has ended. */
  ended() {
    this.#exchanges.clear();
  }

  #record({ data, text, at, clock }) {
    const record = { direction: 'received', at, clock, text: text ?? hex(data), name: '' };
    if (text === null) {
      record.problem = `a binary frame of ${data.byteLength} bytes: messages are JSON in text frames`;
      return record;
    }
    const value = this.#read(record);
    if (value === undefined) {
      return record;
    }
    const found = this.#recognised(record, this.#sent, value, this.#exchanges.awaited);
    const request = found && this.#exchanges.received(found, text, value);
    if (request) {
      record.request = request;
      record.milliseconds = Math.round((clock - request.clock) * 10) / 10;
      request.answered ??= record.milliseconds;
    }
    return record;
  }

  /** The value of a record; undefined when it is not JSON, or too large to be checked. */
  #read(record) {
    if (record.text.length > MAX_CHECKED_CHARS) {
      record.problem = 'too large to be checked here';
      return undefined;
    }
    try {
      const value = JSON.parse(record.text);
      record.isJson = true;
      return value;
    } catch {
      record.problem = 'no JSON';
      return undefined;
    }
  }

  #recognised(record, recogniser, value, preferred) {
    try {
      const found = recogniser.recognise(value, preferred);
      if (!found) {
        record.problem = 'no message of the document';
        return null;
      }
      record.name = found.message.name;
      record.anchor = found.message.anchor;
      record.faults = found.faults;
      return found.message;
    } catch (error) {
      record.problem = `it cannot be checked: ${error.message}`;
      return null;
    }
  }
}

function hex(data) {
  const bytes = [...new Uint8Array(data, 0, Math.min(MAX_HEX_BYTES, data.byteLength))];
  const more = data.byteLength > MAX_HEX_BYTES ? ' …' : '';
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ') + more;
}
