import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Candles} from '../../../server/site/static/console/candles.js';

const STEP = 60000;
const candle = (minute, close = '1') => ({candle_time: minute * STEP, close});
const minutes = (candles) => candles.list.map(({candle_time: time}) => time / STEP);

test('a history replaces what it covers and keeps what it touches', () => {
  const candles = new Candles();
  candles.take([candle(5), candle(6), candle(7)], STEP);
  candles.take([candle(6, '2'), candle(7, '2'), candle(8, '2')], STEP);
  assert.deepEqual(minutes(candles), [5, 6, 7, 8]);
  assert.deepEqual(candles.list.map(({close}) => close), ['1', '2', '2', '2']);
  candles.take([candle(9)], STEP);
  assert.deepEqual(minutes(candles), [5, 6, 7, 8, 9]);
});

test('a history that does not touch drops what is before it', () => {
  const candles = new Candles();
  candles.take([candle(5)], STEP);
  candles.take([candle(7)], STEP);
  assert.deepEqual(minutes(candles), [7]);
});

test('a candle takes its place', () => {
  const candles = new Candles();
  assert.equal(candles.put(candle(5)), 'added');
  assert.equal(candles.put(candle(7)), 'added');
  assert.equal(candles.put(candle(7, '2')), 'changed');
  assert.equal(candles.put(candle(5, '3')), 'changed');
  assert.equal(candles.put(candle(6)), 'inserted');
  assert.equal(candles.put(candle(4)), 'ignored');
  assert.deepEqual(minutes(candles), [5, 6, 7]);
  assert.equal(candles.at(5 * STEP).close, '3');
  assert.equal(candles.at(5 * STEP + 1), undefined);
  assert.equal(candles.at(9 * STEP), undefined);
});

test('older candles come before, none twice', () => {
  const candles = new Candles();
  candles.prepend([candle(4), candle(5)]);
  candles.prepend([candle(2), candle(3), candle(4, '9')]);
  assert.deepEqual(minutes(candles), [2, 3, 4, 5]);
  assert.equal(candles.at(4 * STEP).close, '1');
});
