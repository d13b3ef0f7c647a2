import assert from "node:assert/strict";
import { test } from "node:test";
import { BACKOFF, pause } from "../src/backoff.js";

test("pauses grow to their bound and have jitter", () => {
  const longest = [0, 1, 2, 3, 1000].map((attempt) => pause(BACKOFF, attempt, () => 1));
  assert.deepEqual(longest, [0.5, 1, 2, 4, 30]);
  assert.equal(pause(BACKOFF, 3, () => 0), 2);
});
