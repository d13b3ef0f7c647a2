// The console: its state is in the address, and what is shown follows from it.

import * as addresses from './address.js';
import {write} from './dom.js';
import * as format from './format.js';
import * as keys from './keys.js';
import {Operator} from './operator.js';
import {Panel} from './panel.js';
import * as quality from './quality.js';
import {request} from './rest.js';
import {Stream} from './stream.js';
import {Symbols} from './symbols.js';
import {Table} from './table.js';
import * as theme from './theme.js';
import {sorted} from './tickers.js';

/** @import {Chart, State} from './address.js' */
/** @import {Connection} from './stream.js' */
/** @import {Row} from './tickers.js' */

const LAYOUTS = /** @type {const} */ ([1, 2, 4]);
const FIRST_TIMEFRAME = 1;
const OTHER_TIMEFRAMES = /** @type {const} */ ([5, 15, 60]);
const SECOND_MS = 1000;

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
function by(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`no ${kind.name} #${id} in the page`);
  return found;
}

const place = by('charts', HTMLElement);
const template = by('panel', HTMLTemplateElement);
const aside = by('symbols', HTMLElement);
const help = by('help', HTMLDialogElement);
const toggle = by('show-symbols', HTMLButtonElement);
const stream = new Stream(new URL('ws/stream', document.baseURI.replace(/^http/, 'ws')));
const table = new Table(by('table', HTMLDialogElement));
const operator = new Operator(by('operator', HTMLElement), {
  unfollow,
  open: (symbol) => go({...showing(symbol), operator: false}),
});

/** @type {Panel[]} */
let panels = [];
let active = 0;
/** @type {State} */
let state = addresses.parse(location);
/** @type {Connection} */
let connection = {open: false, retryAt: null};

const symbols = new Symbols(aside, stream, {
  choose: (symbol) => {
    drawer(false);
    go(showing(symbol));
    panels[active]?.focus();
  },
  follow,
  leave: () => {
    drawer(false);
    panels[active]?.focus();
  },
});

/**
 * Show a state, and put it into the address.
 *
 * @param {State} next
 * @param {'push' | 'replace' | 'keep'} [way]
 */
function go(next, way = 'push') {
  state = next;
  const address = addresses.format(state);
  if (way === 'replace' || (way === 'push' && address === location.search + location.hash)) {
    history.replaceState(null, '', address);
  } else if (way === 'push') {
    history.pushState(null, '', address);
  }
  active = Math.min(active, Math.max(0, state.charts.length - 1));
  while (panels.length > state.charts.length) panels.pop()?.remove();
  state.charts.forEach((chart, index) => {
    const panel = panels[index];
    if (panel) {
      panel.show(chart);
      return;
    }
    const made = new Panel(template, place, stream, chart, {
      change: (which, to) => change(panels.indexOf(which), to),
      choose: (which) => {
        activate(panels.indexOf(which));
        search();
      },
      focus: (which) => activate(panels.indexOf(which)),
      table: (which) => table.show(which),
      follow,
      announce,
    });
    made.connected(connection);
    panels.push(made);
  });
  place.dataset['count'] = String(panels.length);
  place.hidden = aside.hidden = state.operator;
  operator.show(state.operator);
  by('show-operator', HTMLAnchorElement).toggleAttribute('aria-current', state.operator);
  for (const button of by('layouts', HTMLElement).querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(Number(button.value) === panels.length));
  }
  activate(active);
}

/**
 * @param {number} index
 * @param {Chart} chart
 */
function change(index, chart) {
  go({...state, charts: state.charts.map((each, at) => (at === index ? chart : each))});
}

/**
 * The state with a symbol in the chart in use.
 *
 * @param {string} symbol
 * @returns {State}
 */
function showing(symbol) {
  const chart = state.charts[active];
  if (!chart) return {...state, charts: [{symbol, timeframe: FIRST_TIMEFRAME, style: 'candles', overlays: []}]};
  return {...state, charts: state.charts.map((each) => (each === chart ? {...chart, symbol} : each))};
}

/** @param {number} index */
function activate(index) {
  if (index < 0) return;
  active = index;
  panels.forEach((panel, at) => panel.activate(at === active && panels.length > 1));
  const chart = state.charts[active];
  symbols.mark(chart?.symbol ?? '');
  document.title = state.operator ? 'Operator · Candlecast' : `${panels[active]?.name ?? ''} · Candlecast`;
}

/** @param {number} count */
function lay(count) {
  const [first] = state.charts;
  if (!first) return;
  const charts = state.charts.slice(0, count);
  for (const timeframe of OTHER_TIMEFRAMES) {
    if (charts.length < count) charts.push({...first, timeframe});
  }
  go({...state, charts, operator: false});
}

