import assert from 'node:assert/strict';
import {test} from 'node:test';

import {format, parse} from '../../../server/site/static/console/address.js';

const read = (text) => parse(new URL(text, 'http://localhost:8080/console'));

test('an address says the charts, and the charts the address', () => {
  const text = '?chart=BTCUSDT:173:sma20:ema50:vwap&chart=ETHUSDT:60:line#operator';
  const state = read(text);
  assert.deepEqual(state, {
    charts: [
      {
        symbol: 'BTCUSDT',
        timeframe: 173,
        style: 'candles',
        overlays: [{kind: 'sma', period: 20}, {kind: 'ema', period: 50}, {kind: 'vwap', period: 0}],
      },
      {symbol: 'ETHUSDT', timeframe: 60, style: 'line', overlays: []},
    ],
    operator: true,
  });
  assert.equal(format(state), text);
});

test('symbols of other alphabets come back', () => {
  const state = read('?chart=币安人生USDT:1');
  assert.equal(state.charts[0].symbol, '币安人生USDT');
  assert.deepEqual(read(format(state)), state);
});

test('what cannot be read is left out', () => {
  assert.deepEqual(read('?chart=BTCUSDT&chart=:1&chart=A:0&chart=A:600000&chart=&x=1').charts, []);
  const [chart] = read('?chart=btcusdt:4h:sma:sma0:ema9999:rsi14:sma20:sma20').charts;
  assert.deepEqual(chart, {symbol: 'BTCUSDT', timeframe: 240, style: 'candles', overlays: [{kind: 'sma', period: 20}]});
});

test('there are four charts at most', () => {
  assert.equal(read(`?${'chart=A:1&'.repeat(9)}`).charts.length, 4);
});
