/** Plays tests/sdk/scenario.json and reports the updates, in Node and in a browser. */

import type { Client, ClientOptions, CandleUpdate } from "../src/index.js";

interface Scenario {
  backoff: { first: number; most: number };
  subscriptions: { symbol: string; timeframe: number; history: number }[];
  steps: { do: string; count?: number; closed?: number }[];
}

type Report = (message: Record<string, unknown>) => void;

export async function play(
  NewClient: new (url: string, options: ClientOptions) => Client,
  url: string,
  scenario: Scenario,
  report: Report,
): Promise<void> {
  const updates: CandleUpdate[][] = scenario.subscriptions.map(() => []);
  const statuses = new Set<string>();
  let [made, lost, unsubscribed] = [0, 0, false];
  let changed: () => void = () => undefined;
  const client = new NewClient(url, {
    backoff: scenario.backoff,
    onConnection: (error) => {
      made += error ? 0 : 1;
      lost += error ? 1 : 0;
      changed();
    },
  });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };
  const count = (state: string): number =>
    updates.flat().filter((update) => update.state === state).length;
  const reading: Promise<void>[] = [];
  const read = async (index: number, { symbol, timeframe, history }: Scenario["subscriptions"][0]) => {
    const onStatus = (status: { data_quality: string }) => statuses.add(status.data_quality);
    for await (const update of client.candles(symbol, timeframe, { history, onStatus })) {
      updates[index]?.push(update);
      changed();
      if (unsubscribed) {
        break;
      }
    }
  };
  for (const step of scenario.steps) {
    if (step.do === "subscribe") {
      reading.push(...scenario.subscriptions.map((part, index) => read(index, part)));
      await until(() => updates.every((group) => group.length > 0));
    } else if (step.do === "updates") {
      const target = count("running") + (step.count ?? 0);
      await until(() => count("running") >= target);
    } else if (step.do === "restart") {
      report({ event: "restart" });
      await until(() => lost > 0 && made > 1);
    } else if (step.do === "settle") {
      const target = count("closed") + (step.closed ?? 0) * scenario.subscriptions.length;
      await until(() => count("closed") >= target);
    } else {
      unsubscribed = true;
      await Promise.all(reading);
    }
  }
  report({ event: "done", statuses: [...statuses], updates });
}
