// The messages of a session, the newest of them.

export const MAX_RECORDS = 2_000;
export const MAX_CHARS = 20_000_000;

/**
 * Records of what was sent and received. Each has a `number` from 1 on, its time `at`, a `direction`
 * ("sent", "received" or "note"), its `text`, and the `name` of its message; `faults` and `problem`
 * say what is wrong with it, `request` and `milliseconds` what it answers and how soon.
 */
export class Log {
  #records = [];
  #chars = 0;
  #count = 0;

  constructor(maxRecords = MAX_RECORDS, maxChars = MAX_CHARS) {
    this.maxRecords = maxRecords;
    this.maxChars = maxChars;
  }

  get records() {
    return this.#records;
  }

  /** Add a record, and leave out the oldest ones where there are too many. */
  add(record) {
    this.#count += 1;
    record.number = this.#count;
    this.#records.push(record);
    this.#chars += record.text.length;
    let extra = Math.max(0, this.#records.length - this.maxRecords);
    let left = this.#chars;
    for (let index = 0; index < extra; index += 1) {
      left -= this.#records[index].text.length;
    }
    while (left > this.maxChars && extra < this.#records.length - 1) {
      left -= this.#records[extra].text.length;
      extra += 1;
    }
    this.#records.splice(0, extra);
    this.#chars = left;
    return record;
  }

  clear() {
    this.#records = [];
    this.#chars = 0;
  }
}

/** Records as JSON, in which each message is what it was, digit for digit. */
export function asJson(records) {
  return `[\n${records.map((record) => `  ${line(record)}`).join(',\n')}\n]\n`;
}

function line(record) {
  const facts = {
    at: new Date(record.at).toISOString(),
    direction: record.direction,
    message: record.name || undefined,
    faults: record.faults?.length ? record.faults : undefined,
    problem: record.problem || undefined,
    answers: record.request?.number,
    milliseconds: record.milliseconds,
  };
  const start = JSON.stringify(facts).slice(0, -1);
  const isJson = record.direction !== 'note' && record.isJson;
  return `${start},${isJson ? `"payload":${record.text.trim()}` : `"text":${JSON.stringify(record.text)}`}}`;
}
