// The list of symbols: a window of rows over all of them, written anew in frames of the browser.

import {element, part, write} from './dom.js';
import * as format from './format.js';
import {percent} from './quality.js';
import {matching, sorted} from './tickers.js';

/** @import {Order, Row} from './tickers.js' */
/** @import {Stream} from './stream.js' */

const ROW_HEIGHT = 28;
const SPARE_ROWS = 4;
const REORDER_MS = 2000;
const MINUTE_MS = 60000;
const DAY_MINUTES = 1440;
const CELLS = /** @type {const} */ (['name', 'price', 'change', 'volume', 'unseen']);

/** One element of the window, which shows one row after another. */
class Line {
  /** @type {Row | null} */
  row = null;
  place = -1;
  cells = CELLS.map((name) => element('span', {className: name}));
  root = element('div', {className: 'line'}, ...this.cells);

  constructor() {
    this.root.setAttribute('role', 'option');
  }
}

export class Symbols {
  #list;
  #canvas;
  #field;
  #count;
  #follow;
  #span;
  #choose;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Row[]} */
  #shown = [];
  /** @type {Map<string, number>} */
  #places = new Map();
  /** @type {Order} */
  #order = 'symbol';
  #active = 0;
  #current = '';
  /** @type {Line[]} */
  #lines = [];
  #frame = 0;
  #isReordering = true;
  #orderedAt = 0;

