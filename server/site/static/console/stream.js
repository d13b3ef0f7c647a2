// The one WebSocket of the page: it carries the candles of all charts and the tickers.

import {apiKey} from './apikey.js';
import * as exact from './exact.js';

/** @import {Candle} from './candles.js' */
/** @import {Row} from './tickers.js' */

/**
 * @typedef {'loading' | 'partial' | 'complete' | 'unknown'} Quality
 */

/**
 * What a watcher of candles gets. `lost` says that updates may be missing until the next history.
 *
 * @typedef {object} CandleWatcher
 * @property {(candles: Candle[], quality: Quality) => void} history
 * @property {(candle: Candle | null, quality: Quality) => void} update
 * @property {() => void} lost
 * @property {(code: string, message: string) => void} refused
 */

/**
 * @typedef {object} TickerWatcher
 * @property {(rows: Row[]) => void} initial all that there are
 * @property {(symbol: string, row: Row | null) => void} update null: it is followed no longer
 */

/**
 * @typedef {{open: true} | {open: false, retryAt: number | null}} Connection
 */

/**
 * @typedef {object} Topic
 * @property {string} symbol
 * @property {number} timeframe
 * @property {number} candles
 * @property {Set<CandleWatcher>} watchers
 */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;
const QUIET_MS = 20000;
const REFUSED_PAUSE_MS = 5000;

export class Stream {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, Topic>} */
  #topics = new Map();
  /** @type {Set<TickerWatcher>} */
  #tickers = new Set();
  /** @type {Set<(connection: Connection) => void>} */
  #listeners = new Set();
  /** @type {Connection} */
  #connection = {open: false, retryAt: null};
  #pause = FIRST_PAUSE_MS;
  #retry = 0;
  #heardAt = 0;

  /** @param {URL} url */
  constructor(url) {
    this.url = url;
    setInterval(() => this.#check(), QUIET_MS / 4);
    addEventListener('online', () => this.#reconnect());
    // A page that the browser keeps for "back" would keep its connection.
    addEventListener('pagehide', () => this.#end());
    addEventListener('pageshow', ({persisted}) => persisted && this.#reconnect());
    this.#connect();
  }

  /** @param {(connection: Connection) => void} listener called now, and with each change */
  onConnection(listener) {
    this.#listeners.add(listener);
    listener(this.#connection);
  }

  /**
   * Watch the candles of a symbol and timeframe; returns what ends it.
   *
   * @param {string} symbol
   * @param {number} timeframe
   * @param {number} candles how many to send at once
   * @param {CandleWatcher} watcher
   */
  watch(symbol, timeframe, candles, watcher) {
    const key = `${symbol}:${timeframe}`;
    const topic = this.#topics.get(key) ?? {symbol, timeframe, candles, watchers: new Set()};
    this.#topics.set(key, topic);
    topic.watchers.add(watcher);
    // One that is subscribed already gets its history once more, for the new watcher.
    this.#subscribe(topic);
    return () => {
      if (!topic.watchers.delete(watcher) || topic.watchers.size) return;
      this.#topics.delete(key);
      this.#send({action: 'unsubscribe', unsubscriptions: [{symbol, timeframes: [timeframe]}]});
    };
  }

  /** @param {TickerWatcher} watcher */
  watchTickers(watcher) {
    this.#tickers.add(watcher);
    if (this.#tickers.size === 1) this.#send({action: 'subscribe_tickers'});
  }

  /** @param {Topic} topic */
  #subscribe({symbol, timeframe, candles}) {
    const timeframes = [{timeframe, initial_candles: candles}];
    this.#send({action: 'subscribe', subscriptions: [{symbol, timeframes}]});
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#heard();
      const key = apiKey();
      if (key) this.#send({action: 'authenticate', api_key: key});
      this.#is({open: true});
      for (const topic of this.#topics.values()) this.#subscribe(topic);
      if (this.#tickers.size) this.#send({action: 'subscribe_tickers'});
    };
    socket.onmessage = (event) => {
      this.#heard();
      this.#pause = FIRST_PAUSE_MS;
      this.#take(exact.parse(event.data));
    };
    socket.onclose = () => this.#lost();
  }

  #heard() {
    this.#heardAt = performance.now();
  }

  /** Ask for a sign of life after silence, and give the connection up where none comes. */
  #check() {
    if (!this.#connection.open) return;
    const quiet = performance.now() - this.#heardAt;
    if (quiet > 2 * QUIET_MS) this.#lost();
    else if (quiet > QUIET_MS) this.#send({action: 'ping'});
  }

  /** Close the connection, and open no other by itself. */
  #end() {
    clearTimeout(this.#retry);
    if (this.#socket) {
      this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close();
      this.#socket = null;
    }
    this.#is({open: false, retryAt: null});
    for (const topic of this.#topics.values()) {
      for (const watcher of topic.watchers) watcher.lost();
    }
  }

  #lost() {
    this.#end();
    const pause = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
    this.#retry = setTimeout(() => this.#connect(), pause);
    this.#is({open: false, retryAt: Date.now() + pause});
  }

  #reconnect() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  /** @param {Connection} connection */
  #is(connection) {
    this.#connection = connection;
    for (const listener of this.#listeners) listener(connection);
  }

  /** @param {any} message */
  #take(message) {
    if (message.type === 'ohlcv_update' || message.type === 'initial_history') {
      const topic = this.#topics.get(`${message.symbol}:${parseInt(message.timeframe, 10)}`);
      const quality = message.data_status.data_quality;
      for (const watcher of topic?.watchers ?? []) {
        if (message.type === 'ohlcv_update') watcher.update(message.data, quality);
        else watcher.history(message.candles, quality);
      }
    } else if (message.type === 'ticker_update') {
      for (const watcher of this.#tickers) watcher.update(message.symbol, message.data);
    } else if (message.type === 'initial_tickers') {
      for (const watcher of this.#tickers) watcher.initial(message.tickers);
    } else if (message.type === 'subscription_result') {
      for (const failed of message.failed_subscriptions) this.#refused(failed);
    } else if (message.type === 'error') {
      console.warn(`${message.error_code}: ${message.message}`);
    }
  }

  /** @param {{symbol: string, timeframe?: number, error_code: string, message: string}} failed */
  #refused(failed) {
    for (const topic of this.#topics.values()) {
      if (topic.symbol !== failed.symbol) continue;
      if (failed.timeframe !== undefined && topic.timeframe !== failed.timeframe) continue;
      for (const watcher of topic.watchers) watcher.refused(failed.error_code, failed.message);
      if (failed.error_code === 'UNAVAILABLE') {
        setTimeout(() => this.#topics.has(`${topic.symbol}:${topic.timeframe}`) && this.#subscribe(topic), REFUSED_PAUSE_MS);
      }
    }
  }
}
