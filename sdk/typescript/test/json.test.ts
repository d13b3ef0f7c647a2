import assert from "node:assert/strict";
import { test } from "node:test";
import { ContractBroken } from "../src/index.js";
import { read } from "../src/json.js";

test("decimals keep every digit", () => {
  const text = '{"open":12345678901.12345678,"volume": 0.00000001,"trades_count":3,"low":5}';
  assert.deepEqual(read(text), {
    open: "12345678901.12345678",
    volume: "0.00000001",
    trades_count: 3,
    low: "5",
  });
});

test("what looks like a decimal within a text stays text", () => {
  const message = 'say "open":1.5 and "\\"close":2';
  assert.deepEqual(read(JSON.stringify({ message, open: null })), { message, open: null });
});

test("invalid JSON is a broken contract", () => {
  assert.throws(() => read("{"), ContractBroken);
});

test("whole numbers keep every digit", () => {
  const text =
    '{"aggregate_id":9223372036854775807,"last_trade_id":9007199254740993,' +
    '"from_id": -9007199254740993,"first_trade_id":9007199254740991,"next_cursor":null,' +
    '"candle_time":1735691100000,"open":9007199254740993}';
  assert.deepEqual(read(text), {
    aggregate_id: 9223372036854775807n,
    last_trade_id: 9007199254740993n,
    from_id: -9007199254740993n,
    first_trade_id: 9007199254740991,
    next_cursor: null,
    candle_time: 1735691100000,
    open: "9007199254740993",
  });
});

test("what looks like a long number within a text stays text", () => {
  const message = 'say "aggregate_id":9223372036854775807';
  assert.deepEqual(read(`{"message":${JSON.stringify(message)},"to_id":9223372036854775807}`), {
    message,
    to_id: 9223372036854775807n,
  });
});
