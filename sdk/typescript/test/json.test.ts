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

test("what is not JSON is told as a broken contract", () => {
  assert.throws(() => read("{"), ContractBroken);
});
