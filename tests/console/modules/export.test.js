import assert from 'node:assert/strict';
import {test} from 'node:test';

import {pages, parts} from '../../../server/site/static/console/export.js';

test('a range is split into pages that leave out and repeat nothing', () => {
  assert.deepEqual(pages({from: 0, to: 0}, 60, 2), [{from: 0, to: 0}]);
  assert.deepEqual(pages({from: 0, to: 240}, 60, 2), [{from: 0, to: 60}, {from: 120, to: 180}, {from: 240, to: 240}]);
});

test('there is a link of each format, and one a page', () => {
  const from = Date.UTC(2026, 10, 25);
  const one = parts('BTCUSDT', 173, {from, to: from + 173 * 60000});
  assert.deepEqual(one.map(({text, name}) => [text, name]), [
    ['CSV', 'BTCUSDT-173m-2026-11-25T0000.csv'],
    ['Parquet', 'BTCUSDT-173m-2026-11-25T0000.parquet'],
  ]);
  assert.equal(one[0].path, 'data/candles/BTCUSDT');
  assert.deepEqual(one[0].parameters, {
    timeframe: 173, start_time: from, end_time: from + 173 * 60000, limit: 10000, format: 'csv',
  });
  const many = parts('BTCUSDT', 1, {from, to: from + 10000 * 60000});
  assert.deepEqual(many.map(({text}) => text), ['CSV 1 of 2', 'CSV 2 of 2', 'Parquet 1 of 2', 'Parquet 2 of 2']);
});
