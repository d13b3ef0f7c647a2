// The operator's view: what the server follows, does and lacks, asked for while it is shown.

import {keepApiKey} from './apikey.js';
import {element, part, write} from './dom.js';
import * as format from './format.js';
import * as quality from './quality.js';
import {Rates} from './rates.js';
import {request, RestError} from './rest.js';
import * as timeframes from './timeframe.js';

/** @import {Ticker} from './quality.js' */

/** @typedef {Ticker & {last_trade_time: number | null}} Followed */
/** @typedef {{id: number, time: number, level: string, logger: string, message: string}} LogLine */

const POLL_MS = 3000;
const RATE_WINDOW_MS = 12000;
const LOG_LINES = 200;
const JOBS = 5;
const LOOKED_INTO = 8;
const NEAR_END = 20;
const ALL = '';
const UNFOLLOW = 'Unfollow';
const CONFIRM = 'Confirm';
const CONFIRM_MS = 4000;
const KEY_WANTED = ['UNAUTHORIZED', 'FORBIDDEN'];

export class Operator {
  #root;
  #on;
  #timer = 0;
  #isShown = false;
  #rates = new Rates(RATE_WINDOW_MS);
  /** @type {Map<string, Ticker>} */
  #details = new Map();
  #level;
  /** @type {LogLine[]} */
  #lines = [];

