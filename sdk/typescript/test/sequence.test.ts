/** The cases of tests/sdk/sequences.json, which the Python client passes as well. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CandlesMissing, CandleSequence, type CandleUpdate, type types } from "../src/index.js";

type Short = [minute: number, close: number];
interface Step {
  history?: Short[];
  requested?: number;
  update?: Short;
  resume?: number;
  gives?: [string, number, number][];
  awaited?: number;
  missing?: [number, number];
}
interface Case {
  name: string;
  timeframe?: number;
  history: number;
  steps: Step[];
}

const MINUTE_MS = 60_000;
const file = new URL("../../../../tests/sdk/sequences.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf-8")) as { cases: Case[] };

function candle([minute, close]: Short): types.Candle {
  const price = `${close}`;
  return {
    candle_time: minute * MINUTE_MS,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: "1",
    trades_count: 1,
    taker_buy_volume: "1",
    taker_sell_volume: "0",
  };
}

function take(sequence: CandleSequence, step: Step): CandleUpdate[] {
  if (step.history) {
    return sequence.onHistory(step.history.map(candle), step.requested ?? 0);
  }
  if (step.update) {
    return sequence.onUpdate(candle(step.update));
  }
  sequence.resume(step.resume ?? 0);
  return [];
}

for (const { name, timeframe, history, steps } of cases) {
  test(name, () => {
    const sequence = new CandleSequence("BTCUSDT", timeframe ?? 1, history);
    for (const step of steps) {
      if (step.missing) {
        const [from, to] = step.missing;
        assert.throws(
          () => take(sequence, step),
          (error) =>
            error instanceof CandlesMissing &&
            error.fromTime === from * MINUTE_MS &&
            error.toTime === to * MINUTE_MS,
        );
        continue;
      }
      const updates = take(sequence, step).map(({ state, candle: { candle_time, close } }) => [
        state,
        candle_time / MINUTE_MS,
        Number(close),
      ]);
      assert.deepEqual(updates, step.gives ?? []);
      assert.equal(sequence.awaited, step.awaited ?? sequence.awaited);
    }
  });
}
