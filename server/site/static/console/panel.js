// One chart of the page with its controls, its legend and the state of its data.

import {Candles} from './candles.js';
import {ChartView} from './chart.js';
import {element, part, write} from './dom.js';
import * as exporting from './export.js';
import * as format from './format.js';
import {History} from './history.js';
import * as overlays from './overlays.js';
import * as quality from './quality.js';
import {request, url} from './rest.js';
import * as timeframes from './timeframe.js';

/** @import {Chart} from './address.js' */
/** @import {Candle} from './candles.js' */
/** @import {OverlayValue} from './chart.js' */
/** @import {Ticker} from './quality.js' */
/** @import {Connection, Quality, Stream} from './stream.js' */

/**
 * What a panel asks of the page.
 *
 * @typedef {object} Page
 * @property {(panel: Panel, chart: Chart) => void} change show another chart in the panel
 * @property {(panel: Panel) => void} choose let the reader choose a symbol for it
 * @property {(panel: Panel) => void} focus the panel is in use
 * @property {(panel: Panel) => void} table show its candles as a table
 * @property {(symbol: string) => Promise<void>} follow
 * @property {(text: string) => void} announce
 */

/** @typedef {{canFollow: boolean, word: string, detail: string}} Refusal */

const HISTORY = 500;
const NO_CANDLES = 'History begins with the first candle all of whose trades are known.';
const NOT_ACTIVE = 'SYMBOL_NOT_ACTIVE';
const POLL_MS = 2000;
const PAGE_SHARE = 0.8;

export class Panel {
  candles = new Candles();
  /** @type {Chart} */
  chart;
  root;
  #page;
  #stream;
  #view;
  #parts;
  /** @type {() => void} */
  #stop = () => {};
  /** @type {History} */
  #history;
  /** @type {Quality | null} */
  #quality = null;
  /** Why the server sends no candles: one that it does not follow can be followed. @type {Refusal | null} */
  #refusal = null;
  /** @type {Ticker | null} */
  #ticker = null;
  /** @type {Connection} */
  #connection = {open: true};
  /** Whether the next history replaces all candles, as some may have been missed. */
  #isStale = true;
  #polledAt = 0;
  #word = '';
  /** @type {number | null} */
  #pointed = null;

