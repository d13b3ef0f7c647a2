import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as exact from '../../../server/site/static/console/exact.js';
import * as format from '../../../server/site/static/console/format.js';
import * as quality from '../../../server/site/static/console/quality.js';
import {Rates} from '../../../server/site/static/console/rates.js';
import {matching, sorted} from '../../../server/site/static/console/tickers.js';
import * as timeframe from '../../../server/site/static/console/timeframe.js';

test('decimals keep every digit', () => {
  const text = '{"a":0.1,"b":[12345678.123456789012345,-2.5],"c":10,"d":"x: 1.5, \\"2.5","e":12345678901234567890,"f":null}';
  assert.deepEqual(exact.parse(text), {
    a: '0.1', b: ['12345678.123456789012345', '-2.5'], c: 10, d: 'x: 1.5, "2.5', e: '12345678901234567890', f: null,
  });
});

test('a timeframe is read as it is typed', () => {
  const typed = {173: 173, '173m': 173, '1h': 60, '4H': 240, ' 1d ': 1440, '2w': 20160, 525600: 525600};
  for (const [text, minutes] of Object.entries(typed)) assert.equal(timeframe.parse(text), minutes, text);
  for (const text of ['', '0', '-1', '1.5', '525601', '366d', '1x', 'm', '1h30']) {
    assert.equal(timeframe.parse(text), null, text);
  }
});

test('a label is the shortest, and is read back', () => {
  const labels = {1: '1m', 60: '1h', 90: '90m', 173: '173m', 240: '4h', 1440: '1d', 2850: '2850m', 10080: '1w'};
  for (const [minutes, label] of Object.entries(labels)) {
    assert.equal(timeframe.label(Number(minutes)), label);
    assert.equal(timeframe.parse(label), Number(minutes));
  }
});

test('prices get zeros, and lose nothing', () => {
  assert.equal(format.fixed('43245.1', 2), '43245.10');
  assert.equal(format.fixed(43245, 2), '43245.00');
  assert.equal(format.fixed('0.12345678', 2), '0.12345678');
  assert.equal(format.fixed(5, 0), '5');
});

test('large numbers are short', () => {
  const written = [[0, '0'], [7, '7'], [1.5, '1.50'], [999.96, '1.00K'], [1234, '1.23K'], [12345, '12.3K'],
    [999960, '1.00M'], [123456789, '123M'], [4.5e9, '4.50B'], [2e12, '2.00T']];
  for (const [value, text] of written) assert.equal(format.compact(value), text);
});

test('a change has its sign', () => {
  assert.equal(format.change('100', '101.5'), '+1.50%');
  assert.equal(format.change(100, '98'), '\u22122.00%');
  assert.equal(format.change('100', '100.001'), '0.00%');
  assert.equal(format.change(null, '1'), '');
  assert.equal(format.change(0, '1'), '');
});

test('times, durations and sizes', () => {
  assert.equal(format.time(1796059570743), '2026-11-30 17:26');
  assert.equal(format.clock(1796059570743), '17:26:10');
  assert.equal(format.duration(9.6), '10 s');
  assert.equal(format.duration(7500), '2 h 5 min');
  assert.equal(format.duration(86400), '1 d');
  assert.equal(format.bytes(512), '512 B');
  assert.equal(format.bytes(64 * 2 ** 20), '64.0 MiB');
});

const ticker = {
  symbol: 'A', exchange_status: 'TRADING', connected: true, trades_stored: 5, open_gaps: [],
  data_status: {data_quality: 'complete'}, loading: null,
};

test('the state of data says why', () => {
  assert.deepEqual(quality.describe('complete', ticker), {word: 'complete', detail: ''});
  const loading = {loaded: 45000, total: 120000, trades_per_second: 8000, seconds_left: '9.4'};
  assert.equal(
    quality.describe('loading', {...ticker, loading}).detail,
    '37 %, 45,000 of 120,000 trades, 8,000/s, 9 s left',
  );
  const open_gaps = [{from_id: 1, to_id: 3, missing: 3, reason: 'a jump'}, {from_id: 9, to_id: 9, missing: 1, reason: ''}];
  assert.equal(quality.describe('partial', {...ticker, open_gaps}).detail, '4 trades missing in 2 gaps: a jump');
  assert.match(quality.describe('unknown', {...ticker, connected: false}).detail, /not connected/);
  assert.match(quality.describe('unknown', {...ticker, exchange_status: 'NOT_LISTED'}).detail, /not list/);
  assert.equal(quality.lost({open: false, retryAt: 5000}, 1000).detail, 'Next attempt in 4 s.');
});

test('a rate is that of the latest times', () => {
  const rates = new Rates(2000);
  rates.take(0, new Map([['A', 10]]));
  assert.equal(rates.of('A'), null);
  rates.take(1000, new Map([['A', 30], ['B', 5]]));
  assert.equal(rates.of('A'), 20);
  assert.equal(rates.of('B'), null);
  rates.take(3000, new Map([['A', 90], ['B', 7]]));
  assert.equal(rates.of('A'), 30);
  assert.equal(rates.of('B'), 1);
  assert.equal(rates.of('C'), null);
});

const rows = [
  {symbol: 'ETHBTC', price: '0.05', open: '0.04', quote_volume: '7'},
  {symbol: 'BTCUSDT', price: '90', open: '100', quote_volume: '9'},
  {symbol: 'ABTC', price: null, open: null, quote_volume: null},
];
const names = (list) => list.map(({symbol}) => symbol).join(' ');

test('symbols are put in order and searched', () => {
  assert.equal(names(sorted(rows, 'symbol')), 'ABTC BTCUSDT ETHBTC');
  assert.equal(names(sorted(rows, 'change')), 'ETHBTC BTCUSDT ABTC');
  assert.equal(names(sorted(rows, 'volume')), 'BTCUSDT ETHBTC ABTC');
  assert.equal(names(matching(sorted(rows, 'symbol'), 'btc')), 'BTCUSDT ABTC ETHBTC');
  assert.equal(names(matching(rows, 'x')), '');
});
