// Rates from counts that rise.

/** Counts by name at one time, and how fast they have risen over the latest times. */
export class Rates {
  /** @type {{time: number, counts: Map<string, number>}[]} */
  #taken = [];

  /** @param {number} windowMs over how long rates are averaged */
  constructor(windowMs) {
    this.windowMs = windowMs;
  }

  /**
   * @param {number} time in milliseconds
   * @param {Map<string, number>} counts
   */
  take(time, counts) {
    this.#taken.push({time, counts});
    while (this.#taken.length > 2 && time - (this.#taken[1]?.time ?? time) >= this.windowMs) this.#taken.shift();
  }

  /**
   * The rate of a count in a second; null before there are two of it, or where it fell.
   *
   * @param {string} name
   */
  of(name) {
    const last = this.#taken.at(-1);
    const first = this.#taken.find(({counts}) => counts.has(name));
    const [from, to] = [first?.counts.get(name), last?.counts.get(name)];
    if (!first || !last || from === undefined || to === undefined || last.time <= first.time || to < from) return null;
    return ((to - from) * 1000) / (last.time - first.time);
  }

  clear() {
    this.#taken = [];
  }
}