  /**
   * @param {HTMLTemplateElement} template
   * @param {HTMLElement} place
   * @param {Stream} stream
   * @param {Chart} chart
   * @param {Page} page
   */
  constructor(template, place, stream, chart, page) {
    const root = template.content.firstElementChild?.cloneNode(true);
    if (!(root instanceof HTMLElement)) throw new TypeError('the template of a panel is empty');
    this.root = root;
    this.#page = page;
    this.#stream = stream;
    this.chart = chart;
    this.#history = new History(chart.symbol, chart.timeframe);
    this.#parts = {
      symbol: part(root, 'symbol', HTMLButtonElement),
      timeframe: part(root, 'timeframe', HTMLInputElement),
      presets: part(root, 'presets', HTMLElement),
      style: part(root, 'style', HTMLSelectElement),
      overlay: part(root, 'overlay', HTMLInputElement),
      exports: part(root, 'exports', HTMLElement),
      files: part(root, 'files', HTMLElement),
      table: part(root, 'table', HTMLButtonElement),
      state: part(root, 'state', HTMLElement),
      detail: part(root, 'detail', HTMLElement),
      progress: part(root, 'progress', HTMLProgressElement),
      follow: part(root, 'follow', HTMLButtonElement),
      notice: part(root, 'notice', HTMLElement),
      host: part(root, 'host', HTMLElement),
      values: part(root, 'values', HTMLElement),
      overlays: part(root, 'overlays', HTMLElement),
    };
    place.append(root);
    this.#view = new ChartView(this.#parts.host, {
      older: () => void this.#older(),
      pointed: (time) => {
        this.#pointed = time;
        this.#legend();
      },
    });
    this.#listen();
    this.#start();
    this.#controls();
  }

  /** @param {Chart} chart */
  show(chart) {
    const before = this.chart;
    this.chart = chart;
    if (before.symbol !== chart.symbol || before.timeframe !== chart.timeframe) {
      this.#stop();
      this.#start();
    }
    this.#controls();
  }

  /** End what the panel has under way, and take it from the page. */
  remove() {
    this.#stop();
    this.#history.end();
    this.#view.remove();
    this.root.remove();
  }

  /** @param {Connection} connection */
  connected(connection) {
    this.#connection = connection;
    this.#state();
  }

  /** @param {boolean} isFollowed whether the server follows the symbol */
  followed(isFollowed) {
    if (isFollowed !== (this.#refusal?.canFollow ?? false)) return;
    if (isFollowed) {
      this.#stop();
      this.#start();
    } else {
      this.#refuse(NOT_ACTIVE, '');
    }
  }

  recolour() {
    this.#view.recolour();
    this.#legend();
  }

  /** @param {boolean} isActive whether keys are for this panel */
  activate(isActive) {
    this.root.classList.toggle('active', isActive);
  }

  /** Begin to type a timeframe, with the first digit. @param {string} [digit] */
  type(digit = '') {
    const field = this.#parts.timeframe;
    field.focus();
    if (digit) field.value = digit;
    else field.select();
  }

  /** Begin to type an overlay. */
  typeOverlay() {
    this.#parts.overlay.focus();
  }

  /** Open the downloads of what is seen. */
  export() {
    const details = this.#parts.exports;
    details.toggleAttribute('open');
    this.#files();
    details.querySelector('summary')?.focus();
  }

  focus() {
    this.#parts.host.focus();
  }

  /**
   * Do what a key on the chart is for; false where it is for nothing.
   *
   * @param {string} key
   * @param {boolean} isFar
   */
  press(key, isFar) {
    const step = isFar ? this.#view.width() * PAGE_SHARE : 3;
    if (key === 'ArrowLeft') this.#view.pan(-step);
    else if (key === 'ArrowRight') this.#view.pan(step);
    else if (key === 'PageUp') this.#view.pan(-this.#view.width() * PAGE_SHARE);
    else if (key === 'PageDown') this.#view.pan(this.#view.width() * PAGE_SHARE);
    else if (key === '+' || key === '=') this.#view.zoom(0.8);
    else if (key === '-') this.#view.zoom(1.25);
    else if (key === 'Home') this.#view.oldest();
    else if (key === 'End') this.#view.latest();
    else return false;
    return true;
  }

  /** What a second of time changes: a countdown, a poll, a page that could not be had. */
  tick() {
    if (!this.#connection.open) this.#state();
    else if (this.#quality !== 'complete' && performance.now() - this.#polledAt > POLL_MS) void this.#poll();
  }

  get places() {
    return this.#view.places;
  }

  get name() {
    return `${this.chart.symbol} ${timeframes.label(this.chart.timeframe)}`;
  }

  /** The times of the first and the last candle in sight. */
  visible() {
    return this.#view.visible();
  }

  #start() {
    const {symbol, timeframe} = this.chart;
    this.#history.end();
    this.#history = new History(symbol, timeframe);
    this.candles = new Candles();
    this.#isStale = true;
    this.#quality = null;
    this.#refusal = null;
    this.#ticker = null;
    this.#polledAt = performance.now();
    this.#view.show(this.candles.list);
    this.#stop = this.#stream.watch(symbol, timeframe, HISTORY, {
      history: (candles, state) => this.#take(candles, state),
      update: (candle, state) => this.#update(candle, state),
      lost: () => {
        this.#isStale = true;
      },
      refused: (code, message) => this.#refuse(code, code === NOT_ACTIVE ? '' : message),
    });
    this.#state();
    this.#legend();
  }

  /**
   * @param {Candle[]} candles
   * @param {Quality} state
   */
  #take(candles, state) {
    this.#refusal = null;
    if (state === 'complete') {
      if (this.#isStale) {
        this.#history.end();
        this.#history = new History(this.chart.symbol, this.chart.timeframe);
        this.candles.list = [];
        this.#isStale = false;
      }
      this.candles.take(candles, timeframes.milliseconds(this.chart.timeframe));
      this.#view.show(this.candles.list);
    }
    this.#is(state);
    this.#state();
    this.#legend();
  }

  /**
   * @param {Candle | null} candle
   * @param {Quality} state
   */
  #update(candle, state) {
    if (candle && !this.#isStale) {
      const change = this.candles.put(candle);
      if (change === 'inserted') this.#view.show(this.candles.list);
      else if (change !== 'ignored') this.#view.update(this.candles.list, candle);
      this.#legend();
      if (this.candles.list.length === 1) this.#state();
    }
    this.#is(state);
  }

  /** @param {Quality} state */
  #is(state) {
    if (state === this.#quality) return;
    this.#quality = state;
    if (state === 'complete') this.#ticker = null;
    else void this.#poll();
    this.#state();
  }

  /**
   * @param {string} code
   * @param {string} message
   */
  #refuse(code, message) {
    const canFollow = code === NOT_ACTIVE;
    const known = `${this.chart.symbol} is not followed by this server.`;
    this.#refusal = canFollow
      ? {canFollow, word: 'not followed', detail: message || known}
      : {canFollow, word: 'refused', detail: message};
    this.#state();
  }

  async #poll() {
    const {symbol} = this.chart;
    this.#polledAt = performance.now();
    const reply = await request(`tickers/${encodeURIComponent(symbol)}`).catch(() => null);
    if (symbol !== this.chart.symbol) return;
    this.#ticker = reply?.data ?? null;
    this.#state();
  }

  async #older() {
    const history = this.#history;
    const [first] = this.candles.list;
    if (!first || this.#isStale) return;
    const page = await history.before(first.candle_time);
    if (!page || history !== this.#history) return;
    this.candles.prepend(page);
    this.#view.show(this.candles.list);
    this.#legend();
  }

  #state() {
    const {state, detail, progress, follow, notice} = this.#parts;
    const said = !this.#connection.open
      ? quality.lost(this.#connection, Date.now())
      : this.#refusal
        ? this.#refusal
        : quality.describe(this.#quality, this.#ticker);
    write(state, said.word);
    state.dataset['state'] = said.word;
    write(detail, said.detail);
    const isEmpty = !this.candles.list.length && said.word !== 'waiting';
    const [head, text] = notice.children;
    notice.hidden = !isEmpty;
    if (head && text) {
      write(head, said.word === 'complete' ? 'no candles yet' : said.word);
      write(text, said.word === 'complete' ? NO_CANDLES : said.detail);
    }
    const loading = said.word === 'loading' ? (this.#ticker?.loading ?? null) : null;
    progress.hidden = loading === null;
    if (loading) progress.value = quality.percent(loading);
    follow.hidden = !this.#connection.open || !this.#refusal?.canFollow;
    write(follow, `Follow ${this.chart.symbol}`);
    if (said.word !== this.#word && said.word !== 'waiting') {
      if (this.#word || said.word !== 'complete') this.#page.announce(`${this.name}: ${said.word}. ${said.detail}`);
      this.#word = said.word;
    }
  }

  #controls() {
    const {symbol, timeframe, presets, style, host} = this.#parts;
    const label = timeframes.label(this.chart.timeframe);
    this.root.setAttribute('aria-label', `Chart of ${this.name}`);
    host.setAttribute('aria-label', `Chart of ${this.name}. Arrows move, plus and minus zoom, D shows a table.`);
    write(symbol, this.chart.symbol);
    if (document.activeElement !== timeframe) timeframe.value = label;
    for (const preset of presets.querySelectorAll('button')) {
      preset.setAttribute('aria-pressed', String(preset.value === String(this.chart.timeframe)));
    }
    style.value = this.chart.style;
    this.#view.style(this.chart.style);
    this.#view.overlay(this.chart.overlays);
    this.#legend();
  }

  #listen() {
    const {symbol, timeframe, presets, style, overlay, exports, table, follow} = this.#parts;
    this.root.addEventListener('focusin', () => this.#page.focus(this));
    this.root.addEventListener('pointerdown', () => this.#page.focus(this));
    symbol.addEventListener('click', () => this.#page.choose(this));
    timeframe.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#typed();
      else if (event.key === 'Escape') this.#restore();
    });
    timeframe.addEventListener('blur', () => this.#restore());
    timeframe.addEventListener('input', () => timeframe.setCustomValidity(''));
    presets.addEventListener('click', (event) => {
      if (event.target instanceof HTMLButtonElement) {
        this.#change({timeframe: Number(event.target.value)});
      }
    });
    style.addEventListener('change', () => {
      this.#change({style: style.value === 'line' ? 'line' : 'candles'});
    });
    overlay.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#typedOverlay();
      else if (event.key === 'Escape') this.focus();
    });
    overlay.addEventListener('input', () => overlay.setCustomValidity(''));
    exports.addEventListener('toggle', () => this.#files());
    exports.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      exports.removeAttribute('open');
      this.focus();
    });
    table.addEventListener('click', () => this.#page.table(this));
    follow.addEventListener('click', () => {
      // The tickers say when it is followed.
      this.#page.follow(this.chart.symbol).catch((error) => this.#refuse(NOT_ACTIVE, error.message));
    });
  }

  /** @param {Partial<Chart>} changes */
  #change(changes) {
    this.#page.change(this, {...this.chart, ...changes});
  }

  #typed() {
    const field = this.#parts.timeframe;
    const minutes = timeframes.parse(field.value);
    if (minutes === null) {
      field.setCustomValidity('Minutes from 1 to 525600, or as in 4h, 1d, 1w.');
      field.reportValidity();
      return;
    }
    this.focus();
    this.#change({timeframe: minutes});
  }

  #restore() {
    const field = this.#parts.timeframe;
    field.setCustomValidity('');
    field.value = timeframes.label(this.chart.timeframe);
    if (document.activeElement === field) this.focus();
  }

  #typedOverlay() {
    const field = this.#parts.overlay;
    const chosen = overlays.parse(field.value);
    if (!chosen) {
      field.setCustomValidity('As in sma 20, ema 50, vwap 30, or vwap for that of the day.');
      field.reportValidity();
      return;
    }
    field.value = '';
    const others = this.chart.overlays.filter((each) => overlays.key(each) !== overlays.key(chosen));
    this.#change({overlays: [...others, chosen]});
  }

  #files() {
    const {exports, files} = this.#parts;
    if (!exports.hasAttribute('open')) return;
    const range = this.#view.visible();
    if (!range) {
      files.replaceChildren('There are no candles in sight.');
      return;
    }
    const {symbol, timeframe} = this.chart;
    files.replaceChildren(
      element('p', {}, `${format.time(range.from)} to ${format.time(range.to)} UTC`),
      ...exporting.parts(symbol, timeframe, range).map(({text, path, parameters, name}) =>
        element('a', {href: url(path, parameters).href, download: name}, text),
      ),
    );
  }

  #legend() {
    const {values, overlays: place} = this.#parts;
    const list = this.candles.list;
    const index = this.#pointed === null ? list.length - 1 : this.candles.place(this.#pointed);
    const candle = list[index];
    values.hidden = !candle;
    if (candle) {
      const price = (/** @type {import('./exact.js').Decimal} */ value) => format.fixed(value, this.#view.places);
      const previous = list[index - 1]?.close ?? candle.open;
      values.dataset['direction'] = Number(candle.close) >= Number(candle.open) ? 'up' : 'down';
      const texts = {
        time: format.time(candle.candle_time),
        open: price(candle.open),
        high: price(candle.high),
        low: price(candle.low),
        close: price(candle.close),
        change: format.change(previous, candle.close),
        volume: String(candle.volume),
      };
      for (const [name, text] of Object.entries(texts)) write(part(values, name, HTMLElement), text);
    }
    const lines = this.#view.valuesAt(index);
    const shown = [...place.children].map((chip) => chip.getAttribute('data-overlay'));
    if (shown.join() !== lines.map(({overlay}) => overlays.key(overlay)).join()) {
      place.replaceChildren(...lines.map((line) => this.#chip(line)));
    }
    lines.forEach(({value}, at) => {
      const output = place.children[at]?.querySelector('output');
      if (output) write(output, value === null ? '\u2013' : value.toFixed(this.#view.places));
    });
  }

  /** @param {OverlayValue} line */
  #chip({overlay, colour}) {
    const label = overlays.label(overlay);
    const remove = element('button', {type: 'button', title: `Remove ${label}`}, '\u00d7');
    remove.setAttribute('aria-label', `Remove ${label}`);
    remove.addEventListener('click', () => {
      this.#change({overlays: this.chart.overlays.filter((each) => each !== overlay)});
      this.focus();
    });
    const chip = element('span', {className: 'overlay'}, `${label} `, element('output'), remove);
    chip.dataset['overlay'] = overlays.key(overlay);
    chip.style.setProperty('--colour', `var(${colour})`);
    return chip;
  }
}