/** @param {boolean} isOpen whether the symbols are shown where there is no room beside the chart */
function drawer(isOpen) {
  document.body.classList.toggle('choosing', isOpen);
  toggle.setAttribute('aria-expanded', String(isOpen));
}

function search() {
  if (state.operator) go({...state, operator: false});
  drawer(true);
  symbols.search();
}

/** @param {string} symbol */
async function follow(symbol) {
  await request(`tickers/${encodeURIComponent(symbol)}`, {}, {method: 'POST'});
  announce(`${symbol} is followed.`);
}

/** @param {string} symbol */
async function unfollow(symbol) {
  await request(`tickers/${encodeURIComponent(symbol)}`, {}, {method: 'DELETE'});
  announce(`${symbol} is followed no longer.`);
}

/** @param {string} text */
function announce(text) {
  write(by('announcements', HTMLElement), text);
}

/**
 * @param {string} key
 * @param {KeyboardEvent} event
 */
function press(key, event) {
  const panel = panels[active];
  const chart = state.charts[active];
  if (key === '?') help.showModal();
  else if (key === '/') search();
  else if (key === 't') by('theme', HTMLButtonElement).click();
  else if (key === 'g') go({...state, operator: !state.operator});
  else if (key === 'Escape') {
    if (state.operator) go({...state, operator: false});
    panel?.focus();
  } else if (state.operator || !panel || !chart) return false;
  else if (/^\d$/.test(key)) panel.type(key);
  else if (key === 'l') lay(LAYOUTS[(LAYOUTS.findIndex((each) => each >= panels.length) + 1) % LAYOUTS.length] ?? 1);
  else if (key === '[' || key === ']') {
    const next = (active + (key === ']' ? 1 : panels.length - 1)) % panels.length;
    activate(next);
    panels[next]?.focus();
  } else if (key === 'c') change(active, {...chart, style: chart.style === 'line' ? 'candles' : 'line'});
  else if (key === 'o') panel.typeOverlay();
  else if (key === 'd') table.show(panel);
  else if (key === 'e') panel.export();
  else if (document.activeElement?.closest('aside, header, footer, summary')) return false;
  else return panel.press(key, event.shiftKey);
  return true;
}

function second() {
  const now = Date.now();
  write(by('clock', HTMLElement), format.clock(now));
  const line = by('connection', HTMLElement);
  const said = connection.open ? {word: 'live', detail: ''} : quality.lost(connection, now);
  write(line, `${said.word}${said.detail ? `. ${said.detail}` : ''}`);
  line.dataset['state'] = connection.open ? 'live' : 'lost';
  for (const panel of panels) panel.tick();
  table.refresh();
}

/** Say whether the trades are simulated; asked again until it is known. */
async function identify() {
  try {
    const {data} = await request('monitoring/system/info');
    by('simulated', HTMLElement).hidden = !data.feed.simulated;
  } catch {
    setTimeout(identify, 5 * SECOND_MS);
  }
}

/**
 * Show the symbol that is traded most where the address names none.
 *
 * @param {readonly Row[]} rows
 */
function begin(rows) {
  const [most] = sorted(rows, 'volume');
  if (state.charts.length || !most) return;
  go(showing(most.symbol), 'replace');
  if (document.activeElement === document.body) panels[0]?.focus();
}

stream.onConnection((now) => {
  connection = now;
  for (const panel of panels) panel.connected(now);
  second();
});
stream.watchTickers({
  initial: (rows) => {
    const followed = new Set(rows.map(({symbol}) => symbol));
    for (const panel of panels) panel.followed(followed.has(panel.chart.symbol));
    begin(rows);
  },
  update: (symbol, row) => {
    for (const panel of panels) if (panel.chart.symbol === symbol) panel.followed(row !== null);
  },
});
theme.onChange(() => {
  for (const panel of panels) panel.recolour();
});
keys.listen(press);
by('layouts', HTMLElement).addEventListener('click', (event) => {
  if (event.target instanceof HTMLButtonElement) lay(Number(event.target.value));
});
by('show-help', HTMLButtonElement).addEventListener('click', () => help.showModal());
by('show-operator', HTMLAnchorElement).addEventListener('click', (event) => {
  event.preventDefault();
  go({...state, operator: !state.operator});
});
toggle.addEventListener('click', () => {
  if (document.body.classList.contains('choosing')) drawer(false);
  else search();
});
addEventListener('popstate', () => go(addresses.parse(location), 'keep'));
setInterval(second, SECOND_MS);
void identify();
go(state, state.charts.length ? 'replace' : 'keep');