  /**
   * @param {HTMLElement} root
   * @param {{open: (symbol: string) => void, unfollow: (symbol: string) => Promise<void>}} on
   */
  constructor(root, on) {
    this.#root = root;
    this.#on = on;
    this.#level = part(root, 'level', HTMLSelectElement);
    this.#level.addEventListener('change', () => {
      this.#lines = [];
      void this.#log();
    });
    part(root, 'symbols', HTMLTableSectionElement).addEventListener('click', (event) => this.#click(event));
    part(root, 'key-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      keepApiKey(part(root, 'key', HTMLInputElement).value.trim());
      location.reload(); // the stream presents it too
    });
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.#root.hidden = !isShown;
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    clearTimeout(this.#timer);
    this.#rates.clear();
    if (isShown) void this.#poll();
  }

  async #poll() {
    const began = performance.now();
    await Promise.all([this.#health(), this.#system(), this.#weight(), this.#connections(), this.#tickers(), this.#work(), this.#log()]);
    if (!this.#isShown) return;
    this.#timer = setTimeout(() => void this.#poll(), Math.max(0, POLL_MS - (performance.now() - began)));
  }

  /**
   * Show a reply, or why there is none, in the part of its name.
   *
   * @param {string} name
   * @param {string} path
   * @param {(reply: any) => void} show
   * @param {Record<string, string | number>} [parameters]
   */
  async #ask(name, path, show, parameters) {
    const fault = part(this.#root, `${name}-fault`, HTMLElement);
    try {
      const reply = await request(path, parameters);
      if (this.#isShown) show(reply);
      write(fault, '');
    } catch (error) {
      write(fault, error instanceof Error ? error.message : String(error));
      if (error instanceof RestError && KEY_WANTED.includes(error.code)) {
        part(this.#root, 'key-form', HTMLFormElement).hidden = false;
      }
    }
  }

  #health() {
    return this.#ask('health', 'monitoring/health', (reply) => {
      const badge = part(this.#root, 'health', HTMLElement);
      write(badge, reply.status);
      badge.dataset['state'] = reply.status;
      const problems = reply.problems.map((/** @type {any} */ each) => [
        each.component,
        each.symbol ?? 'all',
        each.reason,
      ]);
      this.#rows('problems', problems);
      part(this.#root, 'no-problems', HTMLElement).hidden = problems.length > 0;
      this.#figure('uptime', format.duration(Number(reply.uptime_seconds)));
    });
  }

  #system() {
    return this.#ask('system', 'monitoring/system/info', ({data}) => {
      const {storage, hot_tier: hot, process, exchange_clock: clock} = data;
      const asked = hot.hits + hot.misses;
      this.#figure('version', data.version);
      this.#figure('feed', data.feed.name);
      this.#figure('offset', clock ? `${clock.offset_ms} ms` : 'unknown');
      this.#figure('trades', format.count(storage.trades));
      this.#figure('bytes', format.bytes(storage.bytes));
      this.#figure('waiting', format.count(storage.waiting_trades));
      this.#figure('memory', format.bytes(process.memory_bytes));
      this.#figure('engine', format.bytes(storage.memory_bytes));
      this.#figure('hot', `${format.bytes(hot.bytes)} of ${format.bytes(hot.maximum_bytes)}`);
      this.#figure('hits', asked ? `${Math.round((100 * hot.hits) / asked)} % of ${format.count(asked)}` : 'none asked for');
    });
  }

  #weight() {
    return this.#ask('weight', 'admin/coordinators/weight', ({data}) => {
      this.#figure('weight', `${format.count(data.used)} of ${format.count(data.limit_per_minute)}`);
      const meter = part(this.#root, 'weight-meter', HTMLMeterElement);
      meter.max = Math.max(1, data.limit_per_minute);
      meter.value = data.used;
      this.#figure('requests', format.count(data.requests));
      this.#figure('throttled', format.count(data.throttled));
      const wait = data.retry_after_seconds;
      this.#figure('banned', wait === null ? 'no' : `for ${format.duration(Number(wait))}`);
    });
  }

  #connections() {
    return this.#ask('connections', 'admin/websocket/connections', ({data}) => {
      this.#figure('clients', format.count(data.total_connections));
      this.#rows(
        'connections',
        data.connections.map((/** @type {any} */ each) => [
          each.client_id,
          each.ip_address,
          format.duration(Number(each.connection_duration)),
          subscriptions(each.subscriptions, each.tickers),
        ]),
      );
    });
  }

  #work() {
    return this.#ask('work', 'admin/jobs', ({data}) => {
      part(this.#root, 'work-section', HTMLElement).hidden = data.length === 0;
      this.#rows(
        'work',
        data.map((/** @type {any} */ job) => [String(job.job_id), job.state, job.kind, job.symbols ?? 'all', come(job)]),
      );
    }, {limit: JOBS});
  }

  #tickers() {
    return this.#ask('tickers', 'tickers/', async (reply) => {
      /** @type {Followed[]} */
      const followed = reply.data;
      const counts = new Map(followed.map(({symbol, trades_stored: stored}) => [symbol, stored]));
      counts.set(ALL, followed.reduce((sum, each) => sum + each.trades_stored, 0));
      this.#rates.take(performance.now(), counts);
      const rate = this.#rates.of(ALL);
      this.#figure('rate', rate === null ? '\u2026' : `${rate.toFixed(1)}/s`);
      this.#figure('symbols-count', format.count(followed.length));
      const lacking = followed.filter((each) => each.data_status.data_quality !== 'complete');
      this.#figure('incomplete', format.count(lacking.length));
      this.#figure('jobs', format.count(followed.filter(({loading}) => loading).length));
      this.#followed(followed, reply.timestamp);
      await this.#look(lacking.slice(0, LOOKED_INTO));
    });
  }

  /**
   * Ask for the gaps of symbols that are not complete.
   *
   * @param {Followed[]} lacking
   */
  async #look(lacking) {
    const replies = await Promise.all(
      lacking.map(({symbol}) => request(`tickers/${encodeURIComponent(symbol)}`).catch(() => null)),
    );
    this.#details = new Map(replies.flatMap((reply) => (reply ? [[reply.data.symbol, reply.data]] : [])));
  }

  /**
   * @param {Followed[]} followed
   * @param {number} now
   */
  #followed(followed, now) {
    const rank = (/** @type {Followed} */ each) => (each.data_status.data_quality === 'complete' ? 1 : 0);
    const rows = [...followed].sort((one, two) => rank(one) - rank(two)).map((each) => {
      const state = each.data_status.data_quality;
      const rate = this.#rates.of(each.symbol);
      const said = quality.describe(state, this.#details.get(each.symbol) ?? /** @type {any} */ ({...each, open_gaps: []}));
      return [
        each.symbol,
        state,
        said.detail,
        format.count(each.trades_stored),
        rate === null ? '\u2026' : rate.toFixed(1),
        each.last_trade_time === null ? 'none' : format.duration((now - each.last_trade_time) / 1000),
      ];
    });
    this.#rows('symbols', rows, (symbol) => {
      return element('button', {type: 'button', value: symbol, title: `${symbol}; its stored trades stay`}, UNFOLLOW);
    });
  }

  #log() {
    const level = this.#level.value;
    const last = this.#lines.at(-1);
    const parameters = {limit: LOG_LINES, level, ...(last ? {after: last.id} : {})};
    return this.#ask('log', 'admin/log', ({data}) => {
      if (level !== this.#level.value || last !== this.#lines.at(-1)) return;
      this.#lines = [...this.#lines, ...data].slice(-LOG_LINES);
      const place = part(this.#root, 'log', HTMLElement);
      const isAtEnd = place.scrollTop + place.clientHeight > place.scrollHeight - NEAR_END;
      write(place, this.#lines.map(line).join('\n'));
      if (isAtEnd) place.scrollTop = place.scrollHeight;
    }, parameters);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #figure(name, text) {
    write(part(this.#root, name, HTMLElement), text);
  }

  /**
   * Write rows of a table, which are known by their first text; elements are made for new ones only.
   *
   * @param {string} name
   * @param {string[][]} rows
   * @param {(key: string) => HTMLElement} [last] makes what is in the last cell
   */
  #rows(name, rows, last) {
    const body = part(this.#root, name, HTMLTableSectionElement);
    rows.forEach((texts, index) => {
      const [key = ''] = texts;
      let row = body.rows[index];
      if (row?.dataset['key'] !== key) {
        row = element('tr', {}, element('th', {scope: 'row'}), ...texts.slice(1).map(() => element('td')));
        row.dataset['key'] = key;
        if (last) row.append(element('td', {}, last(key)));
        body.insertBefore(row, body.rows[index] ?? null);
        for (const other of [...body.rows].slice(index + 1)) {
          if (other.dataset['key'] === key) other.remove();
        }
      }
      row.dataset['state'] = texts[1] ?? '';
      texts.forEach((text, at) => {
        const cell = row.cells[at];
        if (cell) write(cell, text);
      });
    });
    while (body.rows.length > rows.length) body.deleteRow(-1);
  }

  /** @param {Event} event */
  #click({target}) {
    if (!(target instanceof HTMLElement)) return;
    if (target instanceof HTMLButtonElement) {
      const symbol = target.value;
      if (target.textContent !== CONFIRM) {
        write(target, CONFIRM);
        setTimeout(() => write(target, UNFOLLOW), CONFIRM_MS);
        return;
      }
      target.disabled = true;
      this.#on.unfollow(symbol).catch((error) => {
        target.disabled = false;
        write(part(this.#root, 'tickers-fault', HTMLElement), error.message);
      });
      return;
    }
    const symbol = target.closest('th')?.textContent;
    if (symbol) this.#on.open(symbol);
  }
}

/**
 * How far a job has come, in words.
 *
 * @param {{error: string | null, status: string | null, progress: {stored: number, total: number}[]}} job
 */
function come({error, status, progress}) {
  if (error !== null || progress.length === 0) return error ?? status ?? '';
  const sum = (/** @type {'stored' | 'total'} */ name) => progress.reduce((all, each) => all + each[name], 0);
  return `${format.count(sum('stored'))} of ${format.count(sum('total'))} trades`;
}

/** @param {LogLine} line */
function line({time, level, logger, message}) {
  return `${format.clock(time)} ${level.padEnd(7)} ${logger}: ${message}`;
}

/**
 * @param {Record<string, number[]>} subscribed
 * @param {boolean} tickers
 */
function subscriptions(subscribed, tickers) {
  const candles = Object.entries(subscribed).map(([symbol, minutes]) => `${symbol} ${minutes.map(timeframes.label).join(' ')}`);
  return [...(tickers ? ['all symbols'] : []), ...candles].join(', ') || 'none';
}