  /**
   * @param {HTMLElement} root
   * @param {Stream} stream
   * @param {{choose: (symbol: string) => void, follow: (symbol: string) => Promise<void>, leave: () => void}} on
   */
  constructor(root, stream, on) {
    this.#choose = on.choose;
    this.#list = part(root, 'list', HTMLElement);
    this.#canvas = part(root, 'canvas', HTMLElement);
    this.#field = part(root, 'search', HTMLInputElement);
    this.#count = part(root, 'count', HTMLElement);
    this.#follow = part(root, 'follow', HTMLButtonElement);
    this.#span = part(root, 'span', HTMLElement);
    this.#list.addEventListener('scroll', () => this.#draw(), {passive: true});
    new ResizeObserver(() => this.#draw()).observe(this.#list);
    this.#list.addEventListener('click', (event) => {
      const line = this.#lines.find(({root: each}) => event.target instanceof Node && each.contains(event.target));
      if (line?.row) this.#pick(line.row.symbol);
    });
    this.#field.addEventListener('input', () => {
      this.#active = 0;
      this.#reorder();
    });
    for (const place of [this.#field, this.#list]) {
      place.addEventListener('keydown', (event) => {
        if (this.#press(event.key, on.leave)) event.preventDefault();
      });
    }
    for (const button of root.querySelectorAll('button[data-order]')) {
      button.addEventListener('click', () => {
        this.#order = /** @type {Order} */ (button.getAttribute('data-order'));
        for (const each of root.querySelectorAll('button[data-order]')) {
          each.setAttribute('aria-pressed', String(each === button));
        }
        this.#reorder();
      });
    }
    this.#follow.addEventListener('click', () => {
      const symbol = this.#sought();
      this.#follow.disabled = true;
      on.follow(symbol).then(
        () => this.#pick(symbol),
        (error) => write(this.#count, String(error.message)),
      ).finally(() => {
        this.#follow.disabled = false;
      });
    });
    stream.watchTickers({
      initial: (rows) => {
        this.#rows = new Map(rows.map((row) => [row.symbol, row]));
        this.#reorder();
      },
      update: (symbol, row) => this.#take(symbol, row),
    });
  }

  /** Begin to search. */
  search() {
    this.#field.focus();
    this.#field.select();
  }

  /** @param {string} symbol the symbol of the chart in use */
  mark(symbol) {
    this.#current = symbol;
    this.#draw();
  }

  /**
   * @param {string} symbol
   * @param {Row | null} row
   */
  #take(symbol, row) {
    const before = this.#rows.get(symbol);
    if (row) this.#rows.set(symbol, row);
    else this.#rows.delete(symbol);
    if (!row || !before) {
      this.#reorder();
      return;
    }
    const place = this.#places.get(symbol);
    if (place !== undefined) this.#shown[place] = row;
    if (this.#order !== 'symbol' && performance.now() - this.#orderedAt > REORDER_MS) this.#isReordering = true;
    if (this.#isReordering || (place !== undefined && this.#isSeen(place))) this.#draw();
  }

  #sought() {
    return this.#field.value.trim().toUpperCase();
  }

  /**
   * @param {string} key
   * @param {() => void} leave
   */
  #press(key, leave) {
    const page = Math.max(1, Math.floor(this.#list.clientHeight / ROW_HEIGHT) - 1);
    const last = this.#shown.length - 1;
    if (key === 'ArrowDown') this.#move(this.#active + 1);
    else if (key === 'ArrowUp') this.#move(this.#active - 1);
    else if (key === 'PageDown') this.#move(this.#active + page);
    else if (key === 'PageUp') this.#move(this.#active - page);
    else if (key === 'End' && document.activeElement === this.#list) this.#move(last);
    else if (key === 'Home' && document.activeElement === this.#list) this.#move(0);
    else if (key === 'Enter') {
      const row = this.#shown[this.#active];
      if (row) this.#pick(row.symbol);
      else if (!this.#follow.hidden) this.#follow.click();
    } else if (key === 'Escape') {
      if (this.#field.value) {
        this.#field.value = '';
        this.#reorder();
      } else leave();
    } else return false;
    return true;
  }

  /** @param {number} place */
  #move(place) {
    this.#active = Math.max(0, Math.min(this.#shown.length - 1, place));
    const top = this.#active * ROW_HEIGHT;
    const {scrollTop, clientHeight} = this.#list;
    if (top < scrollTop) this.#list.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight) this.#list.scrollTop = top + ROW_HEIGHT - clientHeight;
    this.#draw();
  }

  /** @param {string} symbol */
  #pick(symbol) {
    if (this.#field.value) {
      this.#field.value = '';
      this.#reorder();
    }
    this.#choose(symbol);
  }

  #reorder() {
    this.#isReordering = true;
    this.#draw();
  }

  #draw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#isReordering) this.#arrange();
      this.#window();
    });
  }

  #arrange() {
    const active = this.#shown[this.#active]?.symbol;
    this.#isReordering = false;
    this.#orderedAt = performance.now();
    this.#shown = matching(sorted(this.#rows.values(), this.#order), this.#field.value);
    this.#places = new Map(this.#shown.map(({symbol}, place) => [symbol, place]));
    const kept = this.#field.value ? undefined : this.#places.get(active ?? '');
    this.#active = Math.max(0, Math.min(kept ?? this.#active, this.#shown.length - 1));
    this.#canvas.style.height = `${this.#shown.length * ROW_HEIGHT}px`;
    const sought = this.#sought();
    this.#follow.hidden = !sought || this.#rows.has(sought);
    write(this.#follow, `Follow ${sought}`);
    write(this.#span, span(this.#rows.values()));
    const all = format.count(this.#rows.size);
    write(this.#count, sought ? `${format.count(this.#shown.length)} of ${all}` : `${all} symbols`);
  }

  /** @param {number} place */
  #isSeen(place) {
    return this.#lines.some((line) => line.place === place);
  }

  /** Write the rows that are in sight, and nothing else. */
  #window() {
    const {scrollTop, clientHeight} = this.#list;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const end = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + SPARE_ROWS);
    const needed = clientHeight ? Math.max(0, end - first) : 0;
    while (this.#lines.length < needed) {
      const line = new Line();
      this.#lines.push(line);
      this.#canvas.append(line.root);
    }
    while (this.#lines.length > needed) this.#lines.pop()?.root.remove();
    for (let index = 0; index < needed; index += 1) {
      const place = first + index;
      // A place keeps its element while it is in sight, so that scrolling moves few of them.
      const line = this.#lines[place % needed];
      const row = this.#shown[place];
      if (line && row) this.#write(line, row, place);
    }
    const active = needed ? this.#lines.find((line) => line.place === this.#active) : undefined;
    for (const place of [this.#field, this.#list]) {
      if (active) place.setAttribute('aria-activedescendant', active.root.id);
      else place.removeAttribute('aria-activedescendant');
    }
  }

  /**
   * @param {Line} line
   * @param {Row} row
   * @param {number} place
   */
  #write(line, row, place) {
    const {root, cells} = line;
    if (line.place !== place) {
      line.place = place;
      root.id = `symbol-${place}`;
      root.style.transform = `translateY(${place * ROW_HEIGHT}px)`;
      root.setAttribute('aria-posinset', String(place + 1));
    }
    attribute(root, 'aria-setsize', String(this.#shown.length));
    attribute(root, 'aria-selected', String(row.symbol === this.#current));
    root.classList.toggle('active', place === this.#active);
    if (line.row === row) return;
    line.row = row;
    const [name, price, change, volume, state] = cells;
    if (!name || !price || !change || !volume || !state) return;
    const moved = format.change(row.open, row.price);
    write(name, row.symbol);
    write(price, row.price === null ? '' : format.fixed(row.price, precision(row)));
    write(change, row.data_quality === 'loading' && row.loading ? `${percent(row.loading)} %` : moved);
    attribute(change, 'data-direction', moved.startsWith('+') ? 'up' : moved.startsWith('\u2212') ? 'down' : '');
    write(volume, row.quote_volume === null ? '' : format.compact(Number(row.quote_volume)));
    attribute(root, 'data-state', row.data_quality);
    write(state, row.data_quality);
    attribute(root, 'title', title(row));
  }
}

/**
 * @param {Element} place
 * @param {string} name
 * @param {string} value
 */
function attribute(place, name, value) {
  if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

/**
 * How long the figures reach back, as in "24 h", or shorter where the history does.
 *
 * @param {Iterable<Row>} rows
 */
function span(rows) {
  const spans = [...rows].flatMap(({since, last_trade_time: last}) => (since === null || last === null ? [] : [last - since]));
  const minutes = Math.round(Math.max(0, ...spans) / MINUTE_MS);
  if (minutes === 0 || minutes >= DAY_MINUTES - 5) return '24 h';
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** @param {Row} row */
function precision({price, open, high, low}) {
  return Math.max(...[price, open, high, low].map((each) => (each === null ? 0 : format.places(each))));
}

/** @param {Row} row */
function title(row) {
  const market = row.exchange_status === 'TRADING' ? '' : `, market ${row.exchange_status}`;
  const since = row.since === null ? '' : `, figures since ${format.time(row.since)} UTC`;
  return `${row.symbol}: ${row.data_quality}${market}${since}`;
}
