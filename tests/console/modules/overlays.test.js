import assert from 'node:assert/strict';
import {test} from 'node:test';

import {key, label, parse, values} from '../../../server/site/static/console/overlays.js';

const DAY_MS = 86400000;
const candle = (price, volume = '1', time = 0) => ({
  candle_time: time, open: price, high: price, low: price, close: price, volume,
});
const rounded = (list) => list.map((value) => (value === null ? null : Number(value.toFixed(6))));

test('an overlay is read as it is typed', () => {
  assert.deepEqual(parse(' SMA 20'), {kind: 'sma', period: 20});
  assert.deepEqual(parse('ema50'), {kind: 'ema', period: 50});
  assert.deepEqual(parse('vwap'), {kind: 'vwap', period: 0});
  for (const text of ['', 'sma', 'ema 0', 'vwap0', 'sma 1001', 'sma -1', 'rsi 14']) {
    assert.equal(parse(text), null, text);
  }
});

test('an overlay is named', () => {
  assert.equal(key({kind: 'vwap', period: 0}), 'vwap');
  assert.equal(label({kind: 'vwap', period: 0}), 'VWAP day');
  assert.equal(label({kind: 'sma', period: 20}), 'SMA 20');
});

test('the simple mean is that of the last closes', () => {
  const candles = ['1', '2', '3', '7', '2'].map((price) => candle(price));
  assert.deepEqual(rounded(values({kind: 'sma', period: 3}, candles)), [null, null, 2, 4, 4]);
  assert.deepEqual(values({kind: 'sma', period: 9}, candles), candles.map(() => null));
});

test('the exponential mean begins with the simple one', () => {
  const candles = ['1', '2', '3', '7', '3'].map((price) => candle(price));
  assert.deepEqual(rounded(values({kind: 'ema', period: 3}, candles)), [null, null, 2, 4.5, 3.75]);
});

test('the average price weighs by volume, over a period or the day', () => {
  const candles = [candle('10', '1'), candle('20', '3'), candle('30', '0'), candle('40', '1', DAY_MS)];
  assert.deepEqual(rounded(values({kind: 'vwap', period: 2}, candles)), [null, 17.5, 20, 40]);
  assert.deepEqual(rounded(values({kind: 'vwap', period: 0}, candles)), [10, 17.5, 17.5, 40]);
});

test('a quiet time has no average price', () => {
  const candles = [candle('0.1', '0.3'), candle('0.2', '0.1'), candle('9', '0'), candle('9', '0'), candle('3', '2')];
  assert.deepEqual(rounded(values({kind: 'vwap', period: 2}, candles)), [null, 0.125, 0.2, null, 3]);
});
